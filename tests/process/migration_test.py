"""docs/migration.md as it stands: every block is extracted and run against a fleet of real daemons.

A block is fenced as ```LANGUAGE KIND: `before` goes through an older name and must warn with the
new call, `after` must warn of nothing, `hosts` is the file that the examples import.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from fleet import GAMES, MODELS  # noqa: E402
from rig import FleetTest  # noqa: E402

GUIDE = ROOT / "docs" / "migration.md"
PROGRAMS = ("SyncCoordinator", "SyncScheduler", "UnifiedDataSync", "SyncOrchestrator",
            "AutoSyncDaemon", "ClusterDataSyncDaemon", "SyncRouter", "EphemeralSyncDaemon")
COLLECTIONS = [
    {**GAMES, "copies": 2}, {**MODELS, "copies": 2},
    {"name": "npz", "kind": "files", "root": "data/training", "include": ["**/*.npz"],
     "copies": 2, "stable_ms": 300},
    {"name": "elo", "kind": "sqlite", "root": "data/elo", "include": ["unified_elo.db"],
     "replica": "data/replica/elo.db", "copies": 2},
    {"name": "registry", "kind": "sqlite", "root": "data/registry",
     "include": ["model_registry.db"], "replica": "data/replica/registry.db", "copies": 2},
]
NODES = {"home": ["coordinator", "backup"], "trainer-1": ["training"], "spot-1": ["selfplay"]}


def blocks():
    """(section, language, kind, line, code) of every fenced block that has a kind."""
    section, found, fence = "", [], None
    for number, line in enumerate(GUIDE.read_text().splitlines(), 1):
        if fence is not None:
            if line == "```":
                found.append((*fence[:4], "\n".join(fence[4]) + "\n"))
                fence = None
            else:
                fence[4].append(line)
        elif line.startswith("## "):
            section = line[3:]
        elif opened := re.fullmatch(r"```(\w+) (\w+)", line):
            fence = [section, opened[1], opened[2], number, []]
    return found


class Guide(unittest.TestCase):
    def test_each_of_the_eight_programs_has_what_it_was_and_what_it_is_now(self):
        kinds = {}
        for section, _, kind, _, _ in blocks():
            kinds.setdefault(section, set()).add(kind)
        for program in PROGRAMS:
            self.assertEqual(kinds.get(program), {"before", "after"}, program)

    def test_every_block_is_of_a_kind_that_is_run(self):
        fences = re.findall(r"^```(\S.*)$", GUIDE.read_text(), re.MULTILINE)
        self.assertEqual(len(fences), len(blocks()), fences)
        self.assertLessEqual({(language, kind) for _, language, kind, _, _ in blocks()}, {
            ("python", "before"), ("python", "after"), ("sh", "before"), ("sh", "after"),
            ("cpp", "before"), ("cpp", "after"), ("yaml", "hosts")})

    def test_the_cpp_blocks_compile_and_only_the_older_one_warns(self):
        compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
        for _, language, kind, line, code in blocks():
            if language != "cpp":
                continue
            done = subprocess.run([compiler, "-std=c++20", "-Wall", "-fsyntax-only",
                                   f"-I{ROOT / 'include'}", "-x", "c++", "-"],
                                  input=code, capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, f"line {line}: {done.stderr}")
            self.assertEqual("call instead:" in done.stderr, kind == "before", done.stderr)


class Examples(FleetTest):
    """One fleet for all blocks, in the order of the guide: as a reader would go."""

    def test_every_example_runs(self):
        for name, roles in NODES.items():
            self.fleet.add_node(name, roles=roles, collections=COLLECTIONS, acks=1,
                                ephemeral=name.startswith("spot"))
        self.fleet.start_all()
        self.fleet.wait_connected()
        self.fill()
        home = self.fleet.nodes["home"].folder
        for section, language, kind, line, code in blocks():
            if language == "yaml":
                (home / "distributed_hosts.yaml").write_text(code)
            if language in ("python", "sh"):
                with self.subTest(f"{section}, line {line}"):
                    self.run_block(home, language, kind, code)

    def fill(self):
        """Games on the spot node, a model and an archive at home."""
        subprocess.run([self.fleet.selfplay, "--db", self.source("spot-1"), "--games", "5",
                        "--board", "hex8", "--playouts", "2", "--seed", "3"], check=True,
                       stdout=subprocess.DEVNULL)
        home = self.fleet.nodes["home"]
        (home.root("models") / "canonical_hex8_2p.pth").write_bytes(os.urandom(200_000))
        (home.root("npz") / "hex8_2p.npz").write_bytes(os.urandom(300_000))
        self.fleet.wait_until(
            lambda: self.fleet.collection_status("home", "games")["known"] >= 5, 30,
            "home to know of the games of spot-1")

    def run_block(self, home, language, kind, code):
        path = os.pathsep.join([str(self.fleet.program.parent), str(ROOT / "python"),
                                os.environ.get("PATH", "")])
        environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "python"),
                       "SYNCLINE_CONFIG": str(home / "syncline.toml"),
                       "SYNCLINE_PROGRAM": str(self.fleet.program),
                       "PYTHONWARNINGS": "default" if kind == "before" else "error"}
        command = ([sys.executable, "-c", code] if language == "python"
                   else ["bash", "-euo", "pipefail", "-c", code])
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True,
                              timeout=180)
        said = f"{code}\n→ {done.returncode}\n{done.stdout}\n{done.stderr}"
        self.assertEqual(done.returncode, 0, said)
        if kind == "before":
            self.assertRegex(done.stderr, "deprecated; (call|use) instead:", said)
        else:
            self.assertNotIn("deprecated", done.stderr, said)


if __name__ == "__main__":
    unittest.main()
