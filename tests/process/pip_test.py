"""pip install ./python into an empty environment, with no network, and a real fleet asked by it."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from rig import FleetTest  # noqa: E402

SYSTEM_PYTHON = "/usr/bin/python3"
PROGRAM = """
import asyncio, json, warnings, syncline

async def ask():
    answer = await syncline.sync("games", targets=["b"], board_type="hex8", priority="high",
                                 require_confirmation=True)
    facade = syncline.get_sync_facade()
    stats = await facade.get_stats()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        syncline.ClusterDataSyncDaemon()
    return {"file": syncline.__file__, "success": answer.success, "nodes": answer.nodes_synced,
            "errors": answer.errors, "total": stats["total_syncs"],
            "warning": str(caught[0].message) if caught else ""}

print(json.dumps(asyncio.run(ask()), default=str))
"""


class Pip(FleetTest):
    def run_in(self, *command, **options):
        done = subprocess.run([str(c) for c in command], text=True, capture_output=True,
                              timeout=120, cwd=self.folder, check=False, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_it_installs_from_the_checkout_and_its_calls_reach_a_real_fleet(self):
        place = self.folder / "env"
        self.run_in(SYSTEM_PYTHON, "-m", "venv", place)
        self.run_in(place / "bin" / "pip", "install", "--no-index", "--quiet", ROOT / "python")
        self.raise_fleet(names=("a", "b"), acks=1)
        played = self.play("a", 3)
        environment = {**os.environ, "SYNCLINE_CONFIG": str(self.fleet.nodes["a"].config),
                       "SYNCLINE_PROGRAM": str(self.fleet.program)}
        environment.pop("PYTHONPATH", None)
        answer = json.loads(self.run_in(place / "bin" / "python", "-c", PROGRAM, env=environment))
        self.assertTrue(answer["file"].startswith(str(place)), "not the checkout's own copy")
        self.assertTrue(answer["success"], answer)
        self.assertFalse(answer["errors"], answer)
        self.assertGreaterEqual(answer["total"], 1)
        self.assertIn("sync", answer["warning"])
        self.assertFalse(self.inspect("b", played).missing)
        with self.subTest("the older command is on the environment's path"):
            said = subprocess.run([place / "bin" / "unified_data_sync", "--once"], text=True,
                                  capture_output=True, env=environment, cwd=self.folder,
                                  timeout=120, check=False)
            self.assertEqual(said.returncode, 0, said.stdout + said.stderr)
            self.assertIn("deprecated", said.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
