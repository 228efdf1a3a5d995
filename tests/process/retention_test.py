"""A node that only makes files gives their room back, once others keep them."""

import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import MODELS  # noqa: E402
from rig import FleetTest  # noqa: E402

NPZ = {**MODELS, "name": "npz", "root": "data/training", "include": ["**/*.npz"], "copies": 2,
       "placement": {"roles": ["backup"]}, "retain_s": 3}


class Retention(FleetTest):
    def file(self, name):
        return self.fleet.nodes[name].root("npz") / "t.npz"

    def retired(self, name):
        return [e["message"] for e in self.fleet.ask(name, "events")["events"]
                if e["type"] == "object_retired"]

    def test_an_old_file_goes_from_its_maker_and_stays_where_it_is_wanted(self):
        for name, role in (("maker", "selfplay"), ("x", "backup"), ("y", "backup")):
            self.fleet.add_node(name, roles=[role], acks=1, collections=[NPZ])
        self.fleet.start("maker")
        self.fleet.start("x")
        content = os.urandom(300_000)
        self.file("maker").write_bytes(content)
        self.fleet.wait_until(lambda: self.file("x").exists(), 20, "x to have it")
        time.sleep(14)  # older than retain_s, and looked at: one copy of two is not enough
        self.assertTrue(self.file("maker").exists())
        self.fleet.start("y")
        self.fleet.wait_until(lambda: self.file("y").exists(), 20, "y to have it")
        self.fleet.wait_until(lambda: not self.file("maker").exists(), 30, "it to go")
        self.assertEqual(len(self.retired("maker")), 1)
        self.assertIn("kept by x and y", self.retired("maker")[0])
        time.sleep(12)
        for name in "xy":
            self.assertEqual(self.file(name).read_bytes(), content)
            self.assertEqual(self.retired(name), [])
        self.assertFalse(self.file("maker").exists(), "it was fetched back")
        self.assertEqual(self.fleet.collection_status("x", "npz")["durable"], 1)


if __name__ == "__main__":
    unittest.main()
