"""Who gets in, and what everybody else learns: nothing."""

import os
import pathlib
import socket
import ssl
import stat
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import FleetError, free_port  # noqa: E402
from rig import FleetTest  # noqa: E402


class Trust(FleetTest):
    def invite(self, *options):
        return self.fleet.run("invite", "--dir", str(self.fleet.nodes["a"].folder),
                              *options).split()[-1]

    def join(self, token, name):
        folder = self.folder / name
        return subprocess.run(
            [self.fleet.program, "join", token, "--dir", folder, "--id", name, "--peer-listen",
             f"127.0.0.1:{free_port()}", "--http-listen", "unix:state/api.sock"],
            capture_output=True, text=True, timeout=30)

    def test_a_token_admits_one_machine_once(self):
        self.raise_fleet(names="a")
        token = self.invite()
        self.assertEqual(self.join(token, "first").returncode, 0)
        second = self.join(token, "second")
        self.assertNotEqual(second.returncode, 0)
        self.assertEqual(len(second.stderr.strip().splitlines()), 1, second.stderr)
        self.assertFalse((self.folder / "second" / "syncline.toml").exists())

    def test_an_expired_token_admits_nobody(self):
        self.raise_fleet(names="a")
        token = self.invite("--valid", "1")
        time.sleep(2.1)
        late = self.join(token, "late")
        self.assertNotEqual(late.returncode, 0)
        self.assertIn("expired", late.stderr)

    def test_a_name_that_is_taken_is_refused(self):
        self.raise_fleet(names="ab")
        again = self.join(self.invite(), "b")
        self.assertNotEqual(again.returncode, 0)
        self.assertIn("b", again.stderr)

    def test_a_token_that_was_damaged_is_refused_in_one_line(self):
        self.raise_fleet(names="a")
        for token in ("", "nonsense", self.invite()[:-4] + "AAAA", "syncline1." + "A" * 5000):
            bad = self.join(token, "x")
            self.assertNotEqual(bad.returncode, 0, token)
            self.assertEqual(len(bad.stderr.strip().splitlines()), 1, bad.stderr)

    def test_keys_are_readable_by_their_owner_only(self):
        self.raise_fleet(names="ab")
        for name in "ab":
            state = self.fleet.nodes[name].folder / "state"
            keys = [state / "identity" / "node-key.pem", state / "identity" / "fleet-key",
                    state / "api.sock"]
            if name == "a":
                keys.append(state / "identity" / "ca-key.pem")
            for key in keys:
                self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600, key)
            self.assertEqual(stat.S_IMODE(os.stat(state / "identity").st_mode), 0o700)

    def test_a_daemon_refuses_keys_that_others_can_read(self):
        self.raise_fleet(names="a")
        self.fleet.stop("a")
        key = self.fleet.nodes["a"].folder / "state" / "identity" / "node-key.pem"
        key.chmod(0o644)
        with self.assertRaises(FleetError) as caught:
            self.fleet.start("a")
        self.assertIn("node-key.pem", str(caught.exception))

    def talk(self, context, host_port, say=b"hello\n"):
        """Everything a stranger gets to read from the peer port, after its handshake."""
        host, port = host_port.split(":")
        with socket.create_connection((host, int(port)), timeout=5) as plain:
            if context is None:
                plain.sendall(say)
                plain.settimeout(15)
                return plain.recv(4096)
            with context.wrap_socket(plain) as tls:
                tls.sendall(say)
                tls.settimeout(15)
                return tls.recv(4096)

    def test_a_stranger_learns_nothing_not_even_a_version(self):
        self.raise_fleet(names="a")
        port = self.fleet.nodes["a"].peer
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname = False
        anybody.verify_mode = ssl.CERT_NONE
        outsider = self.folder / "outsider"
        outsider.mkdir()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", outsider / "key.pem", "-out", outsider / "cert.pem", "-days", "2",
             "-subj", "/O=fleet/CN=b"], check=True, capture_output=True)
        forged = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        forged.check_hostname = False
        forged.verify_mode = ssl.CERT_NONE
        forged.load_cert_chain(outsider / "cert.pem", outsider / "key.pem")
        for context in (anybody, forged):
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                answer = self.talk(context, port)
                raise ConnectionError(f"closed with {answer!r}") if not answer else AssertionError(
                    f"a stranger read {answer!r}")
        try:
            plain = self.talk(None, port, b"GET / HTTP/1.0\r\n\r\n")
        except ConnectionError:
            plain = b""
        self.assertLessEqual(len(plain), 7, plain)  # at most a TLS alert record
        self.assertNotIn(b"syncline", plain.lower())
        self.assertEqual(self.fleet.cli("a", "status")[0] in (0, 1), True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
