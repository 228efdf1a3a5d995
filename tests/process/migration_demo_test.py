"""make demo SCENARIO=migration as a person would run it: it ends with 0 only if all is the same."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "examples")]

import migration  # noqa: E402


class MigrationDemo(unittest.TestCase):
    def test_ends_with_every_node_having_the_same(self):
        with tempfile.TemporaryDirectory(prefix="syncline-migration-") as folder:
            done = subprocess.run(
                [sys.executable, ROOT / "examples" / "demo.py", "--scenario", "migration",
                 "--folder", pathlib.Path(folder) / "fleet"],
                capture_output=True, text=True, timeout=300, env=os.environ)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("The fleet has moved over", done.stdout)
        self.assertIn("deprecated; use instead", done.stdout)

    def test_does_not_say_so_of_nodes_that_differ(self):
        class Screen:
            said = ""

            def step(self, text, ok=True):
                self.said += f"{ok} {text}\n"
            line = step

        class Fleet:
            def wait_until(self, predicate, *_):
                if not predicate():
                    raise migration.FleetError("not in time")
        kept = migration.contents, migration.written
        row = {"games": {"g": "1"}, "models": {}, "npz": {}, "matches": {}, "ratings": {},
               "registry": {}}
        try:
            migration.written = lambda _: {k: v for k, v in row.items() if k != "ratings"}
            migration.contents = lambda _, name: row
            self.assertTrue(migration.show_same(Screen(), Fleet(), "t"))
            for kind in row:
                migration.contents = lambda _, name, kind=kind: (
                    {**row, kind: {"g": "2"}} if name == "spot-1" else row)
                screen = Screen()
                self.assertFalse(migration.show_same(screen, Fleet(), "t"), kind)
                self.assertIn("False t: NOT the same", screen.said)
        finally:
            migration.contents, migration.written = kept


if __name__ == "__main__":
    unittest.main()
