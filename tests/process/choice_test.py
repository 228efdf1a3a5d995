"""Which transport carries a file, what follows when it fails, and that a person sees it."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import MODELS  # noqa: E402
from rig import FleetTest  # noqa: E402
from sshd import Sshd  # noqa: E402

MIB = 1 << 20
# Failures and pauses as a test can wait for them.
QUICK = {"breaker_failures": 2, "breaker_open_ms": 1500, "ssh_tries": 1,
         "ssh_connect_timeout_ms": 1000}


class Choice(FleetTest):
    def raise_two(self, b=None, a=None):
        self.fleet.add_node("a", roles=["backup"], collections=[MODELS], acks=1, settings=a)
        self.fleet.add_node("b", roles=["backup"], collections=[MODELS], acks=1, settings=b)
        self.fleet.start_all()
        self.fleet.wait_connected()

    def write_model(self, size=3 * MIB, name="m.pth"):
        content = os.urandom(size)
        (self.fleet.nodes["a"].root("models") / name).write_bytes(content)
        return content

    def has(self, name, content, file="m.pth"):
        path = self.fleet.nodes[name].root("models") / file
        return path.exists() and path.read_bytes() == content

    def events(self, name, kind):
        return [e for e in self.fleet.ask(name, "events")["events"] if e["type"] == kind]

    def landed_by(self, name):
        return [e["details"]["transport"] for e in self.events(name, "object_landed")]

    def circuits(self, name, about):
        for row in self.fleet.ask(name, "nodes")["nodes"]:
            if row["id"] == about:
                return row["open_circuits"]
        return []

    def test_linked_nodes_use_p2p_and_the_route_says_so(self):
        self.raise_two()
        content = self.write_model()
        answer = self.sync_ok("a", "models", "--target", "b", "--confirm")
        self.assertTrue(self.has("b", content))
        self.assertEqual(self.landed_by("b"), ["p2p"])
        verdicts = {v["node"]: v for v in answer["route"]["verdicts"]}
        self.assertEqual(verdicts["b"]["transport"], "p2p")

    def test_nodes_that_share_storage_copy_and_nothing_crosses_the_wire(self):
        shared = {"node": {"storage_domain": "one-export"}}
        self.raise_two(a=shared, b=shared)
        content = self.write_model()
        answer = self.sync_ok("a", "models", "--target", "b", "--confirm")
        self.assertTrue(self.has("b", content))
        landed = self.events("b", "object_landed")[0]
        self.assertEqual((landed["details"]["transport"], landed["details"]["bytes"]), ("nfs", "0"))
        verdicts = {v["node"]: v for v in answer["route"]["verdicts"]}
        self.assertEqual(verdicts["b"]["transport"], "nfs")

    def test_what_cannot_be_copied_is_fetched_and_the_reason_is_told(self):
        shared = {"node": {"storage_domain": "one-export"}}
        self.raise_two(a=shared, b=shared)
        # The other node's path leads b elsewhere, as on a machine that mounts another export there.
        root = self.fleet.nodes["a"].root("models")
        content = self.write_model()
        self.fleet.wait_until(lambda: self.has("b", content), 20, "the first model by copy")
        self.fleet.stop("b")
        second = self.write_model(name="n.pth")
        self.fleet.wait_until(
            lambda: self.fleet.collection_status("a", "models")["known"] == 2, 20, "a to see it")
        root.rename(root.with_name("moved"))
        root.mkdir()
        self.fleet.start("b")
        self.fleet.wait_until(lambda: self.has("b", second, "n.pth"), 30, "p2p to bring it")
        escalated = self.events("b", "transport_escalated")
        self.assertTrue(escalated, self.fleet.log_tail("b", 10))
        self.assertIn("by nfs", escalated[0]["message"])
        self.assertIn("next: p2p", escalated[0]["message"])
        self.assertIn("p2p", self.landed_by("b"))

    def test_a_forced_transport_is_used_or_refused_with_a_reason(self):
        with Sshd() as sshd:
            self.raise_two(a={"ssh": sshd.settings}, b={"ssh": sshd.settings})
            content = self.write_model()
            answer = self.sync_ok("a", "models", "--target", "b", "--transport", "ssh", "--confirm")
            self.assertTrue(self.has("b", content))
            self.assertEqual(self.landed_by("b"), ["ssh"])
            verdicts = {v["node"]: v for v in answer["route"]["verdicts"]}
            self.assertEqual(verdicts["b"]["transport"], "ssh")
            code, refusal = self.fleet.cli("a", "sync", "models", "--transport", "sssh")
            self.assertEqual(code, 2, refusal)
            self.assertIn("ssh", str(refusal))

    def test_a_way_that_keeps_failing_is_left_alone_shown_and_heals_by_itself(self):
        with Sshd() as sshd:
            only_ssh = {"ssh": sshd.settings, "transport": {"enabled": ["ssh"], **QUICK}}
            self.raise_two(b=only_ssh)
            sshd.stop()
            content = self.write_model()
            self.fleet.wait_until(lambda: self.circuits("b", "a"), 30, "b to leave ssh to a alone")
            self.assertIn("ssh: ", self.circuits("b", "a")[0])
            self.assertIn("could not fetch m.pth by ssh",
                          self.events("b", "data_sync_failed")[0]["message"])
            sshd.start()
            self.fleet.wait_until(lambda: self.has("b", content), 40, "ssh to be tried again")
            self.assertEqual(self.circuits("b", "a"), [])

    def test_a_transfer_whose_program_is_killed_goes_on_and_is_whole(self):
        with Sshd() as sshd:
            slow = {"enabled": ["ssh"], "bandwidth_total_mbps": 8}
            self.raise_two(b={"ssh": sshd.settings, "transport": slow})
            content = self.write_model(size=40 * MIB)

            def rsync_of_b():
                found = subprocess.run(["pgrep", "-f", f"^[^ ]*rsync .*{self.fleet.folder}/b/"],
                                       text=True, capture_output=True)
                return [int(pid) for pid in found.stdout.split()]
            self.fleet.wait_until(
                lambda: any(t["bytes_done"] > 0
                            for t in self.fleet.ask("b", "transfers")["transfers"]),
                30, "the transfer to be under way")
            running = rsync_of_b()
            self.assertTrue(running)
            for pid in running:
                os.kill(pid, signal.SIGKILL)
            self.fleet.wait_until(lambda: self.has("b", content), 60, "the model to be whole")
            self.assertTrue(self.events("b", "data_sync_failed"))


if __name__ == "__main__":
    for program in ("ssh", "rsync"):
        assert shutil.which(program), f"{program} is in packages.txt"
    unittest.main(verbosity=2)
