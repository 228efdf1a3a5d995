"""Ratings and registry of older programs on two nodes: united, none lost, none doubled."""

import json
import pathlib
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import games  # noqa: E402
from rig import FleetTest  # noqa: E402

ALIASES = {f"{name}_{side}{end}": f"participant_{side}"
           for side in "ab" for name, end in (("model", ""), ("model", "_id"))}
ELO = {"name": "elo", "kind": "sqlite", "root": "data/elo", "include": ["unified_elo.db"],
       "replica": "data/replica/elo.db", "copies": 2, "poll_ms": 300,
       "tables": {"match_history": {"aliases": ALIASES},
                  "rating_history": {"rule": "derived"}},
       "derive": {"by": "elo", "pinned": {"random": 400}}}
REGISTRY = {"name": "registry", "kind": "sqlite", "root": "data/registry",
            "include": ["model_registry.db"], "replica": "data/replica/registry.db", "copies": 2,
            "poll_ms": 300,
            "tables": {name: {"rule": "latest", "latest_by": "updated_at"}
                       for name in ("models", "versions")}}
K, START = 32, 1500


def expected_ratings(matches):
    """Elo by the textbook, from (timestamp, a, b, winner) in order."""
    points = {"random": 400.0}
    for _, a, b, winner in sorted(matches):
        ra, rb = points.setdefault(a, START), points.setdefault(b, START)
        gain = K * ((winner == a) + (winner == "draw") / 2 - 1 / (1 + 10 ** ((rb - ra) / 400)))
        points[a], points[b] = ra + gain, rb - gain
        points["random"] = 400.0
    return points


class Ratings(FleetTest):
    def raise_two(self, *collections):
        for name in "ab":
            self.fleet.add_node(name, roles=["backup"], collections=list(collections), acks=1)

    def source_of(self, node, collection, file):
        folder = self.fleet.nodes[node].root(collection)
        folder.mkdir(parents=True, exist_ok=True)
        return sqlite3.connect(folder / file)

    def rows(self, node, collection, sql):
        path = self.fleet.nodes[node].replica(collection)
        if not path.exists():
            return []
        with games.connect(path) as db:
            try:
                return db.execute(sql).fetchall()
            except sqlite3.OperationalError:
                return []

    def test_matches_of_two_generations_are_united_and_rated_the_same_everywhere(self):
        self.raise_two(ELO)
        shared = [(1.0, "ann", "bob", "ann"), (4.0, "bob", "random", "bob")]
        of_a = [(2.0, "ann", "cid", "draw"), (3.5, "cid", "bob", "bob")]
        of_b = [(3.0, "bob", "ann", "ann"), (5.0, "cid", "ann", "cid")]
        # Both number their matches from 1: id 1 is another match on either node.
        for node, columns, matches in (("a", ("model_a", "model_b"), of_a + shared),
                                       ("b", ("participant_a", "participant_b"), shared + of_b)):
            db = self.source_of(node, "elo", "unified_elo.db")
            db.execute("CREATE TABLE match_history (id INTEGER PRIMARY KEY AUTOINCREMENT, "
                       f"{columns[0]} TEXT, {columns[1]} TEXT, winner TEXT, board_type TEXT, "
                       "num_players INTEGER, timestamp REAL, game_id TEXT)")
            db.execute("CREATE TABLE elo_ratings (participant_id TEXT, board_type TEXT, "
                       "num_players INTEGER, rating REAL, games_played INTEGER, last_update REAL, "
                       "PRIMARY KEY (participant_id, board_type, num_players))")
            db.execute("INSERT INTO elo_ratings VALUES ('ann', 'hex8', 2, 9999, 1, 0)")
            db.executemany(
                f"INSERT INTO match_history ({columns[0]}, {columns[1]}, winner, board_type, "
                "num_players, timestamp) VALUES (?, ?, ?, 'hex8', 2, ?)",
                [(a, b, winner, at) for at, a, b, winner in matches])
            db.commit()
            db.close()
        self.fleet.start_all()
        self.fleet.wait_connected()
        union = {*shared, *of_a, *of_b}
        ask = ("SELECT timestamp, participant_a, participant_b, winner FROM match_history "
               "ORDER BY 1")
        for node in "ab":
            self.fleet.wait_until(
                lambda node=node: self.rows(node, "elo", ask) == sorted(union), 30,
                f"the union of matches on {node}")
        table = "SELECT participant_id, rating, games_played FROM elo_ratings ORDER BY 1"
        ratings = self.rows("a", "elo", table)
        self.assertEqual(ratings, self.rows("b", "elo", table))
        wanted = expected_ratings(union)
        self.assertEqual({name for name, _, _ in ratings}, set(wanted))
        for name, rating, _ in ratings:
            self.assertAlmostEqual(rating, wanted[name], places=5)
        self.assertEqual(sum(games for _, _, games in ratings), 2 * len(union))
        status = self.fleet.collection_status("a", "elo")
        self.assertEqual((status["derived"], status["problems"]), ("6 matches rated", []))
        self.assertEqual(self.fleet.cli("b", "verify", "elo")[0], 0)

        with self.subTest("a match of the newest generation, on a node that runs"):
            db = self.source_of("a", "elo", "unified_elo.db")
            db.execute("ALTER TABLE match_history ADD COLUMN participant_ids TEXT")
            db.execute("ALTER TABLE match_history ADD COLUMN winner_id TEXT")
            db.execute("INSERT INTO match_history (participant_ids, winner_id, board_type, "
                       "num_players, timestamp) VALUES (?, 'dan', 'hex8', 2, 6.0)",
                       [json.dumps(["dan", "ann"])])
            db.execute("INSERT INTO match_history (participant_ids, winner_id, board_type, "
                       "num_players, timestamp) VALUES (?, 'eve', 'hex8', 2, 7.0)",
                       [json.dumps(["dan", "ann"])])
            db.commit()
            db.close()
            self.fleet.wait_until(
                lambda: self.fleet.collection_status("b", "elo")["derived"] ==
                "7 matches rated; skipped: 1 without a known winner", 30, "b to rate it too")
            self.assertEqual(self.rows("a", "elo", table), self.rows("b", "elo", table))
            self.assertIn(("dan", 1), [(name, n) for name, _, n in self.rows("b", "elo", table)])

    def test_the_registry_keeps_the_newer_row_and_every_transition(self):
        self.raise_two(REGISTRY)
        for node, stage, updated in (("a", "staging", "2026-01-01"),
                                     ("b", "production", "2026-02-01")):
            db = self.source_of(node, "registry", "model_registry.db")
            db.executescript(
                "CREATE TABLE models (model_id TEXT PRIMARY KEY, name TEXT, updated_at TEXT);"
                "CREATE TABLE versions (id INTEGER PRIMARY KEY AUTOINCREMENT, "
                " model_id TEXT REFERENCES models (model_id), version INTEGER, stage TEXT, "
                " updated_at TEXT, UNIQUE (model_id, version));"
                "CREATE TABLE stage_transitions (id INTEGER PRIMARY KEY AUTOINCREMENT, "
                " version_id INTEGER REFERENCES versions (id), from_stage TEXT, to_stage TEXT, "
                " at TEXT);")
            db.execute("INSERT INTO models VALUES ('m', ?, ?)", [f"by {node}", updated])
            # `m` has another surrogate id on either node.
            if node == "b":
                db.execute("INSERT INTO models VALUES ('only-b', 'x', '2026-01-01')")
                db.execute("INSERT INTO versions (model_id, version, stage, updated_at) "
                           "VALUES ('only-b', 1, 'new', '2026-01-01')")
            db.execute("INSERT INTO versions (model_id, version, stage, updated_at) "
                       "VALUES ('m', 1, ?, ?)", [stage, updated])
            db.execute("INSERT INTO stage_transitions (version_id, from_stage, to_stage, at) "
                       "SELECT id, 'new', ?, ? FROM versions WHERE model_id = 'm'",
                       [stage, updated])
            db.commit()
            db.close()
        self.fleet.start_all()
        self.fleet.wait_connected()
        transitions = ("SELECT v.model_id, v.version, t.to_stage FROM stage_transitions AS t "
                       "JOIN versions AS v ON v.id = t.version_id ORDER BY 3")
        for node in "ab":
            self.fleet.wait_until(
                lambda node=node: self.rows(node, "registry", transitions) ==
                [("m", 1, "production"), ("m", 1, "staging")], 30, f"both transitions on {node}")
            self.assertEqual(
                self.rows(node, "registry", "SELECT model_id, name FROM models ORDER BY 1"),
                [("m", "by b"), ("only-b", "x")])
            self.assertEqual(
                self.rows(node, "registry", "SELECT model_id, stage FROM versions ORDER BY 1"),
                [("m", "production"), ("only-b", "new")])


if __name__ == "__main__":
    unittest.main()
