#!/usr/bin/env python3
"""W2: one 2 GiB file to one other node, over each transport: Syncline beside rsync over ssh and cp.

Syncline's figures run from the moment the target may begin (it was asked and is paused) to the
answer that the file is verified and fsynced there; what the source needs to hash the file first is
shown apart. The bound is the slower of writing to this disk with fsync and SHA-256 on one core.
"""

import argparse
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from peers import (BUFFER, RsyncSshd, back_page_cache, copy_with_fsync, disk_write_rate,
                   file_digest, mib_per_s, peak_rss_bytes, print_table, scratch, sha256_rate, timed,
                   verdict)
from fleet import Fleet, free_port

SHARE_WANTED = 0.8
REQUEST_TRAVELS_S = 0.5  # from the call to the target
RSS_MAX_BYTES = 200 << 20
NAME = "archive.npz"


def make_file(path, size_bytes):
    with open(path, "wb") as out:
        for _ in range(size_bytes // BUFFER):
            out.write(os.urandom(BUFFER))


def told(fleet, node, *command, timeout=60):
    rc, answer = fleet.cli(node, *command, timeout=timeout)
    if rc != 0:
        raise SystemExit(f"syncline {' '.join(map(str, command))} ended with {rc}: {answer}")


def run_syncline(folder, file, transport, timeout, ssh):
    collection = {"name": "archives", "kind": "files", "root": "data/archives", "copies": 2,
                  "stable_ms": 1000, "freshness_target_s": 600}
    with Fleet(folder / "fleet") as fleet:
        for name in ("source", "target"):
            # For all transports but nfs the two share nothing.
            storage = "one-export" if transport == "nfs" else f"disk-{name}"
            fleet.add_node(name, roles=["training"], collections=[collection], acks=1, settings={
                "node": {"http_listen": ["unix:state/api.sock", f"tls:127.0.0.1:{free_port()}"],
                         "storage_domain": storage},
                "transport": {"swarm_listen": f"127.0.0.1:{free_port()}"}, "ssh": ssh})
        fleet.start_all()
        fleet.wait_connected()
        # The target waits until it is told to go on: the source hashes the file first, and the
        # page cache is there before the clock starts.
        told(fleet, "target", "pause", "archives")
        source = fleet.nodes["source"].root("archives") / NAME
        started = time.monotonic()
        os.link(file, source)
        fleet.wait_until(
            lambda: fleet.collection_status("source", "archives")["known"] == 1, timeout,
            "the source to have hashed the file")
        hashing = time.monotonic() - started
        back_page_cache(folder, file.stat().st_size)
        request = ThreadPoolExecutor().submit(
            told, fleet, "source", "sync", "archives", "--target", "target", "--confirm",
            "--timeout", timeout, "--transport", transport, timeout=timeout + 30)
        time.sleep(REQUEST_TRAVELS_S)
        target = fleet.nodes["target"].root("archives") / NAME
        if request.done() or target.exists():
            raise SystemExit("the file did not wait for the clock")
        started = time.monotonic()
        told(fleet, "target", "resume", "archives")
        request.result()
        seconds = time.monotonic() - started
        rss = max(peak_rss_bytes(node.process.pid) for node in fleet.nodes.values())
        is_same = file_digest(target) == file_digest(file)
    shutil.rmtree(folder / "fleet")
    return seconds, hashing, rss, is_same


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size-mib", type=int, default=2048)
    parser.add_argument("--timeout", type=int, default=300)
    parser.add_argument("--transports", default="p2p,swarm,aria2,ssh,nfs",
                        help="the first is held against the bound")
    parser.add_argument("--peers-only", action="store_true", help="measure without Syncline")
    options = parser.parse_args()
    size = options.size_mib << 20
    folder = scratch("w2-")
    try:
        file = folder / NAME
        make_file(file, size)
        disk = disk_write_rate(folder, size)
        sha = sha256_rate()
        bound = min(disk, sha)
        cp = timed(lambda: copy_with_fsync(file, folder / "cp.bin"), folder, size)
        (folder / "cp.bin").unlink()
        runs = {}
        with RsyncSshd() as sshd:
            back_page_cache(folder, size)
            rsync, _ = sshd.rsync(file, folder / "rsync.bin")
            (folder / "rsync.bin").unlink()
            for transport in [] if options.peers_only else options.transports.split(","):
                runs[transport] = run_syncline(folder, file, transport, options.timeout,
                                               sshd.settings)
        rows = []

        def row(name, seconds):
            rate = size / seconds
            rows.append([name, f"{seconds:.2f} s", mib_per_s(rate), f"{rate / bound:.2f}",
                         f"{rsync / seconds:.1f}"])
        is_met = True
        for transport, (seconds, _, _, _) in runs.items():
            row(f"Syncline ({transport}), verified and fsynced", seconds)
        if runs:
            row("  hashing at the source, before", next(iter(runs.values()))[1])
        row("rsync over ssh", rsync)
        row("cp, then fsync", cp)
        row("bound: disk write with fsync", size / disk)
        row("bound: SHA-256 on one core", size / sha)
        print_table(f"W2: one file of {options.size_mib} MiB",
                    ["", "time", "rate", "of bound", "× rsync"], rows)
        for transport, (seconds, _, rss, is_same) in runs.items():
            if transport == next(iter(runs)):
                share = size / seconds / bound
                is_met = verdict(f"{share:.2f} of the slower bound, {SHARE_WANTED} wanted",
                                 share >= SHARE_WANTED)
            is_met = verdict(f"{transport}: peak memory {rss >> 20} MiB, at most "
                             f"{RSS_MAX_BYTES >> 20} wanted", rss <= RSS_MAX_BYTES) and is_met
            is_met = verdict(f"{transport}: same content on both sides", is_same) and is_met
        return 0 if is_met else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
