"""Bad input: one clear line each, and nothing is lost or damaged."""

import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import GAMES  # noqa: E402
from rig import FleetTest  # noqa: E402


class Configuration(FleetTest):
    def refused(self, text):
        """What `syncline daemon` and `config check` say of a configuration: one line."""
        node = self.fleet.nodes["a"]
        node.config.write_text(text)
        for command in (["config", "check"], ["daemon"]):
            done = subprocess.run([self.fleet.program, *command, "--config", node.config],
                                  capture_output=True, text=True, timeout=20)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            lines = done.stderr.strip().splitlines()
            self.assertEqual(len(lines), 1, done.stderr)
            yield lines[0]

    def test_each_mistake_is_named_with_its_place(self):
        self.fleet.add_node("a", collections=[GAMES])
        good = self.fleet.nodes["a"].config.read_text()
        cases = [
            (good + "\n[durabilty]\nacks = 1\n", "durability"),
            (good.replace("acks =", "ack ="), "acks"),
            (good + "\n[node\n", "syncline.toml"),
            (good.replace("acks = 2", 'acks = "two"'), "acks"),
            (good.replace('kind = "sqlite"', 'kind = "sqlight"'), "sqlite"),
            (good + '\n[[collection]]\nname = "games"\nkind = "files"\nroot = "x"\n', "twice"),
        ]
        for text, word in cases:
            for line in self.refused(text):
                self.assertIn(word, line)

    def test_a_second_daemon_on_the_same_state_is_refused(self):
        self.raise_fleet(names="a")
        done = subprocess.run(
            [self.fleet.program, "daemon", "--config", self.fleet.nodes["a"].config],
            capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("daemon", done.stderr)
        self.assertIn(self.fleet.cli("a", "status")[0], (0, 1))


class Sources(FleetTest):
    def problems(self, name="a", collection="games"):
        return " | ".join(self.fleet.collection_status(name, collection)["problems"])

    def wait_for_problem(self, word):
        self.fleet.wait_until(lambda: word in self.problems(), 15, f"a problem naming {word}")

    def test_what_is_no_database_is_reported_and_the_rest_goes_on(self):
        self.raise_fleet()
        (self.fleet.nodes["a"].root("games") / "noise.db").write_bytes(os.urandom(20000))
        wanted = self.play("a", 3)
        self.fleet.cli("a", "sync", "games")
        self.wait_for_problem("noise.db")
        self.assert_clean("b", wanted, self.source("a"))

    def test_a_damaged_database_is_reported_and_never_written(self):
        self.raise_fleet()
        self.fleet.stop("a")
        wanted = self.play("a", 30)
        with sqlite3.connect(self.source("a")) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        damaged = self.fleet.nodes["a"].root("games") / "damaged.db"
        shutil.copy(self.source("a"), damaged)
        with open(damaged, "r+b") as file:
            for page in range(3, 40, 2):
                file.seek(page * 4096)
                file.write(os.urandom(4096))
        before = damaged.read_bytes()
        self.fleet.start("a")
        self.wait_for_problem("damaged.db")
        self.assert_clean("b", wanted, self.source("a"))
        self.assertEqual(damaged.read_bytes(), before)

    def test_a_root_that_is_not_there_yet_is_said_and_read_once_it_is(self):
        self.raise_fleet()
        self.fleet.stop("a")
        root = self.fleet.nodes["a"].root("games")
        root.rmdir()
        self.fleet.start("a")
        self.wait_for_problem(str(root))
        root.mkdir()
        wanted = self.play("a", 3)
        self.assert_clean("b", wanted, self.source("a"), timeout=30)

    def test_a_database_that_is_replaced_is_read_anew(self):
        self.raise_fleet()
        first = self.play("a", 3, seed=1)
        self.sync_ok("a", "games", "--confirm")
        # Made outside of the root: one that was being read under another name is another matter.
        second = self.play("a", 3, db="../other.db", seed=2)
        for suffix in ("-wal", "-shm"):
            pathlib.Path(str(self.source("a")) + suffix).unlink(missing_ok=True)
        os.replace(self.source("a", "../other.db"), self.source("a"))
        self.sync_ok("a", "games", "--confirm")
        self.assert_clean("b", first | second)

    def test_links_that_lead_out_of_the_root_are_not_followed(self):
        self.raise_fleet()
        outside = self.folder / "outside"
        outside.mkdir()
        (outside / "secret.pth").write_bytes(b"secret" * 100)
        root = self.fleet.nodes["a"].root("models")
        (root / "file.pth").symlink_to(outside / "secret.pth")
        (root / "folder").symlink_to(outside)
        (root / "good.pth").write_bytes(b"good" * 100)
        time.sleep(0.5)
        self.sync_ok("a", "models", "--confirm")
        copies = [p.name for p in self.fleet.nodes["b"].root("models").rglob("*.pth")]
        self.assertEqual(copies, ["good.pth"])


class Peers(FleetTest):
    def test_garbage_on_the_peer_port_hurts_nobody(self):
        self.raise_fleet()
        host, port = self.fleet.nodes["a"].peer.split(":")
        for blob in (b"\x00" * 8, b"\xff" * 65536, os.urandom(4096), b"\x16\x03\x01\xff\xff"):
            with socket.create_connection((host, int(port)), timeout=5) as stranger:
                stranger.sendall(blob)
        wanted = self.play("a", 3)
        self.sync_ok("a", "games", "--confirm")
        self.assert_clean("b", wanted)

    def test_a_damaged_replica_is_reported_and_left_as_it_is(self):
        self.raise_fleet()
        wanted = self.play("a", 20)
        self.sync_ok("a", "games", "--confirm")
        self.assert_clean("b", wanted)
        self.fleet.kill9("b")
        replica = self.fleet.nodes["b"].replica("games")
        for suffix in ("-wal", "-shm"):
            pathlib.Path(str(replica) + suffix).unlink(missing_ok=True)
        replica.write_bytes(b"this is not a database" * 1000)
        self.fleet.start("b")
        more = self.play("a", 2, db="more.db", seed=5)
        self.fleet.cli("a", "flush", "--deadline", "10")
        self.assert_clean("c", wanted | more)
        self.fleet.wait_until(lambda: "games.db" in str(self.fleet.status("b")), 20,
                              "status of b to name its replica")
        self.assertTrue(replica.read_bytes().startswith(b"this is not"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
