"""The Debian package: built out of this build, unpacked, looked at, and run."""

import gzip
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SYNCLINE_BUILD", ROOT / "build"))


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True,
                          **options).stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        run(sys.executable, ROOT / "deploy" / "package.py", "--build", BUILD, "--out",
            cls.folder / "out")
        cls.package = next((cls.folder / "out").glob("syncline_*.deb"))
        cls.tree = cls.folder / "tree"
        run("dpkg-deb", "-x", cls.package, cls.tree)
        run("dpkg-deb", "-e", cls.package, cls.folder / "control")

    def test_its_program_runs_and_says_its_version(self):
        said = run(self.tree / "usr/bin/syncline", "--version")
        self.assertEqual(said.split()[-1], run("dpkg-deb", "-f", self.package, "Version").strip())
        self.assertIn("syncline daemon", run(self.tree / "usr/bin/syncline", "--help"))

    def test_it_depends_on_the_libraries_that_the_program_needs(self):
        depends = run("dpkg-deb", "-f", self.package, "Depends")
        for library in ("libc6", "libssl3", "libsqlite3-0", "libprotobuf"):
            self.assertIn(library, depends)

    def test_everything_belongs_to_root_and_only_programs_may_be_run(self):
        for line in run("dpkg-deb", "-c", self.package).splitlines():
            mode, owner, *_, name = line.split()
            self.assertEqual(owner, "root/root", line)
            is_program = name.startswith("./usr/bin/")
            expected = "drwxr-xr-x" if mode[0] == "d" else (
                "-rwxr-xr-x" if is_program else "-rw-r--r--")
            self.assertEqual(mode, expected, line)

    def test_its_manual_has_every_command_and_no_error_of_form(self):
        page = self.tree / "usr/share/man/man1/syncline.1.gz"
        text = gzip.decompress(page.read_bytes()).decode()
        for command in ("sync", "status", "flush", "verify", "invite"):
            self.assertIn(f"syncline {command}", text)
        if shutil.which("groff"):
            checked = subprocess.run(["groff", "-k", "-man", "-Tutf8", "-ww", "-z"], input=text,
                                     capture_output=True, text=True)
            self.assertEqual(checked.stderr, "")

    def test_its_units_are_in_order(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze here")
        unit = self.tree / "lib/systemd/system/syncline.service"
        text = unit.read_text().replace("/usr/bin/syncline", str(self.tree / "usr/bin/syncline"))
        local = self.folder / "syncline.service"
        local.write_text(text)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", local],
                              capture_output=True, text=True)
        wrong = [line for line in done.stderr.splitlines() if "syncline.service" in line]
        self.assertEqual(wrong, [])

    def test_its_scripts_are_shell_and_the_user_keeps_its_keys_to_itself(self):
        for name in ("postinst", "prerm", "postrm"):
            script = self.folder / "control" / name
            run("sh", "-n", script)
            self.assertTrue(script.stat().st_mode & stat.S_IXUSR)
        self.assertIn("chmod 0700 /var/lib/syncline",
                      (self.folder / "control" / "postinst").read_text())

    def test_the_older_command_line_comes_with_it(self):
        packages = self.tree / "usr/lib/python3/dist-packages"
        done = subprocess.run([sys.executable, self.tree / "usr/bin/unified_data_sync", "--help"],
                              env={**os.environ, "PYTHONPATH": str(packages)},
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("--dry-run", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
