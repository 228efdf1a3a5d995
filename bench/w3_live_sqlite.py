#!/usr/bin/env python3
"""W3: a live 512 MiB games database gets 1 % new games: Syncline beside rsync of the file.

Both sides hold the whole database when the clock starts. Then new games are committed; Syncline's
figure runs from the last commit to `flush` saying that all is durable on the target. rsync needs
the writer to stand still (copying a live database is damage), so its figure is a lower bound.
"""

import argparse
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time
import uuid

from peers import RsyncSshd, print_table, scratch, verdict  # first: it finds the shared modules
import games
from fleet import GAMES, ROOT, Fleet

BYTES_RATIO_MAX = 1.2
SPEED_RATIO_WANTED = 10.0
TEMPLATES = 200
SELFPLAY = pathlib.Path(os.environ.get("SYNCLINE_BUILD", ROOT / "build")) / "examples/hex_selfplay"


def make_templates(selfplay, folder):
    """Real games to be multiplied: playing 512 MiB of them would take an hour."""
    path = folder / "templates.db"
    subprocess.run([str(selfplay), "--db", str(path), "--games", str(TEMPLATES), "--playouts", "16",
                    "--seed", "11", "--journal-mode", "delete"], check=True,
                   stdout=subprocess.DEVNULL)
    return path


class Writer:
    """Commits copies of the template games under new ids, in transactions of a hundred."""

    def __init__(self, templates, path):
        with sqlite3.connect(templates) as source:
            schema = [row[0] for row in source.execute(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
            ids = [row[0] for row in source.execute("SELECT game_id FROM games")]
            self.rows = [{table: source.execute(f"SELECT * FROM {table} WHERE game_id = ?",
                                                (game,)).fetchall() for table in games.TABLES}
                         for game in ids]
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        for statement in schema:
            self.db.execute(statement)
        self.path = path

    def add(self, count):
        """Returns the bytes of the rows added: what has to travel at the very least."""
        added = 0
        for first in range(0, count, 100):
            self.db.execute("BEGIN IMMEDIATE")
            for i in range(first, min(first + 100, count)):
                added += self.add_one(self.rows[i % len(self.rows)], str(uuid.uuid4()))
            self.db.execute("COMMIT")
        return added

    def add_one(self, template, game_id):
        added = 0
        for table, rows in template.items():
            marks = ", ".join("?" * len(rows[0]))
            fresh = [(game_id, *row[1:]) for row in rows]
            self.db.executemany(f"INSERT INTO {table} VALUES({marks})", fresh)
            added += sum(len(str(value)) for row in fresh for value in row if value is not None)
        return added

    def fill(self, size_bytes):
        count = 0
        while self.path.stat().st_size < size_bytes:
            self.add(1000)
            count += 1000
            self.db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        return count


def counter(fleet, node):
    return fleet.ask(node, "stats")["counters"]["wire_sent_bytes"]


def run_syncline(folder, templates, size_bytes, share, timeout):
    with Fleet(folder / "fleet") as fleet:
        for name in ("source", "target"):
            fleet.add_node(name, roles=["training"], collections=[{**GAMES, "copies": 2}], acks=1)
        fleet.start_all()
        fleet.wait_connected()
        writer = Writer(templates, fleet.nodes["source"].root("games") / "games.db")
        base = writer.fill(size_bytes)
        replica = fleet.nodes["target"].replica("games")

        def count_there():
            with games.connect(replica) as db:
                return db.execute("SELECT count(*) FROM games").fetchone()[0]
        started = time.monotonic()
        fleet.wait_until(lambda: replica.exists() and count_there() == base, timeout,
                         f"the target to hold the first {base} games")
        first = time.monotonic() - started
        fleet.cli("source", "flush", "--acks", "1", "--deadline", "120")  # all of it looked at
        sent_before = counter(fleet, "source")
        rows_bytes = writer.add(max(1, int(base * share)))
        started = time.monotonic()
        rc, answer = fleet.cli("source", "flush", "--acks", "1", "--deadline", "60")
        seconds = time.monotonic() - started
        if rc != 0:
            raise SystemExit(f"syncline flush ended with {rc}: {answer}")
        sent = counter(fleet, "source") - sent_before
        wanted = games.completed_ids(writer.path)
        fleet.wait_until(lambda: count_there() == len(wanted), 60, "the target to merge them")
        found = games.inspect(replica, wanted)
    return {"seconds": seconds, "sent": sent, "rows": rows_bytes, "games": len(wanted) - base,
            "first": first, "base": base, "is_clean": found.is_clean}


def run_rsync(folder, templates, size_bytes, share):
    source = folder / "rsync-source.db"
    target = folder / "rsync-target.db"
    writer = Writer(templates, source)
    base = writer.fill(size_bytes)
    writer.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(source, target)
    writer.add(max(1, int(base * share)))
    writer.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with RsyncSshd() as sshd:
        return sshd.rsync(source, target)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size-mib", type=int, default=512)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--timeout", type=int, default=900, help="for the first full copy, seconds")
    parser.add_argument("--peers-only", action="store_true", help="measure without Syncline")
    options = parser.parse_args()
    folder = scratch("w3-")
    try:
        templates = make_templates(SELFPLAY, folder)
        size = options.size_mib << 20
        rsync_seconds, rsync_bytes = run_rsync(folder, templates, size, options.share)
        rows = [["rsync over ssh, writer stopped", f"{rsync_seconds:.2f} s",
                 f"{rsync_bytes / 1e6:,.2f} MB", "1.0"]]
        is_met = True
        if not options.peers_only:
            ours = run_syncline(folder, templates, size, options.share, options.timeout)
            rows.insert(0, ["Syncline, durable on the target", f"{ours['seconds']:.2f} s",
                            f"{ours['sent'] / 1e6:,.2f} MB",
                            f"{rsync_seconds / ours['seconds']:.1f}"])
            rows.append(["bytes of the new rows (bound)", "", f"{ours['rows'] / 1e6:,.2f} MB", ""])
        print_table(f"W3: live database of {options.size_mib} MiB, {options.share:.0%} new games",
                    ["", "time", "on the wire", "× rsync"], rows)
        if not options.peers_only:
            ratio = rsync_seconds / ours["seconds"]
            is_met = verdict(f"{ratio:.1f} × rsync, {SPEED_RATIO_WANTED:.0f} wanted",
                             ratio >= SPEED_RATIO_WANTED)
            share = ours["sent"] / ours["rows"]
            is_met = verdict(f"{share:.2f} × the bytes of the new rows on the wire, at most "
                             f"{BYTES_RATIO_MAX} wanted", share <= BYTES_RATIO_MAX) and is_met
            is_met = verdict(f"{ours['games']} new games, every one whole on the target",
                             ours["is_clean"]) and is_met
            print(f"  the first copy of {ours['base']} games took {ours['first']:.1f} s")
        return 0 if is_met else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
