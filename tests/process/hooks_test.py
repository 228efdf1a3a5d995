"""Events reach programs and web services: real daemons, a real script, a real HTTP server."""

import hashlib
import hmac
import http.server
import json
import pathlib
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import MODELS  # noqa: E402
from rig import FleetTest  # noqa: E402


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.send_response(503 if len(self.server.got) <= self.server.refusals else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Hooks(FleetTest):
    def serve(self, refusals=0):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        server.got, server.refusals = [], refusals
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def raise_with(self, hooks):
        self.fleet.add_node("a", roles=["backup"], collections=[MODELS], acks=1)
        self.fleet.add_node("b", roles=["backup"], collections=[MODELS], acks=1)
        config = self.fleet.nodes["a"].config
        config.write_text(config.read_text() + "\n" + hooks)
        self.fleet.stop("a")
        self.fleet.start_all()
        self.fleet.wait_connected()

    def hook(self, name):
        return {h["name"]: h for h in self.fleet.status("a")["hooks"]}[name]

    def test_a_program_hears_that_a_model_was_synced(self):
        out = self.folder / "heard"
        script = self.folder / "tell.sh"
        script.write_text(f"#!/bin/sh\ncat >> {out}\n")
        script.chmod(0o700)
        self.raise_with(f'[[hook]]\nname = "tell"\non = ["data_sync_*"]\nrun = ["{script}"]\n')
        (self.fleet.nodes["a"].root("models") / "m.pth").write_bytes(b"model")
        self.sync_ok("a", "models", "--confirm")
        self.fleet.wait_until(lambda: self.hook("tell")["delivered"] >= 2, 20, "the program")
        events = [json.loads(line) for line in out.read_text().splitlines()]
        self.assertEqual([e["type"] for e in events[:2]],
                         ["data_sync_started", "data_sync_completed"])
        self.assertEqual(events[1]["collection"], "models")

    def test_a_web_service_that_is_down_hears_it_later_signed(self):
        server = self.serve(refusals=2)
        (self.folder / "secret").write_text("s3cret\n")
        self.raise_with(f'[[hook]]\nname = "web"\non = ["game_completed"]\n'
                        f'post = "http://127.0.0.1:{server.server_port}/hook"\n'
                        f'secret_file = "{self.folder / "secret"}"\npause_s = 1\n')
        code, answer = self.fleet.cli("a", "notify", "game-completed", "game=g1")
        self.assertEqual(code, 0, answer)
        self.fleet.wait_until(lambda: self.hook("web")["last_error"] != "", 20, "a failure seen")
        self.assertIn("503", self.hook("web")["last_error"])
        self.fleet.wait_until(lambda: self.hook("web")["delivered"] == 1, 30, "the third try")
        self.assertEqual(len(server.got), 3)
        headers, body = server.got[-1]
        self.assertEqual(json.loads(body)["details"]["game"], "g1")
        expected = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
        self.assertEqual(headers["X-Syncline-Signature"], "sha256=" + expected)
        self.assertEqual(self.hook("web")["last_error"], "")

    def test_a_hook_that_hangs_holds_nothing_up_and_a_wrong_one_is_refused(self):
        script = self.folder / "hang.sh"
        script.write_text("#!/bin/sh\nsleep 600\n")
        script.chmod(0o700)
        self.raise_with(f'[[hook]]\nname = "hang"\non = ["*"]\nrun = ["{script}"]\n')
        (self.fleet.nodes["a"].root("models") / "m.pth").write_bytes(b"model")
        self.sync_ok("a", "models", "--confirm")
        self.assertGreater(self.hook("hang")["waiting"], 0)
        self.fleet.stop("a")
        config = self.fleet.nodes["a"].config
        config.write_text(config.read_text().replace('name = "hang"', 'name = "hang"\npost = "x"'))
        with self.assertRaises(Exception) as refused:
            self.fleet.run("config", "check", "--config", str(config))
        self.assertIn("needs either `run` or `post`", str(refused.exception))


if __name__ == "__main__":
    unittest.main(verbosity=2)
