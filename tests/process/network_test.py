"""Machines of their own, as network namespaces: partitions, cuts that go one way, restarts one by
one with programs writing, and a model over thin links. Nothing acknowledged is lost, and status
says at each step how things are.
"""

import os
import pathlib
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import games  # noqa: E402
import imds  # noqa: E402
from fleet import GAMES, MODELS  # noqa: E402
from network import Network  # noqa: E402
from rig import DB, FleetTest  # noqa: E402

WHY_NOT = Network.why_not()
MIB = 1 << 20


@unittest.skipIf(WHY_NOT, WHY_NOT)
class OnANetwork(FleetTest):
    def setUp(self):
        super().setUp()
        self.network = Network()
        self.addCleanup(self.network.close)
        self.fleet.network = self.network
        # Daemons end before their machines do.
        self.addCleanup(self.fleet.close)

    def raise_machines(self, names, acks=1, mbit=None, **settings):
        for name in names:
            self.fleet.add_node(name, roles=["backup"], collections=[GAMES, MODELS], acks=acks,
                                mbit=mbit, settings=settings)
        self.fleet.start_all()
        self.fleet.wait_connected()

    def play_on(self, *names):
        for name in names:
            self.fleet.start_selfplay(name, "--playouts", "2", "--games-per-second", "20", db=DB)

    def flushed(self, name, deadline=10):
        """Games that were finished before a flush that succeeded."""
        before = games.completed_ids(self.source(name))
        code, report = self.fleet.cli(name, "flush", "--deadline", str(deadline))
        self.assertEqual(code, 0, report)
        return before

    def linked(self, name):
        return {row["id"] for row in self.fleet.ask(name, "nodes")["nodes"]
                if row["state"] == "connected"}

    def settle(self, names, acknowledged, writers):
        for name in writers:
            self.fleet.stop_programs(name)
        everything = set()
        for name in writers:
            everything |= self.flushed(name, 60)
        self.assertFalse(acknowledged - everything)
        for name in names:
            self.assert_clean(name, everything, *[self.source(w) for w in writers], timeout=60)
        self.fleet.wait_until(lambda: self.fleet.cli(names[0], "verify", "games")[0] == 0, 60,
                              "all replicas to be equal")

    def test_both_halves_of_a_partition_go_on_and_are_one_when_it_heals(self):
        names = ["a", "b", "c", "d"]
        self.raise_machines(names)
        self.play_on("a", "c")
        acknowledged = self.flushed("a") | self.flushed("c")
        self.network.partition(["a", "b"], ["c", "d"])
        self.fleet.wait_until(lambda: not self.linked("a") & {"c", "d"}, 60, "the cut to be seen")
        self.assertIn("b", self.linked("a"))
        # One copy elsewhere is what is asked for: each half has it.
        acknowledged |= self.flushed("a") | self.flushed("c")
        self.assertGreater(len(acknowledged), 10)
        states = {row["id"]: row["state"] for row in self.fleet.ask("a", "nodes")["nodes"]}
        self.assertTrue({states["c"], states["d"]} <= {"unreachable", "suspect", "dead"}, states)
        self.network.heal()
        self.fleet.wait_connected(timeout=90)
        self.settle(names, acknowledged, ["a", "c"])

    def test_what_goes_one_way_only_keeps_nothing_from_being_durable(self):
        names = ["a", "b", "c"]
        self.raise_machines(names, acks=1)
        self.play_on("a")
        acknowledged = self.flushed("a")
        self.network.cut("a", "b")
        self.fleet.wait_until(lambda: "b" not in self.linked("a"), 60, "a to see that b is away")
        acknowledged |= self.flushed("a")
        # By way of c the games reach b all the same.
        self.assert_clean("b", acknowledged, timeout=60)
        self.network.heal()
        self.fleet.wait_connected(timeout=90)
        self.settle(names, acknowledged, ["a"])

    def test_every_node_is_restarted_in_turn_while_programs_write(self):
        names = ["a", "b", "c"]
        self.raise_machines(names, acks=1)
        self.play_on("a", "b")
        acknowledged = set()
        for name in names:
            acknowledged |= self.flushed("a") | self.flushed("b")
            self.fleet.stop(name)
            other = next(n for n in names if n != name)
            self.fleet.wait_until(lambda: name not in self.linked(other), 30, f"{name} to leave")
            self.fleet.start(name)
            self.fleet.wait_connected(timeout=60)
        self.settle(names, acknowledged, ["a", "b"])

    def raise_spot(self, mbit, **spot):
        """Two permanent machines, and a spot one with a thin uplink that plays."""
        for name in ("a", "b"):
            self.fleet.add_node(name, roles=["backup"], collections=[GAMES, MODELS], acks=1)
        self.fleet.add_node("s", roles=["selfplay"], collections=[GAMES], ephemeral=True, acks=1,
                            mbit=mbit, settings={"spot": {"poll_interval_ms": 500, **spot}})

    def assert_drained(self, code, finished):
        self.assertEqual(code, 0, "what was finished is durable elsewhere")
        gone = self.fleet.nodes["s"]
        for name in ("a", "b"):
            self.assert_clean(name, finished, gone.root("games") / DB, timeout=30)
        states = {row["id"]: row["state"] for row in self.fleet.ask("a", "nodes")["nodes"]}
        self.assertEqual(states["s"], "left")

    def test_a_spot_machine_with_30_s_of_notice_drains_over_its_thin_uplink_and_leaves(self):
        self.raise_spot(mbit=4, drain_deadline_s=25)
        self.fleet.start_all()
        self.fleet.wait_connected()
        self.play_on("s")
        acknowledged = self.flushed("s")
        time.sleep(2)
        self.fleet.stop_programs("s")
        finished = games.completed_ids(self.source("s"))
        self.assertGreater(len(finished), len(acknowledged))
        self.assert_drained(self.fleet.stop("s"), finished)

    def test_the_providers_notice_of_120_s_is_enough_while_its_program_goes_on(self):
        self.raise_spot(mbit=4, metadata_aws="http://127.0.0.1:9254")
        node = self.fleet.nodes["s"]
        notice = node.folder / "notice"
        service = subprocess.Popen([*node.prefix, *imds.command("127.0.0.1", 9254, notice)])
        self.addCleanup(service.wait)
        self.addCleanup(service.kill)
        self.fleet.start_all()
        self.fleet.wait_connected()
        self.play_on("s")
        acknowledged = self.flushed("s")
        finished = games.completed_ids(self.source("s"))
        notice.touch()
        code = node.process.wait(60)
        self.assertGreaterEqual(len(finished), len(acknowledged))
        self.assert_drained(code, finished)

    def test_a_spot_machine_that_vanishes_without_notice_takes_nothing_acknowledged_along(self):
        self.raise_spot(mbit=4)
        self.fleet.start_all()
        self.fleet.wait_connected()
        self.play_on("s")
        acknowledged = self.flushed("s") | self.flushed("s")
        self.network.partition(["s"], ["a", "b"])
        self.fleet.kill9("s")
        for name in ("a", "b"):
            self.assert_clean(name, acknowledged, self.source("s"), timeout=30)
        def says():
            return {row["id"]: row["state"] for row in self.fleet.ask("a", "nodes")["nodes"]}["s"]
        self.fleet.wait_until(lambda: says() in ("suspect", "dead", "unreachable"), 60,
                              "a to say that s is away")

    def test_a_leader_that_vanishes_in_mid_broadcast_is_followed_and_all_have_the_model(self):
        names = ["a", "b", "c", "d"]
        models = [{**MODELS, "strategy": "broadcast", "copies": 4}]
        for name in names:
            self.fleet.add_node(name, roles=["backup", "voter"], mbit=40, acks=1,
                                collections=models)
        self.fleet.start_all()
        self.fleet.wait_connected()

        def leads(name, of):
            return self.fleet.status(of)["leader"].startswith(f"{name} leads")
        self.fleet.wait_until(lambda: all(leads("a", n) for n in names), 30, "a to lead")
        content = os.urandom(32 * MIB)
        (self.fleet.nodes["d"].root("models") / "m.pth").write_bytes(content)
        self.fleet.wait_until(
            lambda: any(t["bytes_done"] > 2 * MIB
                        for t in self.fleet.ask("b", "transfers")["transfers"]),
            30, "the broadcast to be under way")
        self.network.partition(["a"], ["b", "c", "d"])
        self.fleet.kill9("a")
        for name in ("b", "c"):
            path = self.fleet.nodes[name].root("models") / "m.pth"
            self.fleet.wait_until(path.exists, 60, f"the model on {name}")
            self.assertTrue(path.read_bytes() == content)
        self.fleet.wait_until(lambda: all(leads("b", n) for n in ("b", "c", "d")), 60, "b to lead")

    def test_a_model_over_thin_links_comes_in_the_time_of_one_copy_or_little_more(self):
        names = ["a", "b", "c", "d"]
        for name in names:
            self.fleet.add_node(name, roles=["backup"], mbit=100, acks=1,
                                collections=[{**MODELS, "copies": 4}])
        self.fleet.start_all()
        self.fleet.wait_connected()
        content = os.urandom(96 * MIB)
        (self.fleet.nodes["a"].root("models") / "m.pth").write_bytes(content)
        started = time.monotonic()
        for name in names[1:]:
            path = self.fleet.nodes[name].root("models") / "m.pth"
            self.fleet.wait_until(path.exists, 60, f"the model on {name}")
            self.assertTrue(path.read_bytes() == content)
        # Three copies from the source alone take 24 s on its link, and one takes 8.
        self.assertLess(time.monotonic() - started, 20)
        landed = [e["details"]["transport"] for e in self.fleet.ask("b", "events")["events"]
                  if e["type"] == "object_landed"]
        self.assertEqual(landed, ["p2p"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
