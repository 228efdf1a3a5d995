"""What the benchmarks have in common: the peer tools as they are really used (rsync over a real
sshd), the physical bounds of this machine, and one form of table.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from fleet import FleetError  # noqa: E402
from sshd import Sshd  # noqa: E402

BUFFER = 1 << 20


def settle():
    """Everything on disk before the clock starts, so that no run pays for the one before."""
    subprocess.run(["sync"], check=True)


def back_page_cache(folder, size_bytes):
    """Makes a virtual machine get so much page cache from its host now. Without it, whoever writes
    first pays for that (1.3 s per GiB on the machine of docs/performance.md), and a machine that
    gives free memory back to its host makes everybody pay who waited a few seconds before.
    """
    path = pathlib.Path(folder) / "page-cache.bin"
    with open(path, "wb", buffering=0) as out:
        block = bytes(BUFFER)
        for _ in range(size_bytes // BUFFER):
            out.write(block)
    path.unlink()


def timed(action, folder=None, size_bytes=0):
    settle()
    if folder:
        back_page_cache(folder, size_bytes)
    started = time.monotonic()
    action()
    return time.monotonic() - started


SYNC_EVERY_BYTES = 64 << 20


def write_with_fsync(path, blocks, block):
    """As a program does that has nothing else in mind."""
    with open(path, "wb", buffering=0) as out:
        for _ in range(blocks):
            out.write(block)
        os.fsync(out.fileno())


def write_behind(path, blocks, block):
    """The disk works while bytes are written, and what is on it leaves the page cache, so that the
    next bytes go to the same memory.
    """
    def sync(file):
        os.fdatasync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    with open(path, "wb", buffering=0) as out, ThreadPoolExecutor(1) as beside:
        for i in range(blocks):
            out.write(block)
            if (i + 1) % (SYNC_EVERY_BYTES // BUFFER) == 0:
                beside.submit(sync, out.fileno())
        beside.submit(sync, out.fileno()).result()
        os.fsync(out.fileno())


def disk_write_rate(folder, size_bytes, runs=3):
    """Bytes per second of one sequential write with fsync, the best of some runs in two ways: none
    that we know of is faster. The first run also makes a virtual machine get its page cache from
    its host, which would otherwise be charged to whoever is measured first.
    """
    path = pathlib.Path(folder) / "disk-rate.bin"
    block = os.urandom(BUFFER)
    seconds = min(timed(lambda: write(path, size_bytes // BUFFER, block))
                  for write in [write_with_fsync, write_behind] * runs)
    path.unlink()
    return size_bytes / seconds


def sha256_rate(size_bytes=1 << 30):
    """Bytes per second of SHA-256 on one core, as OpenSSL does it here."""
    block = os.urandom(BUFFER)
    digest = hashlib.sha256()
    started = time.monotonic()
    for _ in range(size_bytes // BUFFER):
        digest.update(block)
    return size_bytes / (time.monotonic() - started)


def copy_with_fsync(source, target):
    """`cp`, and then what `cp` leaves out: the data on disk."""
    subprocess.run(["cp", "--reflink=never", str(source), str(target)], check=True)
    with open(target, "rb") as copied:
        os.fsync(copied.fileno())


def file_digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as data:
        while block := data.read(BUFFER):
            digest.update(block)
    return digest.hexdigest()


def tree_digest(folder):
    """One digest over names and contents of all files below, Syncline's own folder left out."""
    folder = pathlib.Path(folder)
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder)
        if name.parts[0] != ".syncline":
            digest.update(f"{name}\0{file_digest(path)}\n".encode())
    return digest.hexdigest()


def peak_rss_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text).group(1)) * 1024


class RsyncSshd(Sshd):
    """An sshd that rsync copies by."""

    @property
    def shell(self):
        return (f"ssh -p {self.port} -i {self.folder}/user -o BatchMode=yes "
                f"-o UserKnownHostsFile={self.folder}/known -o StrictHostKeyChecking=yes")

    def rsync(self, source, target, *options):
        """Copies to this machine by way of sshd; returns (seconds, bytes on the wire)."""
        settle()
        started = time.monotonic()
        done = subprocess.run(
            ["rsync", "-a", "--stats", *options, "-e", self.shell, str(source),
             f"127.0.0.1:{target}"], capture_output=True, text=True)
        seconds = time.monotonic() - started
        if done.returncode != 0:
            raise FleetError(f"rsync failed with {done.returncode}: {done.stderr.strip()}")
        count = {name: int(number.replace(",", "")) for name, number in
                 re.findall(r"Total bytes (sent|received): ([\d,]+)", done.stdout)}
        return seconds, count["sent"] + count["received"]


def mib_per_s(rate):
    return f"{rate / (1 << 20):,.0f} MiB/s"


def print_table(title, header, rows):
    print(f"\n{title}")
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    for row in (header, ["─" * w for w in widths], *rows):
        cells = [f"{row[0]:<{widths[0]}}"]
        cells += [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells), flush=True)


def verdict(text, is_met):
    print(f"  {'met' if is_met else 'NOT MET'}: {text}", flush=True)
    return is_met


def scratch(prefix):
    """A folder on the disk of the build, not in memory: what is measured is a real disk."""
    base = pathlib.Path(os.environ.get("SYNCLINE_BENCH_DIR", ROOT / "build"))
    base.mkdir(parents=True, exist_ok=True)
    return pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=base))
