"""The fleet's key is changed while the fleet runs: nobody is shut out, and the key stays secret."""

import os
import pathlib
import stat
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import GAMES, MODELS  # noqa: E402
from rig import FleetTest  # noqa: E402


class RotateKey(FleetTest):
    def identity(self, name):
        return self.fleet.nodes[name].folder / "state" / "identity"

    def sealing(self, name):
        return (self.identity(name) / "fleet-key").read_bytes()

    def wait_all_seal_with_another(self, names, before):
        def is_done():
            keys = {self.sealing(name) for name in names}
            return len(keys) == 1 and before not in keys
        self.fleet.wait_until(is_done, 30, "all to seal with the new key")
        return self.sealing(names[0])

    def deaths(self, name):
        return [e["message"] for e in self.fleet.ask(name, "events")["events"]
                if e["type"] in ("node_dead", "node_suspect")]

    def test_every_node_comes_to_use_the_new_key_and_nobody_is_taken_for_dead(self):
        self.raise_fleet()
        before = self.sealing("a")
        code, answer = self.fleet.cli("b", "rotate-key")
        self.assertEqual(code, 0, answer)
        after = self.wait_all_seal_with_another("abc", before)
        for name in "abc":
            for file in ("fleet-key", "fleet-keys"):
                mode = stat.S_IMODE(os.stat(self.identity(name) / file).st_mode)
                self.assertEqual(mode, 0o600, file)
        time.sleep(6)  # some rounds of probes under it
        for name in "abc":
            self.assertEqual(self.deaths(name), [])

        with self.subTest("a restart keeps it"):
            self.fleet.stop("c")
            self.fleet.start("c")
            self.fleet.wait_connected()
            self.assertEqual(self.sealing("c"), after)

        with self.subTest("whoever joins now is given it, and can take part in the next change"):
            self.fleet.add_node("d", roles=["backup"], collections=[GAMES, MODELS])
            self.fleet.start("d")
            self.fleet.wait_connected()
            self.assertEqual(self.sealing("d"), after)
            self.assertEqual(self.fleet.cli("d", "rotate-key")[0], 0)
            self.wait_all_seal_with_another("abcd", after)

        with self.subTest("it stands in no log and no catalog"):
            for name in "abcd":
                state = self.fleet.nodes[name].folder / "state"
                key = self.sealing(name)
                for file in [self.fleet.nodes[name].log, *state.glob("*.db*")]:
                    content = file.read_bytes()
                    self.assertNotIn(key, content, file)
                    self.assertNotIn(key.hex().encode(), content, file)

    def test_a_node_that_was_away_is_given_it_when_it_is_back(self):
        self.raise_fleet()
        before = self.sealing("a")
        self.fleet.kill9("c")
        self.fleet.wait_until(lambda: self.deaths("a"), 30, "c to be missed")
        self.fleet.wait_until(
            lambda: any("dead" in m or "c" in m for m in self.deaths("a")), 30, "c to be dead")
        self.assertEqual(self.fleet.cli("a", "rotate-key")[0], 0)
        after = self.wait_all_seal_with_another("ab", before)
        self.fleet.start("c")
        self.fleet.wait_until(lambda: self.sealing("c") == after, 30, "c to have it")

    def test_a_live_node_that_cannot_be_told_is_waited_for_and_named(self):
        self.raise_fleet()
        before = self.sealing("a")
        # Its disk does not take the key.
        keys = self.identity("c")
        (keys / "fleet-keys").mkdir()
        self.assertEqual(self.fleet.cli("a", "rotate-key")[0], 0)
        self.fleet.wait_until(
            lambda: any("new key waits for 1 node, such as c" in p
                        for p in self.fleet.status("a")["problems"]), 30, "it to be named")
        self.assertEqual(self.sealing("a"), before)
        code, answer = self.fleet.cli("b", "rotate-key")
        self.assertNotEqual(code, 0)
        self.assertIn("not in use yet", str(answer))
        (keys / "fleet-keys").rmdir()
        self.wait_all_seal_with_another("abc", before)


if __name__ == "__main__":
    unittest.main()
