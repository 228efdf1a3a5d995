"""swarm and aria2 between real daemons: forced, chosen, broken off, and with stock clients."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import MODELS, free_port  # noqa: E402
from rig import FleetTest  # noqa: E402
from sshd import Sshd  # noqa: E402

MIB = 1 << 20


class Ways(FleetTest):
    ssh = None

    def raise_fleet(self, names="abc", **transport):
        self.add_nodes(names, **transport)
        self.fleet.start_all()
        self.fleet.wait_connected()

    def add_nodes(self, names, provider="", **transport):
        """Every node serves objects over HTTPS and takes part in swarms."""
        for name in names:
            self.fleet.add_node(name, roles=["backup"], collections=[{**MODELS, "copies": 8}],
                                acks=1, settings={
                "node": {"http_listen": ["unix:state/api.sock", f"tls:127.0.0.1:{free_port()}"],
                         "provider": provider},
                "transport": {"swarm_listen": f"127.0.0.1:{free_port()}", **transport},
                **({"ssh": self.ssh} if self.ssh else {})})

    def write_model(self, size=3 * MIB, name="m.pth", node="a"):
        content = os.urandom(size)
        (self.fleet.nodes[node].root("models") / name).write_bytes(content)
        return content

    def has(self, node, content, name="m.pth"):
        path = self.fleet.nodes[node].root("models") / name
        return path.exists() and path.stat().st_size == len(content) and \
            path.read_bytes() == content

    def bytes_sent_by(self, node):
        """Over the connections that its process has now, as the kernel counts them."""
        listing = subprocess.run(["ss", "-tniHpO"], check=True, capture_output=True, text=True)
        own = f"pid={self.fleet.nodes[node].process.pid},"
        return sum(int(re.search(r"bytes_sent:(\d+)", line)[1])
                   for line in listing.stdout.splitlines() if own in line
                   and "bytes_sent:" in line)

    def events(self, node, kind):
        return [e for e in self.fleet.ask(node, "events")["events"] if e["type"] == kind]

    def landed_by(self, node):
        return [e["details"]["transport"] for e in self.events(node, "object_landed")]

    def transfer_of(self, node):
        return next((t for t in self.fleet.ask(node, "transfers")["transfers"]
                     if t["bytes_done"] > 0), None)

    def test_each_is_used_when_it_is_asked_for(self):
        self.raise_fleet("ab")
        for transport in ("aria2", "swarm"):
            name = f"{transport}.pth"
            content = self.write_model(name=name)
            self.sync_ok("a", "models", "--target", "b", "--transport", transport, "--confirm")
            self.assertTrue(self.has("b", content, name))
            self.assertEqual(self.landed_by("b")[-1], transport)
        self.assertEqual(self.fleet.cli("b", "verify", "models")[0], 0)

    def limited(self, transport, limits):
        """Seconds until 24 MB are on b, which has these limits."""
        self.add_nodes("a", provider="vast.ai")
        self.raise_fleet("b", enabled=[transport], **limits)
        content = self.write_model(size=24_000_000)
        begin = time.monotonic()
        self.fleet.wait_until(lambda: self.has("b", content), 40, "the model to land")
        self.assertEqual(self.landed_by("b"), [transport])
        return time.monotonic() - begin

    def check_each_way_keeps(self, limits):
        for transport in ("aria2", "swarm", "ssh"):
            with self.subTest(transport), Sshd() as sshd:
                self.ssh = sshd.settings
                self.assertGreater(self.limited(transport, limits), 0.8 * 24 / 6)
            self.clean_up()
            self.setUp()

    def test_a_limit_for_a_provider_is_kept_by_each_way(self):
        self.check_each_way_keeps({"bandwidth_by_provider_mbps": {"vast*": 6}})

    def test_a_limit_by_the_time_of_day_is_kept_by_each_way(self):
        self.check_each_way_keeps({"schedules": ["models 00:00-24:00 6"]})

    def test_a_large_model_for_many_is_fetched_in_parts_that_they_give_each_other(self):
        self.raise_fleet("abcd")
        large = self.write_model(size=64 * MIB, name="large.pth")
        for node in "bcd":
            self.fleet.wait_until(lambda: self.has(node, large, "large.pth"), 60, f"it on {node}")
            self.assertEqual(self.landed_by(node), ["p2p"])
        # The source sent little more than one copy, where three were made.
        self.assertLess(self.bytes_sent_by("a"), 2 * len(large))

    def test_where_p2p_is_off_a_large_model_for_many_goes_by_swarm_and_a_small_one_does_not(self):
        self.raise_fleet("abcd", enabled=["swarm", "aria2"])
        # Nobody knows yet how fast the links are, so that a machine like any other is assumed.
        large = self.write_model(size=64 * MIB, name="large.pth")
        for node in "bcd":
            self.fleet.wait_until(lambda: self.has(node, large, "large.pth"), 60, f"it on {node}")
        small = self.write_model(name="small.pth")
        for node in "bcd":
            self.fleet.wait_until(lambda: self.has(node, small, "small.pth"), 60, f"it on {node}")
            by = {e["details"]["path"]: e["details"]["transport"]
                  for e in self.events(node, "object_landed")}
            self.assertEqual(by, {"small.pth": "aria2", "large.pth": "swarm"})

    def test_a_swarm_whose_seed_is_killed_goes_on_when_it_is_back(self):
        self.raise_fleet("ab", enabled=["swarm"], bandwidth_total_mbps=8)
        content = self.write_model(size=48 * MIB)
        self.fleet.wait_until(lambda: self.transfer_of("b"), 40, "the transfer to be under way")
        self.fleet.kill9("a")
        self.fleet.start("a")
        self.fleet.wait_until(lambda: self.has("b", content), 90, "the model to be whole")

    def test_a_receiver_that_is_killed_goes_on_where_it_was(self):
        sshd = self.enterContext(Sshd())
        for transport, names in (("swarm", "ab"), ("aria2", "cd"), ("ssh", "ef")):
            with self.subTest(transport):
                self.fleet.close()
                self.fleet.nodes.clear()
                self.ssh = sshd.settings
                self.raise_fleet(names, enabled=[transport], bandwidth_total_mbps=8)
                giver, taker = names
                content = self.write_model(size=96 * MIB, node=giver)
                self.fleet.wait_until(
                    lambda: (self.transfer_of(taker) or {"bytes_done": 0})["bytes_done"] >
                    60 * MIB, 60, "most of it to be there")
                self.fleet.kill9(taker)
                self.fleet.start(taker)
                self.fleet.wait_until(lambda: self.has(taker, content), 90, "it to be whole")
                landed = self.events(taker, "object_landed")[-1]["details"]
                self.assertEqual(landed["transport"], transport)
                self.assertLess(int(landed["bytes"]), 80 * MIB, "what had come was kept")

    def test_an_aria2c_that_is_killed_is_started_again_and_the_model_is_whole(self):
        self.raise_fleet("ab", enabled=["aria2"], bandwidth_total_mbps=8)
        content = self.write_model(size=40 * MIB)
        self.fleet.wait_until(lambda: self.transfer_of("b"), 30, "the transfer to be under way")
        conf = self.fleet.folder / "b" / "state" / "aria2" / "aria2.conf"
        found = subprocess.run(["pgrep", "-f", f"aria2c --conf-path={conf}"], text=True,
                               capture_output=True, check=True)
        for pid in found.stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        self.fleet.wait_until(lambda: self.has("b", content), 60, "the model to be whole")
        self.assertTrue(self.events("b", "data_sync_failed"))

    def test_who_takes_no_part_is_not_asked_and_a_busy_port_is_said_at_the_start(self):
        self.fleet.add_node("a", roles=["backup"], collections=[MODELS], acks=1)
        self.fleet.add_node("b", roles=["backup"], collections=[MODELS], acks=1)
        self.fleet.start_all()
        self.fleet.wait_connected()
        self.assertEqual(self.fleet.cli("b", "pause", "models")[0], 0)
        self.write_model()
        self.fleet.wait_until(
            lambda: self.fleet.collection_status("a", "models")["known"] == 1, 20, "a to see it")
        for transport in ("swarm", "aria2"):
            code, answer = self.fleet.cli("a", "sync", "models", "--target", "b", "--transport",
                                          transport, "--timeout", "3")
            self.assertNotEqual(code, 0, answer)
            self.assertIn(transport, str(answer))
        node = self.fleet.nodes["b"]
        self.fleet.stop("b")
        port = self.fleet.nodes["a"].peer
        node.config.write_text(node.config.read_text() +
                               f'\n[transport]\nswarm_listen = "{port}"\n')
        done = subprocess.run([self.fleet.program, "--config", node.config, "daemon"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("swarm", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
