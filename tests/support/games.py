"""What is in a games database, read by plain SQL: the judge of the demo, tests and benchmarks.

A game is whole when it has as many moves as it says, numbered from 1 without a hole, two players,
one initial state and a winner. Two games are the same when every column of every row is.
"""

import contextlib
import hashlib
import pathlib
import sqlite3
from dataclasses import dataclass, field

# Each table with its key within one game; the first is the root.
TABLES = {
    "games": [],
    "game_players": ["player_number"],
    "game_initial_state": [],
    "game_moves": ["move_number"],
}


def connect(path):
    """Read-only; never creates a file or changes a journal mode.

    A program killed in the middle of a commit leaves a hot journal, which nobody who only reads may
    roll back (SQLITE_READONLY_ROLLBACK): then this does what the program does at its next start.
    """
    db = _open(path, "ro")
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if "readonly database" not in str(error):
            raise
        db.close()
        with contextlib.closing(_open(path, "rw")) as healer:
            healer.execute("SELECT count(*) FROM sqlite_master").fetchone()
        db = _open(path, "ro")
    return db


def _open(path, mode):
    return sqlite3.connect(f"file:{pathlib.Path(path)}?mode={mode}", uri=True, timeout=15)


def completed_ids(path):
    """Ids of the games that a program has finished: committed at the time of this call."""
    if not pathlib.Path(path).exists():
        return set()
    with connect(path) as db:
        try:
            rows = db.execute("SELECT game_id FROM games WHERE completed_at IS NOT NULL")
            return {row[0] for row in rows}
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # the program has only just begun
                return set()
            raise


def open_games(path):
    """Games under way: [(game_id, moves so far)]."""
    with connect(path) as db:
        return db.execute(
            "SELECT g.game_id, (SELECT count(*) FROM game_moves m WHERE m.game_id = g.game_id) "
            "FROM games g WHERE g.completed_at IS NULL").fetchall()


def columns_of(db, table):
    return sorted(row[1] for row in db.execute(f"PRAGMA table_info({table})"))


def digests(path, columns=None):
    """{game_id: digest of all rows of the game} for completed games, over the given columns per
    table, by default all that this database has; and those columns."""
    with connect(path) as db:
        db.execute("BEGIN")  # all tables from one snapshot
        columns = columns or {table: columns_of(db, table) for table in TABLES}
        hashes = {row[0]: hashlib.sha256() for row in
                  db.execute("SELECT game_id FROM games WHERE completed_at IS NOT NULL")}
        for table, key in TABLES.items():
            names = columns[table]
            order = ", ".join(["game_id", *key])
            query = f"SELECT game_id, {', '.join(names)} FROM {table} ORDER BY {order}"
            for game_id, *values in db.execute(query):
                if game_id in hashes:
                    hashes[game_id].update(repr((table, values)).encode())
    return {game_id: h.hexdigest() for game_id, h in hashes.items()}, columns


@dataclass
class Inspection:
    games: int = 0
    missing: list = field(default_factory=list)   # wanted, and not there
    doubled: list = field(default_factory=list)   # there more than once, or with a doubled row
    torn: list = field(default_factory=list)      # there, and not whole; orphan rows too
    changed: list = field(default_factory=list)   # there, and not what its program wrote
    integrity: str = "ok"                         # SQLite's own quick_check

    @property
    def is_clean(self):
        return (not (self.missing or self.doubled or self.torn or self.changed)
                and self.integrity == "ok")


def inspect(path, wanted, written=None, columns=None):
    """Judges a replica. `wanted`: ids that must be there. `written`: {id: digest} of what the
    programs wrote, compared wherever the replica has the id; `columns` as digests() gave them."""
    found = Inspection()
    with connect(path) as db:
        db.execute("BEGIN")
        found.integrity = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        ids = [row[0] for row in db.execute("SELECT game_id FROM games")]
        found.games = len(set(ids))
        found.missing = sorted(set(wanted) - set(ids))
        doubled = {i for i in ids if ids.count(i) > 1} if len(ids) != found.games else set()
        torn = set()
        moves = {row[0]: row[1:] for row in db.execute(
            "SELECT game_id, count(*), count(DISTINCT move_number), min(move_number), "
            "max(move_number) FROM game_moves GROUP BY game_id")}
        players = dict(db.execute("SELECT game_id, count(*) FROM game_players GROUP BY game_id"))
        states = dict(
            db.execute("SELECT game_id, count(*) FROM game_initial_state GROUP BY game_id"))
        for game_id, total, winner, completed in db.execute(
                "SELECT game_id, total_moves, winner, completed_at FROM games"):
            count, distinct, first, last = moves.get(game_id, (0, 0, 0, 0))
            if count > distinct or players.get(game_id, 0) > 2 or states.get(game_id, 0) > 1:
                doubled.add(game_id)
            whole = (distinct == total and first == 1 and last == total and winner in (1, 2)
                     and completed and players.get(game_id) == 2 and states.get(game_id) == 1)
            if not whole:
                torn.add(game_id)
        orphans = (set(moves) | set(players) | set(states)) - set(ids)
        found.doubled = sorted(doubled)
        found.torn = sorted(torn | orphans)
    if written:
        here, _ = digests(path, columns)
        found.changed = sorted(i for i in here if i in written and here[i] != written[i])
    return found
