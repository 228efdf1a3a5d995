"""What the process tests share: a fleet in a folder of its own, real games, the judge."""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import games  # noqa: E402
from fleet import GAMES, MODELS, Fleet  # noqa: E402

DB = "selfplay.db"


class FleetTest(unittest.TestCase):
    """Each test has a fleet; the folder stays for inspection when the test failed."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-test-"))
        self.fleet = Fleet(self.folder / "fleet")
        self.addCleanup(self.clean_up)

    def clean_up(self):
        self.fleet.close()
        outcome = self._outcome
        has_failed = any(test is self and error for test, error in
                         getattr(outcome, "errors", []) or outcome.result.failures)
        if has_failed:
            for node in self.fleet.nodes.values():
                print(f"── {node.name}: {self.fleet.log_tail(node.name, 8)}", file=sys.stderr)
            print(f"the fleet's folder is {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def raise_fleet(self, names=("a", "b", "c"), acks=2, roles=None, **settings):
        for name in names:
            self.fleet.add_node(name, roles=(roles or {}).get(name, ["backup"]),
                                collections=[GAMES, MODELS], acks=acks, **settings)
        self.fleet.start_all()
        self.fleet.wait_connected()

    def source(self, name, db=DB):
        return self.fleet.nodes[name].root("games") / db

    def play(self, name, count, db=DB, seed=1):
        """Plays so many games into the node's source and ends: a finished program."""
        subprocess.run([self.fleet.selfplay, "--db", self.source(name, db), "--games", str(count),
                        "--playouts", "2", "--seed", str(seed)], check=True,
                       stdout=subprocess.DEVNULL)
        return games.completed_ids(self.source(name, db))

    def inspect(self, name, wanted, *sources):
        """The judge's view of a replica, rows compared with what the programs wrote."""
        written, columns = {}, None
        for source in sources:
            digests, columns = games.digests(source)
            written.update(digests)
        return games.inspect(self.fleet.nodes[name].replica("games"), wanted, written, columns)

    def assert_clean(self, name, wanted, *sources, timeout=20):
        """The replica comes to have all wanted games, each once, whole and as it was written."""
        def is_there():
            try:
                return not self.inspect(name, wanted).missing
            except sqlite3.OperationalError:  # no file, or no tables yet
                return False
        self.fleet.wait_until(is_there, timeout,
                              f"the replica of {name} to have {len(wanted)} games")
        found = self.inspect(name, wanted, *sources)
        self.assertTrue(found.is_clean, f"{name}: {found}")

    def sync_ok(self, name, *arguments):
        code, answer = self.fleet.cli(name, "sync", *arguments)
        self.assertEqual(code, 0, answer)
        return answer


def is_sanitized():
    """Sanitizers make everything several times slower: fewer rounds, longer waits."""
    return any(word in os.environ.get("SYNCLINE_BUILD", "") for word in ("asan", "tsan"))
