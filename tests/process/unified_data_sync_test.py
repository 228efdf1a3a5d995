"""The older command line, flag by flag: what it runs, what it says, what it leaves behind.

The program that it runs is a stand-in here that writes down how it was called.
"""

import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "python")]

from recorded_daemon import RecordedDaemon  # noqa: E402
from syncline import derived_config  # noqa: E402

COMMAND = ROOT / "python" / "unified_data_sync"
CONFIG = """[node]
id = "home"
http_listen = ["unix:api.sock"]
seeds = ["10.0.0.1:8750"]
[[collection]]
name = "games"
kind = "sqlite"
root = "data"
[[collection]]
name = "models"
kind = "files"
root = "models"
"""
# What `config import` would leave for the host home.
IMPORTED = """[node]
id = "home"
roles = ["coordinator"]
seeds = ["10.0.0.2:8750"]
state_dir = "state"
[[collection]]
name = "elo"
kind = "sqlite"
root = "data"
"""
STAND_IN = """#!/bin/sh
echo "$@" >> "$STAND_IN/calls"
[ "$1 $2" = "config import" ] && { mkdir -p "$5"; echo "the report" > "$5/import-report.txt"
  cp "$STAND_IN/imported" "$5/home.toml"; exit $(cat "$STAND_IN/import-code"); }
[ "$1" = sync ] && exit $(cat "$STAND_IN/sync-code")
[ -e "$STAND_IN/stays" ] && { trap 'exit 0' TERM; while :; do sleep 0.05; done; }
exit $(cat "$STAND_IN/daemon-code")
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-unified-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.program = self.folder / "syncline"
        self.program.write_text(STAND_IN)
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)
        (self.folder / "imported").write_text(IMPORTED)
        for name in ("import-code", "sync-code", "daemon-code"):
            self.let(name, 0)
        self.node = self.folder / "node"
        self.node.mkdir()
        (self.node / "syncline.toml").write_text(CONFIG)
        (self.node / "hosts.yaml").write_text("hosts:\n  home: {role: coordinator}\n")
        self.environment = {**os.environ, "SYNCLINE_PROGRAM": str(self.program),
                            "STAND_IN": str(self.folder)}
        for name in ("SYNCLINE_CONFIG", "SYNCLINE_STATE_DIR"):
            self.environment.pop(name, None)

    def let(self, name, code):
        (self.folder / name).write_text(str(code))

    def calls(self):
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def popen(self, *arguments):
        return subprocess.Popen([sys.executable, str(COMMAND), *map(str, arguments)],
                                cwd=self.node, env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run_it(self, *arguments):
        """Exit code, output, what it said on standard error."""
        process = self.popen(*arguments)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def daemon(self):
        return RecordedDaemon(self.node / "api.sock")


class Flags(Case):
    def test_without_flags_it_runs_the_daemon_and_ends_as_it_does(self):
        code, _, err = self.run_it()
        self.assertEqual((code, self.calls()),
                         (0, [f"daemon --config {self.node}/syncline.toml"]))
        self.assertIn("deprecated; use instead:\n  syncline daemon", err)
        self.let("daemon-code", 7)
        self.assertEqual(self.run_it()[0], 7)

    def test_once_with_a_daemon_running_is_one_sync_of_everything(self):
        with self.daemon():
            for wanted in (0, 3, 4):
                self.let("sync-code", wanted)
                code, _, err = self.run_it("--once")
                self.assertEqual(code, wanted)
        self.assertEqual(self.calls(), [f"sync all --config {self.node}/syncline.toml"] * 3)
        self.assertIn("syncline sync all", err)

    def test_once_says_when_the_daemon_does_not_come_up(self):
        self.let("daemon-code", 1)
        code, _, err = self.run_it("--once")
        self.assertEqual(code, 1)
        self.assertIn("did not come up", err)

    def test_dry_run_asks_the_daemon_that_runs_and_starts_none(self):
        with self.daemon():
            self.assertEqual(self.run_it("--dry-run")[0], 0)
        self.assertEqual(self.calls(),
                         [f"sync all --dry-run --config {self.node}/syncline.toml"])
        code, _, err = self.run_it("--dry-run")
        self.assertEqual((code, len(self.calls())), (5, 1))
        self.assertIn("no daemon runs here", err)

    def test_dry_run_of_a_hosts_file_shows_the_report_and_leaves_nothing(self):
        before = sorted(os.listdir(self.node))
        code, out, err = self.run_it("--dry-run", "--hosts", "hosts.yaml")
        self.assertEqual(code, 0)
        self.assertIn("the report", out)
        self.assertIn("syncline config import hosts.yaml", err)
        self.assertEqual(sorted(os.listdir(self.node)), before)

    def test_hosts_is_imported_and_the_node_stays_itself(self):
        for _ in range(2):      # a second time replaces the first
            code, _, err = self.run_it("--hosts", "hosts.yaml")
            self.assertEqual(code, 0, err)
        self.assertIn("syncline config import hosts.yaml", err)
        self.assertEqual(self.calls()[-1], f"daemon --config {self.node}/unified_data_sync.toml")
        self.assertTrue(self.calls()[0].endswith("--poll-by home"), "the others are polled")
        made = tomllib.loads((self.node / "unified_data_sync.toml").read_text())
        self.assertEqual(made["node"], {
            "id": "home", "roles": ["coordinator"], "http_listen": ["unix:api.sock"],
            "state_dir": "state", "seeds": ["10.0.0.1:8750", "10.0.0.2:8750"]})
        self.assertEqual([c["name"] for c in made["collection"]], ["elo"])
        report = self.node / "unified_data_sync.imported" / "import-report.txt"
        self.assertEqual(report.read_text(), "the report\n")

    def test_hosts_with_settings_that_are_not_understood_says_so_and_goes_on(self):
        self.let("import-code", 3)
        code, _, err = self.run_it("--hosts", "hosts.yaml")
        self.assertEqual(code, 0)
        self.assertIn("not understood", err)
        self.let("import-code", 1)
        code, _, err = self.run_it("--hosts", "hosts.yaml")
        self.assertEqual(code, 2)
        self.assertIn("cannot be imported", err)

    def test_hosts_without_this_node_is_refused_with_what_to_do(self):
        (self.node / "syncline.toml").write_text(CONFIG.replace('"home"', '"elsewhere"'))
        code, _, err = self.run_it("--hosts", "hosts.yaml")
        self.assertEqual(code, 2)
        self.assertIn("no host 'elsewhere'", err)
        self.assertIn("node.id", err)

    def test_config_may_be_the_new_file_or_the_older_one(self):
        (self.node / "syncline.toml").rename(self.node / "other.toml")
        self.run_it("--config", "other.toml")
        self.assertEqual(self.calls(), [f"daemon --config {self.node}/other.toml"])
        (self.node / "other.toml").rename(self.node / "syncline.toml")
        (self.node / "loop.yaml").write_text(
            "data_ingestion:\n  poll_interval_seconds: 60  # often\n  dedup: true\n")
        code, _, err = self.run_it("--config", "loop.yaml")
        self.assertEqual(code, 0)
        self.assertIn("poll_interval_seconds = 60", err)
        self.assertIn("dedup = true", err)
        self.assertIn("is not read", err)
        self.run_it("--config", "hosts.yaml")
        self.assertIn("config import hosts.yaml", self.calls()[-2])
        code, _, err = self.run_it("--config", "none.yaml")
        self.assertEqual(code, 2)
        self.assertIn("none.yaml", err)

    def test_interval_sets_the_pace_of_each_collection(self):
        _, _, err = self.run_it("--interval", "30")
        self.assertIn("poll_ms = 30000", err)
        made = tomllib.loads((self.node / "unified_data_sync.toml").read_text())
        self.assertEqual([(c.get("poll_ms"), c.get("scan_interval_s")) for c in made["collection"]],
                         [(30000, None), (None, 30)])
        self.assertEqual(self.calls(), [f"daemon --config {self.node}/unified_data_sync.toml"])

    def test_http_port_adds_a_listener_that_wants_the_token(self):
        _, _, err = self.run_it("--http-port", "8766")
        made = tomllib.loads((self.node / "unified_data_sync.toml").read_text())
        self.assertEqual(made["node"]["http_listen"], ["unix:api.sock", "127.0.0.1:8766"])
        self.assertIn(f"{self.node}/state/api.token", err)
        self.assertIn('"127.0.0.1:8766"] in syncline.toml', err)

    def test_force_syncs_at_once_with_high_priority(self):
        with self.daemon():
            _, _, err = self.run_it("--once", "--force")
        self.assertEqual(self.calls(),
                         [f"sync all --priority high --config {self.node}/syncline.toml"])
        self.assertIn("syncline sync all --priority high", err)

    def test_verbose_prints_each_command(self):
        for flag in ("-v", "--verbose"):
            _, _, err = self.run_it(flag)
            self.assertIn(f"runs: {self.program} daemon --config {self.node}/syncline.toml", err)
        self.assertNotIn("runs:", self.run_it()[2])

    def test_values_that_make_no_sense_are_refused(self):
        for line in (["--interval", "0"], ["--interval", "soon"], ["--http-port", "70000"],
                     ["--max-restarts", "-1"], ["--watchdog-interval", "-3"], ["--sideways"]):
            code, _, err = self.run_it(*line)
            self.assertEqual(code, 2, line)
            self.assertIn(line[0], err)
        self.assertEqual(self.calls(), [])

    def test_a_machine_that_is_no_node_is_told_how_to_become_one(self):
        (self.node / "syncline.toml").unlink()
        for line in ([], ["--hosts", "hosts.yaml"], ["--once"]):
            code, _, err = self.run_it(*line)
            self.assertEqual(code, 2)
            for word in ("syncline init", "syncline join", "syncline invite"):
                self.assertIn(word, err)
        self.assertEqual(self.calls(), [])

    def test_a_daemon_that_runs_already_is_left_alone(self):
        with self.daemon():
            code, _, err = self.run_it()
        self.assertEqual((code, self.calls()), (0, []))
        self.assertIn("runs here already", err)


class Watchdog(Case):
    WATCH = ("--watchdog", "--watchdog-interval", "0.05")

    def test_restarts_what_ends_and_gives_up_after_so_many(self):
        self.let("daemon-code", 7)
        code, _, err = self.run_it(*self.WATCH, "--max-restarts", "3")
        self.assertEqual((code, len(self.calls())), (7, 4))
        self.assertIn("restart 3 of 3", err)
        self.assertIn("systemctl enable --now syncline", err)

    def test_does_not_restart_what_ended_well(self):
        self.assertEqual(self.run_it(*self.WATCH)[0], 0)
        self.assertEqual(len(self.calls()), 1)

    def test_without_it_nothing_is_restarted(self):
        self.let("daemon-code", 7)
        self.assertEqual(self.run_it("--watchdog-interval", "0.05", "--max-restarts", "3")[0], 7)
        self.assertEqual(len(self.calls()), 1)

    def test_ends_and_restarts_one_that_runs_and_does_not_answer(self):
        self.let("stays", 1)
        code, _, err = self.run_it(*self.WATCH, "--max-restarts", "1")
        self.assertEqual((code, len(self.calls())), (128 + signal.SIGKILL, 2))
        self.assertIn("gave no answer at 3 checks", err)

    def test_a_signal_ends_both(self):
        for flags in ((), self.WATCH + ("--max-restarts", "1000")):
            (self.folder / "calls").unlink(missing_ok=True)
            self.let("stays", 1)
            process = self.popen(*flags)
            deadline = time.monotonic() + 30
            while not self.calls() and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
            self.assertIn(process.returncode, (0, 128 + signal.SIGTERM), flags)


class Derived(unittest.TestCase):
    def test_what_is_written_reads_the_same(self):
        config = {
            "coordination": "embedded",
            "node": {"id": 'a"b\\c\n\x7f→', "roles": [], "seeds": ["x", "y"], "ephemeral": "auto"},
            "transport": {"bandwidth_by_provider_mbps": {"vast *": 50.5}, "jobs_max": 8},
            "collection": [{"name": "elo", "replicate_deletes": False, "placement": {
                "roles": ["backup"], "nodes": ["*"]}, "tables": {"match_history": {
                    "aliases": {"model_a": "participant_a"}, "key": []}}}, {"name": "npz"}]}
        self.assertEqual(tomllib.loads(derived_config.to_toml(config)), config)


if __name__ == "__main__":
    unittest.main()
