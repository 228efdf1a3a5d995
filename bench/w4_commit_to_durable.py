#!/usr/bin/env python3
"""W4: from a game's commit to "durable on two other nodes", at 100 games a second.

Three daemons on loopback. A writer commits whole games at a steady pace and notes when each commit
returned; an observer asks the daemon for its durable count over the Unix socket as often as it can.
The n-th commit and the moment the count reached n make one sample, so every sample includes the
notice by inotify, the read, three fsyncs on one disk, and the observer's own delay.
The bound: two fsyncs one after the other (here, then there) on this disk.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import shutil
import socket
import sys
import time

from peers import print_table, scratch, verdict  # first: it finds the shared modules
from fleet import GAMES, Fleet
from w3_live_sqlite import SELFPLAY, Writer, make_templates

P99_MAX_MS = 20.0


class Api(http.client.HTTPConnection):
    """One connection to a daemon's Unix socket, kept open."""

    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def ask(self, route):
        self.request("GET", route)
        return json.loads(self.getresponse().read())


def write_games(templates, path, per_second, count, pipe):
    """In a process of its own: the observer must not hold it up."""
    writer = Writer(templates, path)
    pipe.send("ready")
    pipe.recv()
    commits = []
    started = time.monotonic()
    for number in range(count):
        pause = started + number / per_second - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        writer.add(1)
        commits.append(time.monotonic())
    pipe.send(commits)


def observe(api, count, deadline):
    """Moments at which the durable count reached 1, 2, … count."""
    seen = []
    while len(seen) < count and time.monotonic() < deadline:
        rows = api.ask("/v1/status")["collections"]
        now = time.monotonic()
        durable = next(row["durable"] for row in rows if row["name"] == "games")
        seen += [now] * (durable - len(seen))
        time.sleep(0.002)
    return seen


def fsync_ms(folder, runs=200):
    """Median and 99th percentile of one small append with fdatasync."""
    taken = []
    with open(folder / "fsync.bin", "wb", buffering=0) as file:
        for _ in range(runs):
            file.write(os.urandom(4096))
            started = time.monotonic()
            os.fdatasync(file.fileno())
            taken.append((time.monotonic() - started) * 1000)
    return percentile(taken, 50), percentile(taken, 99)


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--games", type=int, default=2000)
    parser.add_argument("--per-second", type=float, default=100)
    options = parser.parse_args()
    folder = scratch("w4-")
    try:
        templates = make_templates(SELFPLAY, folder)
        disk_p50, disk_p99 = fsync_ms(folder)
        with Fleet(folder / "fleet") as fleet:
            for name in ("origin", "first", "second"):
                fleet.add_node(name, roles=["training"], collections=[GAMES], acks=2)
            fleet.start_all()
            fleet.wait_connected()
            source = fleet.nodes["origin"].root("games") / "games.db"
            ours, theirs = multiprocessing.Pipe()
            writer = multiprocessing.Process(target=write_games, args=(
                templates, source, options.per_second, options.games, theirs))
            writer.start()
            ours.recv()
            time.sleep(1)
            ours.send("go")
            deadline = time.monotonic() + options.games / options.per_second + 60
            seen = observe(Api(fleet.nodes["origin"].folder / "state" / "api.sock"),
                           options.games, deadline)
            commits = ours.recv()
            writer.join()
            stats = fleet.ask("origin", "stats")
        taken = [(b - a) * 1000 for a, b in zip(commits, seen)]
        rate = len(commits) / (commits[-1] - commits[0])
        print_table(f"W4: {len(taken)} of {options.games} games at {rate:.0f} a second",
                    ["", "p50", "p99"],
                    [["commit → durable on two others, seen from outside",
                      f"{percentile(taken, 50):.1f} ms", f"{percentile(taken, 99):.1f} ms"],
                     ["  as the daemon measures it, from the notice",
                      f"{stats['durable_p50_ms']:.1f} ms", f"{stats['durable_p99_ms']:.1f} ms"],
                     ["bound: two fsyncs of this disk", f"{2 * disk_p50:.1f} ms",
                      f"{2 * disk_p99:.1f} ms"]])
        is_met = verdict("every game became durable", len(taken) == options.games)
        return 0 if verdict(f"p99 at most {P99_MAX_MS:.0f} ms wanted",
                            percentile(taken, 99) <= P99_MAX_MS) and is_met else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
