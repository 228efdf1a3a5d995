"""README.md's tour as a reader would type it: every command works and says what stands there.

Numbers, and what stands in brackets, may differ; `…` stands for what was left out. What the text
between the blocks asks of the reader (take '# ' away, set acks) is done here.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from fleet import free_port  # noqa: E402

BUILD = pathlib.Path(os.environ.get("SYNCLINE_BUILD", ROOT / "build")).resolve()
TOUR = "/tmp/tour"
PORTS = ("8750", "8760")
# Said again until it is as it stands there: a reader types more slowly than this test.
PATIENCE_S = 30


def steps():
    """(command, what it says) of the tour, in order."""
    section = (ROOT / "README.md").read_text().split("## Five minutes")[1].split("\n## ")[0]
    for block in re.findall(r"```console\n(.*?)```", section, re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, said = part.partition("\n")
            yield re.sub(r"\s+#.*", "", command), said


def plain(text):
    text = re.sub(r"\([^()]*\)", "()", text)
    return re.sub(r"\d[\d.,]*", "#", " ".join(text.split()))


class Tour(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-tour-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.folder = folder
        (folder / "build").symlink_to(BUILD)
        (folder / "my_model.pth").write_bytes(os.urandom(100_000))
        self.environment = {**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}"}
        self.environment.pop("SYNCLINE_CONFIG", None)
        self.ports = {old: str(free_port()) for old in PORTS}
        self.daemons = []
        self.addCleanup(self.end_daemons)
        self.token = ""

    def end_daemons(self):
        for number in (signal.SIGTERM, signal.SIGTERM):  # told twice, they do not drain
            for daemon in self.daemons:
                daemon.send_signal(number)
            time.sleep(0.3)
        for daemon in self.daemons:
            daemon.wait(30)

    def wait_listening(self, port):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                    return
            time.sleep(0.05)
        self.fail(f"the daemon does not listen on port {port}: "
                  + (self.folder / "daemon.log").read_text())

    def here(self, text):
        for old, new in self.ports.items():
            text = text.replace(f":{old}", f":{new}")
        return text.replace(TOUR, str(self.folder))

    def set_up_collections(self, node):
        """What the text between the blocks asks for."""
        config = self.folder / node / "syncline.toml"
        lines, wanted, is_ours = config.read_text().splitlines(), ("games", "models"), False
        for i, line in enumerate(lines):
            if line == "# [[collection]]":
                name = re.search(r'"(\w+)"', lines[i + 1])
                is_ours = name is not None and name[1] in wanted
            elif not line.startswith("# "):
                is_ours = False
            if is_ours:
                lines[i] = line[2:]
        text = re.sub(r"(?m)^(# )?acks = \d+", "acks = 1", "\n".join(lines) + "\n")
        self.assertEqual(text.count("\n[[collection]]\n"), 2)
        config.write_text(text)

    def run_one(self, command):
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, env=self.environment,
                              capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def test_every_command_works_and_says_what_stands_there(self):
        seen = 0
        for command, said in steps():
            command = self.here(command).replace("TOKEN", self.token)
            if command.startswith("export "):
                name, value = command.removeprefix("export ").split("=", 1)
                self.environment[name] = value
                continue
            if command.endswith(" &"):
                with open(self.folder / "daemon.log", "ab") as log:
                    self.daemons.append(subprocess.Popen(
                        command[:-2].split(), cwd=self.folder, env=self.environment, stdout=log,
                        stderr=log))
                self.wait_listening(self.ports[PORTS[len(self.daemons) - 1]])
                continue
            with self.subTest(command):
                self.see(command, self.here(said))
                seen += 1
            for node in ("home", "trainer"):
                if f"--id {node}" in command:
                    self.set_up_collections(node)
        self.assertGreater(seen, 10)

    def see(self, command, said):
        deadline = time.monotonic() + PATIENCE_S
        may_repeat = not re.search(r"\b(init|join|hex_selfplay)\b", command)
        while True:
            code, output = self.run_one(command)
            is_right = code == 0 and self.is_said(said, output)
            if is_right or not may_repeat or time.monotonic() > deadline:
                break
            time.sleep(0.3)
        self.assertTrue(is_right, f"exit code {code}, and it says\n{output}\ninstead of\n{said}")
        if "invite" in command:  # the token is its output, the rest is said beside
            self.token = output.split()[0]

    def is_said(self, said, output):
        """Each part between two … stands in the output, in this order."""
        output, at = plain(output), 0
        for part in said.split("…"):
            place = output.find(plain(part), at)
            if place < 0:
                return False
            at = place + len(plain(part))
        return True


if __name__ == "__main__":
    unittest.main()
