"""Who is alive: real daemons that ask each other by datagram, and what `nodes` says of them."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from rig import FleetTest, is_sanitized  # noqa: E402

QUICK = {"membership": {"probe_interval_ms": 200, "probe_timeout_ms": 100,
                        "push_pull_interval_ms": 1000}}
PATIENCE = 90 if is_sanitized() else 30


class Membership(FleetTest):
    def state(self, asked, about):
        for row in self.fleet.ask(asked, "nodes")["nodes"]:
            if row["id"] == about:
                return row["state"]
        return None

    def wait_state(self, asked, about, state):
        self.fleet.wait_until(lambda: self.state(asked, about) == state, PATIENCE,
                              f"{asked} to see {about} as {state}")

    def events(self, asked, about):
        return [row["type"] for row in self.fleet.ask(asked, "events")["events"]
                if row.get("details", {}).get("node") == about]

    def test_deaths_leaves_and_returns_are_known_to_all(self):
        self.raise_fleet(names=("a", "b", "c", "d"), acks=1, settings=QUICK)
        with self.subTest("a killed node is dead for all others"):
            self.fleet.kill9("d")
            for name in "abc":
                self.wait_state(name, "d", "dead")
            self.assertIn("node_dead", self.events("a", "d"))
        with self.subTest("it comes back with a new incarnation"):
            self.fleet.start("d")
            for name in "abc":
                self.wait_state(name, "d", "connected")
            self.assertEqual(self.events("a", "d")[-1], "node_alive")
        with self.subTest("a node that leaves in good order has left, and is not mourned"):
            self.assertEqual(self.fleet.stop("c"), 0)
            for name in "abd":
                self.wait_state(name, "c", "left")
            self.assertNotIn("node_dead", self.events("a", "c"))
        with self.subTest("none of it cost a game"):
            wanted = self.play("a", 3)
            self.fleet.start("c")
            for name in "bcd":
                self.assert_clean(name, wanted, self.source("a"))


if __name__ == "__main__":
    unittest.main()
