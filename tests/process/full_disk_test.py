"""A full disk under each of a node's folders: told in one line, nothing lost, healed by room."""

import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import GAMES, MODELS  # noqa: E402
from rig import FleetTest  # noqa: E402

DISK_BYTES = 6 << 20
STATE_BYTES = 96 << 20  # a node takes nothing in with less than 64 MiB free beside its journal
GAMES_MORE = 400


class FullDisk(FleetTest):
    """Node b has one of its folders on a small disk of its own; a produces."""

    def raise_with_small_disk(self, folder, size=DISK_BYTES):
        for name in "ab":
            self.fleet.add_node(name, roles=["backup"], collections=self.collections(), acks=1)
        where = self.fleet.nodes["b"].folder / folder
        self.small = where.with_name(where.name + ".kept")
        if where.exists():
            where.rename(self.small)
        where.mkdir(parents=True, exist_ok=True)
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", where],
                               capture_output=True, text=True)
        if mount.returncode != 0:
            self.skipTest(f"needs the right to mount a tmpfs: {mount.stderr.strip()}")
        # Before the fleet is closed it must be possible to read; after it the mount must be gone.
        self.addCleanup(subprocess.run, ["umount", "-l", where], capture_output=True)
        self.addCleanup(self.fleet.close)
        if self.small.exists():
            subprocess.run(["cp", "-a", f"{self.small}/.", where], check=True)
        self.disk = where
        self.fleet.start_all()
        self.fleet.wait_connected()

    def collections(self):
        return [{**GAMES, "copies": 2}, {**MODELS, "copies": 2}]

    def fill(self):
        """Leaves a few pages free, in steps: the daemon may write meanwhile."""
        ballast = open(self.disk / "ballast", "wb")
        for piece in (1 << 20, 1 << 16, 1 << 12):
            try:
                while True:
                    ballast.write(b"x" * piece)
                    ballast.flush()
                    os.fsync(ballast.fileno())
            except OSError:
                continue
        try:
            ballast.close()
        except OSError:
            pass

    def make_room(self):
        (self.disk / "ballast").unlink()

    def problems(self, name, collection):
        status = self.fleet.status(name)
        rows = [row for row in status["collections"] if row["name"] == collection]
        said = rows[0]["problems"] + status["problems"] + [rows[0].get("why", "")]
        return " | ".join(said + [status.get("intake_closed_why", "")])

    def wait_told(self, name, collection, *words):
        def is_told():
            told = self.problems(name, collection)
            return any(word in told for word in words)
        self.fleet.wait_until(is_told, 40, f"{name} to say one of {words} about {collection}; "
                                           f"it says: {self.problems(name, collection)}")

    def durable(self, name="a", collection="games"):
        return self.fleet.collection_status(name, collection)["durable"]

    def test_the_journal_of_a_receiver(self):
        self.raise_with_small_disk("state", STATE_BYTES)
        first = self.play("a", 5, seed=1)
        self.fleet.wait_until(lambda: self.durable() == 5, 20, "the first games to be durable")
        self.fill()
        wanted = first | self.play("a", GAMES_MORE, db="more.db", seed=2)
        self.wait_told("b", "games", "full", "space", "free")
        told_durable = self.durable()
        self.make_room()
        self.fleet.wait_until(lambda: self.durable() == len(wanted), 60, "all to be durable")
        self.assertLessEqual(5, told_durable)
        self.assert_clean("b", wanted, self.source("a"), self.source("a", "more.db"), timeout=60)

    def test_the_replica(self):
        self.raise_with_small_disk("data/replica")
        first = self.play("a", 5, seed=1)
        self.assert_clean("b", first, self.source("a"))
        self.fill()
        wanted = first | self.play("a", GAMES_MORE, db="more.db", seed=2)
        self.wait_told("b", "games", "full", "space")
        self.fleet.wait_until(lambda: self.durable() == len(wanted), 60,
                              "the journal of b to hold what its replica cannot take")
        self.make_room()
        self.assert_clean("b", wanted, self.source("a"), self.source("a", "more.db"), timeout=60)

    def test_the_folder_that_models_arrive_in(self):
        self.raise_with_small_disk("models")
        self.fill()
        model = self.fleet.nodes["a"].root("models") / "canonical_hex8_2p.pth"
        model.write_bytes(os.urandom(2 << 20))
        self.wait_told("b", "models", "full", "space", "free")
        arrived = self.fleet.nodes["b"].root("models") / model.name
        self.assertFalse(arrived.exists(), "never half of it under its name")
        self.make_room()
        self.fleet.wait_until(arrived.exists, 60, "the model to arrive once there is room")
        self.assertEqual(arrived.read_bytes(), model.read_bytes())


if __name__ == "__main__":
    unittest.main()
