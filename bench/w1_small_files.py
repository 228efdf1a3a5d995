#!/usr/bin/env python3
"""W1: 10,000 files of 4 KiB to one other node: Syncline beside rsync over ssh and cp.

Syncline's figure runs from the request to the answer that every file is verified and fsynced on the
target. rsync does not fsync; it is shown with and without a sync afterwards.
"""

import argparse
import os
import shutil
import subprocess
import sys

from peers import RsyncSshd, print_table, scratch, timed, tree_digest, verdict
from fleet import Fleet

RATIO_WANTED = 2.0
FILES_PER_FOLDER = 500


def make_files(folder, count, size):
    for i in range(count):
        path = folder / f"d{i // FILES_PER_FOLDER:03}" / f"f{i:06}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))


def run_syncline(folder, files, timeout):
    collection = {"name": "small", "kind": "files", "root": "data/small", "copies": 2,
                  "stable_ms": 1000, "freshness_target_s": 600}
    with Fleet(folder / "fleet") as fleet:
        for name in ("source", "target"):
            fleet.add_node(name, roles=["training"], collections=[collection], acks=1)
        fleet.start_all()
        fleet.wait_connected()
        root = fleet.nodes["source"].root("small")
        for part in files.iterdir():
            part.rename(root / part.name)

        def sync():
            rc, answer = fleet.cli("source", "sync", "small", "--target", "target", "--confirm",
                                   "--timeout", timeout, timeout=timeout + 30)
            if rc != 0:
                raise SystemExit(f"syncline sync ended with {rc}: {answer}")
        seconds = timed(sync)
        is_same = tree_digest(root) == tree_digest(fleet.nodes["target"].root("small"))
        fleet.close()
        for part in list(root.iterdir()):
            if part.name != ".syncline":
                part.rename(files / part.name)
    return seconds, is_same


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--timeout", type=int, default=300)
    parser.add_argument("--peers-only", action="store_true", help="measure without Syncline")
    options = parser.parse_args()
    folder = scratch("w1-")
    try:
        files = folder / "files"
        files.mkdir()
        make_files(files, options.files, options.size)
        with RsyncSshd() as sshd:
            rsync = min(sshd.rsync(f"{files}/", folder / f"rsync-{i}")[0] for i in range(3))
            rsync_sync = timed(lambda: [sshd.rsync(f"{files}/", folder / "rsync-synced"),
                                        subprocess.run(["sync"], check=True)])
        copy = ["cp", "-a", str(files), str(folder / "cp")]
        cp = timed(lambda: [subprocess.run(copy, check=True), subprocess.run(["sync"], check=True)])
        rows = [["rsync over ssh", f"{rsync:.2f} s", f"{options.files / rsync:,.0f}", "1.0"],
                ["rsync over ssh, then sync", f"{rsync_sync:.2f} s",
                 f"{options.files / rsync_sync:,.0f}", f"{rsync / rsync_sync:.1f}"],
                ["cp -a, then sync (bound)", f"{cp:.2f} s", f"{options.files / cp:,.0f}",
                 f"{rsync / cp:.1f}"]]
        is_met = True
        if not options.peers_only:
            seconds, is_same = run_syncline(folder, files, options.timeout)
            rows.insert(0, ["Syncline, fsynced", f"{seconds:.2f} s",
                            f"{options.files / seconds:,.0f}", f"{rsync / seconds:.1f}"])
        print_table(f"W1: {options.files:,} files of {options.size} bytes",
                    ["", "time", "files/s", "× rsync"], rows)
        if not options.peers_only:
            is_met = verdict(f"{rsync / seconds:.1f} × rsync over ssh, {RATIO_WANTED} wanted",
                             rsync / seconds >= RATIO_WANTED)
            is_met = verdict("same names and contents on both sides", is_same) and is_met
        return 0 if is_met else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
