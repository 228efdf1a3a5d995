"""/metrics as Prometheus reads it, and alerts and dashboard that name only what is exported."""

import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from fleet import MODELS  # noqa: E402
from rig import FleetTest  # noqa: E402

RULES = ROOT / "deploy" / "prometheus"


def promtool():
    """Prometheus' own checker: of the PATH, or out of Debian's package, which is not installed for
    it (that would start a server). None where neither can be had.
    """
    found = shutil.which("promtool")
    if found:
        return found
    folder = pathlib.Path(os.environ.get("SYNCLINE_BUILD", ROOT / "build")) / "promtool"
    program = folder / "usr" / "bin" / "promtool"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        got = subprocess.run(["apt-get", "download", "-qq", "prometheus"], cwd=folder,
                             capture_output=True)
        for package in folder.glob("prometheus_*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True)
            package.unlink()
        if got.returncode != 0 or not program.exists():
            return None
    return str(program)


class Metrics(FleetTest):
    def metrics(self, name):
        connection = http.client.HTTPConnection("syncline")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.fleet.nodes[name].folder / "state" / "api.sock"))
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        text = answer.read().decode()
        connection.close()
        return text

    def raise_busy(self):
        self.raise_fleet()
        self.play("a", 5)
        (self.fleet.nodes["a"].root("models") / "m.pth").write_bytes(b"model")
        self.sync_ok("a", "games", "--confirm")
        self.sync_ok("a", "models", "--confirm")
        return self.metrics("a")

    def value(self, text, line_start):
        rows = [line for line in text.splitlines() if line.startswith(line_start)]
        self.assertEqual(len(rows), 1, line_start)
        return float(rows[0].split()[-1])

    def test_tell_what_status_tells(self):
        text = self.raise_busy()
        self.assertEqual(self.value(text, "syncline_safe "), 1)
        self.assertEqual(self.value(text, 'syncline_units_known{collection="games"}'), 5)
        self.assertEqual(self.value(text, 'syncline_units_not_durable{collection="games"}'), 0)
        self.assertEqual(self.value(text, 'syncline_peer_connected{node="b"}'), 1)
        self.assertEqual(self.value(text, 'syncline_syncs_total{backend="hybrid"}'), 2)
        self.assertEqual(self.value(text, 'syncline_sync_duration_seconds_count{backend="hybrid"}'),
                         2)
        durable = "syncline_durable_duration_seconds"
        self.assertEqual(self.value(text, durable + '_count{collection="games"}'), 5)
        self.assertEqual(self.value(text, durable + '_bucket{collection="games",le="+Inf"}'), 5)
        fetched = self.metrics("b")
        for prefix, label in (("", 'transport="p2p"'), ("collection_", 'collection="models"'),
                              ("node_", 'node="a"')):
            name = f"syncline_{prefix}fetch_"
            self.assertEqual(self.value(fetched, f"{name}duration_seconds_count{{{label}}}"), 1)
            self.assertGreater(self.value(fetched, f"{name}bytes_total{{{label}}}"), 0)
            self.assertEqual(self.value(fetched, f"{name}errors_total{{{label}}}"), 0)

    def test_prometheus_finds_nothing_to_say_against_them(self):
        tool = promtool()
        if tool is None:
            self.skipTest("promtool is not installed and its package cannot be downloaded")
        checked = subprocess.run([tool, "check", "metrics"], input=self.raise_busy(),
                                 capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))
        for command in (["check", "rules", "syncline.rules.yml"],
                        ["test", "rules", "syncline.rules.test.yml"]):
            ran = subprocess.run([tool, *command], cwd=RULES, capture_output=True, text=True)
            self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)

    def test_alerts_and_dashboard_name_only_what_is_exported(self):
        exported = set(re.findall(r"^# TYPE (syncline_\w+)", self.raise_busy(), re.M))
        exported.add("syncline_last_proof_age_seconds")  # once something was verified
        dashboard = json.loads((ROOT / "deploy" / "grafana" / "syncline.json").read_text())
        texts = [t["expr"] for p in dashboard["panels"] for t in p["targets"]]
        texts += re.findall(r"expr: (.*)", (RULES / "syncline.rules.yml").read_text())
        named = {name.removesuffix("_bucket")
                 for text in texts for name in re.findall(r"syncline_\w+", text)}
        self.assertGreater(len(named), 15)
        self.assertEqual(named - exported, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
