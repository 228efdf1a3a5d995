"""Who leads: by rank without any server, or by a lease in a real three-member etcd."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import GAMES, MODELS, FleetError, die_with_parent, free_port  # noqa: E402
from rig import FleetTest  # noqa: E402

BROADCAST = [{**GAMES, "strategy": "broadcast"}, {**MODELS, "strategy": "broadcast"}]


class EtcdCluster:
    """Three members on loopback, each with a folder of its own. In memory where there is a place:
    a busy disk that makes etcd's fsyncs wait makes it elect anew, and leases start again with that.
    """

    def __init__(self):
        memory = pathlib.Path("/dev/shm")
        self.folder = pathlib.Path(tempfile.mkdtemp(
            prefix="syncline-etcd-", dir=memory if os.access(memory, os.W_OK) else None))
        self.members = {}
        self.ports = {f"m{i}": (free_port(), free_port()) for i in range(3)}

    @property
    def endpoints(self):
        return [f"http://127.0.0.1:{client}" for client, _ in self.ports.values()]

    def start(self, name):
        client, peer = (f"http://127.0.0.1:{port}" for port in self.ports[name])
        cluster = ",".join(f"{n}=http://127.0.0.1:{p}" for n, (_, p) in self.ports.items())
        state = "existing" if (self.folder / name).exists() else "new"
        with open(self.folder / f"{name}.log", "ab") as log:
            self.members[name] = subprocess.Popen(
                ["etcd", "--name", name, "--data-dir", str(self.folder / name),
                 "--listen-client-urls", client, "--advertise-client-urls", client,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", cluster, "--initial-cluster-state", state],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)

    def start_all(self):
        for name in self.ports:
            self.start(name)
        deadline = time.monotonic() + 30
        while self.ask("endpoint", "health") != 0:
            if time.monotonic() > deadline:
                raise FleetError(f"etcd did not start: see {self.folder}")
            time.sleep(0.2)

    def ask(self, *arguments):
        return subprocess.run(
            ["etcdctl", "--endpoints", ",".join(self.endpoints), *arguments],
            env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"}, capture_output=True,
            check=False).returncode

    def kill(self, name):
        self.members[name].kill()
        self.members[name].wait()

    def close(self):
        for process in self.members.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Leader(FleetTest):
    def raise_three(self, roles=("backup", "voter"), settings=None, collections=tuple(BROADCAST)):
        for name in ("a", "b", "c"):
            self.fleet.add_node(name, roles=list(roles), collections=list(collections), acks=1,
                                settings={"gossip": {"broadcast_interval_s": 5}})
        for node in self.fleet.nodes.values():
            if settings:
                self.fleet.stop(node.name)
                node.config.write_text(settings + node.config.read_text())
        self.fleet.start_all()
        self.fleet.wait_connected()

    def leader(self, name):
        """(leader, epoch) as the node says; ("", 0) and the reason where nobody leads."""
        said = self.fleet.status(name)["leader"]
        if " leads (epoch " not in said:
            return "", 0
        return said.split()[0], int(said.split("epoch ")[1].split(",")[0])

    def wait_agreed(self, names, timeout=30, other_than=""):
        def agreed():
            said = {self.leader(name) for name in names}
            leader = next(iter(said))
            return len(said) == 1 and leader[0] != other_than and leader[0] and leader
        self.fleet.wait_until(agreed, timeout, "all to follow one leader")
        return self.leader(names[0])

    def events(self, name, kind):
        return [e["message"] for e in self.fleet.ask(name, "events")["events"]
                if e["type"] == kind]

    def counter(self, name, which):
        return self.fleet.ask(name, "stats")["counters"].get(which, 0)

    def test_the_first_live_voter_leads_and_the_next_follows_it(self):
        self.raise_three()
        first = self.wait_agreed(["a", "b", "c"])
        self.assertEqual(first[0], "a")
        self.fleet.kill9("a")
        second = self.wait_agreed(["b", "c"], other_than="a")
        self.assertEqual(second[0], "b")
        self.assertGreater(second[1], first[1])
        self.assertTrue(any("b leads" in m for m in self.events("c", "leader_changed")))
        self.fleet.start("a")
        third = self.wait_agreed(["a", "b", "c"], other_than="b")
        self.assertEqual(third[0], "a")
        self.assertGreater(third[1], second[1])

    def test_without_a_majority_of_voters_nobody_leads_and_data_flows(self):
        self.raise_three()
        self.wait_agreed(["a", "b", "c"])
        self.fleet.kill9("a")
        self.fleet.kill9("b")
        self.fleet.wait_until(lambda: self.leader("c")[0] == "", 40, "c to see no majority")
        self.assertIn("1 of 3 voters", self.fleet.status("c")["leader"])
        wanted = self.play("c", 2)
        self.fleet.start("b")
        self.assert_clean("b", wanted)

    def test_the_leader_pushes_what_others_make_to_everybody(self):
        self.raise_three()
        self.wait_agreed(["a", "b", "c"])
        wanted = self.play("c", 20)
        for name in ("a", "b", "c"):
            self.assert_clean(name, wanted, self.source("c"))
        model = self.fleet.nodes["c"].root("models") / "m.pth"
        model.write_bytes(b"m" * 3_000_000)
        for name in ("a", "b"):
            there = self.fleet.nodes[name].root("models") / "m.pth"
            self.fleet.wait_until(there.exists, 20, f"the model on {name}")
        self.assertGreater(self.counter("a", "broadcast_records"), 0)
        self.assertEqual(self.counter("b", "broadcast_records"), 0, "it does not lead")

    def test_a_lease_in_etcd_decides_and_outlives_a_member_of_it(self):
        etcd = EtcdCluster()
        self.addCleanup(etcd.close)
        etcd.start_all()
        endpoints = ", ".join(f'"{url}"' for url in etcd.endpoints)
        self.raise_three(settings=f'coordination = "etcd"\n[etcd]\nendpoints = [{endpoints}]\n'
                                  "lease_s = 3\ntimeout_ms = 500\n")
        first = self.wait_agreed(["a", "b", "c"])
        rest = [name for name in ("a", "b", "c") if name != first[0]]

        with self.subTest("the leader dies: another one takes the lease, with a higher epoch"):
            self.fleet.kill9(first[0])
            second = self.wait_agreed(rest, other_than=first[0])
            self.assertGreater(second[1], first[1])
            self.fleet.start(first[0])
            self.assertEqual(self.wait_agreed(["a", "b", "c"]), second)

        with self.subTest("a member of etcd dies: nothing changes"):
            etcd.kill("m0")
            time.sleep(4)
            self.assertEqual(self.wait_agreed(["a", "b", "c"]), second)

        with self.subTest("etcd is wholly gone: broadcasts pause, records flow"):
            etcd.kill("m1")
            etcd.kill("m2")
            self.fleet.wait_until(
                lambda: all(self.leader(n)[0] == "" for n in "abc"), 30, "nobody to lead")
            said = self.fleet.status("a")["leader"]
            self.assertIn("etcd does not answer", said)
            self.assertIn("broadcasts pause", said)
            wanted = self.play("a", 3)
            for name in ("a", "b", "c"):
                self.assert_clean(name, wanted, self.source("a"))
            code, answer = self.fleet.cli("a", "sync", "games", "--priority", "high")
            self.assertEqual(code, 0, answer)
            self.assertNotEqual(answer["backend_used"], "broadcast")
            self.assertIn("etcd does not answer", answer["route"]["why"])

        with self.subTest("etcd is back: somebody leads"):
            for name in etcd.ports:
                etcd.start(name)
            self.wait_agreed(["a", "b", "c"], timeout=40)
            code, answer = self.fleet.cli("a", "sync", "games", "--priority", "high")
            self.assertEqual((code, answer["backend_used"]), (0, "broadcast"), answer)

        with self.subTest("a leader that is stopped hands over at once"):
            leader = self.leader("a")[0]
            others = [name for name in ("a", "b", "c") if name != leader]
            self.fleet.stop(leader)
            self.wait_agreed(others, other_than=leader)

    def test_etcd_without_endpoints_is_refused_by_name(self):
        self.raise_three()
        node = self.fleet.nodes["a"]
        for text, hint in [('coordination = "etcd"\n', "etcd.endpoints"),
                           ('coordination = "etcd"\n[etcd]\nendpoints = ["10.1"]\n', "http://"),
                           ('coordination = "zookeeper"\n', "embedded or etcd")]:
            with self.subTest(text):
                broken = self.folder / "broken.toml"
                broken.write_text(text + node.config.read_text())
                done = subprocess.run([self.fleet.program, "config", "check", broken],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(hint, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
