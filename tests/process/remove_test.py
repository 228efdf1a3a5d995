"""A node that an operator takes out of the fleet stays out, whatever it and the others do."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from rig import FleetTest  # noqa: E402


class Remove(FleetTest):
    def known(self, name):
        return {row["id"] for row in self.fleet.ask(name, "nodes")["nodes"]}

    def test_a_removed_node_stays_removed(self):
        self.raise_fleet(acks=1)
        wanted = self.play("c", 5)
        for name in "ab":
            self.assert_clean(name, wanted, self.source("c"))

        for victim, exit_code, why in (("a", 2, "another"), ("nobody", 2, "no node"),
                                       ("c", 1, "stop its daemon")):
            code, answer = self.fleet.cli("a", "remove", victim)
            self.assertEqual(code, exit_code, answer)
            self.assertIn(why, str(answer))

        self.fleet.stop("c")
        self.fleet.wait_until(lambda: "c" not in self.fleet.connected_peers("a"), 20, "c to go")
        code, answer = self.fleet.cli("a", "remove", "c")
        self.assertEqual(code, 0, answer)
        for name in "ab":
            self.fleet.wait_until(lambda n=name: "c" not in self.known(n), 20, f"{name} to know")
            self.assert_clean(name, wanted, self.source("c"))

        self.fleet.stop("a")
        self.fleet.start("a")  # it remembers from its own disk …
        self.fleet.start("c")  # … and c knows nothing of it yet
        self.fleet.wait_connected(names=("a", "b"))
        more = self.play("b", 3, db="more.db", seed=2)
        self.assert_clean("a", wanted | more)
        for name in "ab":
            self.assertNotIn("c", self.fleet.connected_peers(name))
        self.assertTrue(self.inspect("c", more).missing, "nobody brings it anything any more")


if __name__ == "__main__":
    unittest.main()
