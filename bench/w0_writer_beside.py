#!/usr/bin/env python3
"""W0: what a self-play program pays for being read: its commit times with and without Syncline.

One program commits whole games to one live database (WAL) as fast as it can, for some seconds;
turns without a daemon and with one alternate, so that both meet the same disk and the same noise.
With one, every game is read, journalled, made durable on a second node and merged there meanwhile.
The program and three processes share this machine's cores: on a machine with a core to spare the
difference is smaller. The bound is a ratio of 1: the reader takes no lock that a writer waits for.
"""

import argparse
import multiprocessing
import shutil
import sys
import time

from peers import print_table, scratch, verdict  # first: it finds the shared modules
from fleet import GAMES, Fleet
from w3_live_sqlite import SELFPLAY, Writer, make_templates
from w4_commit_to_durable import percentile

RATIO_MAX = 2.0


def commit_for(templates, path, seconds, pipe):
    """In a process of its own, as a self-play program is. Milliseconds of each commit."""
    writer = Writer(templates, path)
    taken = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        rows = writer.rows[len(taken) % len(writer.rows)]
        writer.db.execute("BEGIN IMMEDIATE")
        writer.add_one(rows, f"{path.stem}-{len(taken)}")
        started = time.monotonic()
        writer.db.execute("COMMIT")
        taken.append((time.monotonic() - started) * 1000)
    pipe.send(taken)


def turn(templates, path, seconds):
    ours, theirs = multiprocessing.Pipe()
    program = multiprocessing.Process(target=commit_for, args=(templates, path, seconds, theirs))
    program.start()
    taken = ours.recv()
    program.join()
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    folder = scratch("w0-")
    try:
        templates = make_templates(SELFPLAY, folder)
        alone, beside = [], []
        with Fleet(folder / "fleet") as fleet:
            for name in ("origin", "other"):
                fleet.add_node(name, roles=["training"], collections=[{**GAMES, "copies": 2}],
                               acks=1)
            source = fleet.nodes["origin"].root("games")
            for number in range(options.turns):
                for name in ("origin", "other"):
                    fleet.stop(name)
                alone += turn(templates, folder / f"alone{number}.db", options.seconds)
                fleet.start_all()
                fleet.wait_connected()
                beside += turn(templates, source / f"beside{number}.db", options.seconds)
                rc, answer = fleet.cli("origin", "flush", "--deadline", "120")
                if rc != 0:
                    raise SystemExit(f"flush ended with {rc}: {answer}")
            durable = fleet.collection_status("origin", "games")["durable"]
        rows = [[name, f"{len(taken) / options.turns / options.seconds:.0f} / s",
                 *(f"{percentile(taken, p):.2f} ms" for p in (50, 99, 99.9))]
                for name, taken in (("alone", alone), ("beside Syncline", beside))]
        ratio = percentile(beside, 99) / percentile(alone, 99)
        print_table(f"W0: a program that commits games at full speed, {options.turns} turns each",
                    ["", "games", "commit p50", "p99", "p99.9"], rows)
        is_whole = verdict(f"all {len(beside)} games written beside it are durable",
                           durable == len(beside))
        return 0 if verdict(f"p99 {ratio:.2f} × alone, at most {RATIO_MAX} wanted",
                            ratio <= RATIO_MAX) and is_whole else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
