"""A real sshd on loopback, for tests and benchmarks."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from fleet import FleetError, die_with_parent, free_port


class Sshd:
    """A real sshd on a high port of loopback, with keys made for this run."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-sshd-"))
        self.port = free_port()
        self.process = None

    def __enter__(self):
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                            str(self.folder / name)], check=True)
        shutil.copy(self.folder / "user.pub", self.folder / "authorized_keys")
        (self.folder / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\n"
            f"AuthorizedKeysFile {self.folder}/authorized_keys\nPidFile none\n"
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n")
        host_key = (self.folder / "host.pub").read_text().split()[:2]
        (self.folder / "known").write_text(f"[127.0.0.1]:{self.port} {' '.join(host_key)}\n")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        return self.start()

    def start(self):
        sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen([sshd, "-D", "-e", "-f", str(self.folder / "config")],
                                        stderr=self.log, stdin=subprocess.DEVNULL,
                                        preexec_fn=die_with_parent)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    reason = (self.folder / "log").read_text()
                    self.stop()
                    raise FleetError(f"sshd did not start: {reason}") from None
                time.sleep(0.05)

    def stop(self):
        """Nobody answers at the port any more; start() begins again with the same keys."""
        if self.process is not None:
            # The machine is away: connections that stand, shared ones too, break.
            pid = self.process.pid
            for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
            self.process.terminate()
            self.process.wait()
            self.log.close()
            self.process = None

    @property
    def settings(self):
        """Section [ssh] of a node that logs in here."""
        return {"port": self.port, "key_file": str(self.folder / "user"),
                "known_hosts_file": str(self.folder / "known")}

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)
