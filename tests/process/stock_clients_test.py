"""Clients that know nothing of Syncline get a model out of a fleet: aria2c by a metalink,
libtorrent by a .torrent. Both show a certificate of the fleet; without one they get nothing."""

import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import MODELS, free_port  # noqa: E402
from rig import FleetTest  # noqa: E402

# Run by the system's Python, which has python3-libtorrent.
STOCK_CLIENT = """
import sys, time, libtorrent as lt
torrent, folder, peer, certificate, key, dh = sys.argv[1:7]
session = lt.session({"listen_interfaces": "127.0.0.1:0s", "enable_dht": False,
                      "enable_lsd": False, "allow_multiple_connections_per_ip": True})
params = lt.add_torrent_params()
params.ti = lt.torrent_info(torrent)
params.save_path = folder
handle = session.add_torrent(params)
if certificate:
    handle.set_ssl_certificate(certificate, key, dh, "")
host, port = peer.split(":")
deadline = time.monotonic() + float(sys.argv[7])
while not handle.status().is_seeding and time.monotonic() < deadline:
    handle.connect_peer((host, int(port)))
    time.sleep(0.3)
sys.exit(0 if handle.status().is_seeding else 1)
"""


class StockClients(FleetTest):
    def setUp(self):
        super().setUp()
        self.swarm = f"127.0.0.1:{free_port()}"
        for name in "ab":
            self.fleet.add_node(name, roles=["backup"], collections=[MODELS], acks=1, settings={
                "node": {"http_listen": ["unix:state/api.sock", f"tls:127.0.0.1:{free_port()}"]},
                **({"transport": {"swarm_listen": self.swarm}} if name == "a" else {})})
        self.fleet.start_all()
        self.fleet.wait_connected()
        # A machine that has joined and runs no daemon: all it has is a certificate.
        self.fleet.add_node("guest", roles=[], collections=[], acks=1)
        self.identity = self.fleet.folder / "guest" / "state" / "identity"
        self.content = os.urandom(5_000_000)
        folder = self.fleet.nodes["a"].root("models") / "runs"
        folder.mkdir()
        (folder / "m 1.pth").write_bytes(self.content)
        self.sync_ok("a", "models", "--target", "b", "--confirm")
        self.got = self.folder / "got"
        self.got.mkdir()

    def export(self, form, name="a"):
        path = self.folder / f"m.{form}"
        done = subprocess.run([self.fleet.program, "--config", self.fleet.nodes[name].config,
                               "export", form, "models", "runs/m 1.pth", "--out", path],
                              text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return path

    def test_aria2c_takes_a_metalink_and_checks_every_piece(self):
        metalink = self.export("metalink")
        command = ["aria2c", "--no-conf", "--quiet", f"--ca-certificate={self.identity}/ca.pem",
                   "--max-tries=1", "--connect-timeout=5"]
        refused = subprocess.run([*command, f"--dir={self.folder}/none", metalink], check=False,
                                 capture_output=True, timeout=60)
        self.assertNotEqual(refused.returncode, 0, "no certificate, no bytes")
        subprocess.run([*command, f"--dir={self.got}", f"--certificate={self.identity}/node.pem",
                        f"--private-key={self.identity}/node-key.pem", metalink], check=True,
                       timeout=60)
        self.assertEqual((self.got / "runs" / "m 1.pth").read_bytes(), self.content)
        self.assertIn("127.0.0.1", metalink.read_text())
        self.assertEqual(metalink.read_text().count("<url"), 2, "both holders are named")

    def test_a_bittorrent_client_takes_the_torrent(self):
        torrent = self.export("torrent")
        subprocess.run(["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt",
                        "group:ffdhe2048", "-out", self.folder / "dh.pem"], check=True,
                       capture_output=True)

        def fetch(certificate, patience):
            return subprocess.run(["/usr/bin/python3", "-c", STOCK_CLIENT, torrent, self.got,
                                   self.swarm, certificate, f"{self.identity}/node-key.pem",
                                   self.folder / "dh.pem", str(patience)],
                                  check=False, timeout=90).returncode
        self.assertEqual(fetch("", 4), 1, "no certificate, no bytes")
        self.assertEqual(fetch(f"{self.identity}/node.pem", 60), 0)
        self.assertEqual((self.got / "syncline-fleet").read_bytes(), self.content)

    def test_what_cannot_be_described_is_refused_with_what_to_do(self):
        cases = [("a", ["torrent", "models", "none.pth"], "knows no such file"),
                 ("b", ["torrent", "models", "runs/m 1.pth"], "swarm_listen"),
                 ("a", ["zip", "models", "runs/m 1.pth"], "metalink")]
        for node, arguments, hint in cases:
            with self.subTest(hint):
                done = subprocess.run([self.fleet.program, "--config",
                                       self.fleet.nodes[node].config, "export", *arguments],
                                      text=True, capture_output=True, check=False)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(hint, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
