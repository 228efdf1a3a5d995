"""`sync all`: one coordinated run with a part per collection; one that fails stops no other."""

import pathlib
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import GAMES, MODELS  # noqa: E402
from rig import FleetTest  # noqa: E402

NPZ = {"name": "npz", "kind": "files", "root": "data/training", "include": ["**/*.npz"],
       "copies": 2, "stable_ms": 300}
ELO = {"name": "elo", "kind": "sqlite", "root": "data/elo", "include": ["unified_elo.db"],
       "replica": "data/replica/elo.db", "copies": 2, "derive": {"by": "elo"}}
REGISTRY = {"name": "registry", "kind": "sqlite", "root": "data/registry", "copies": 2,
            "include": ["model_registry.db"], "replica": "data/replica/registry.db"}
ALL = [GAMES, MODELS, NPZ, ELO, REGISTRY]


class SyncAll(FleetTest):
    def raise_two(self, of_b):
        self.fleet.add_node("a", roles=["backup"], collections=ALL, acks=1)
        self.fleet.add_node("b", roles=["backup"], collections=of_b, acks=1)
        self.fleet.start_all()
        self.fleet.wait_connected()

    def fill(self, number):
        """Something new in each collection of a."""
        self.play("a", 2, db=f"selfplay-{number}.db")
        node = self.fleet.nodes["a"]
        for collection, name in (("models", f"m{number}.pth"), ("npz", f"t{number}.npz")):
            node.root(collection).mkdir(parents=True, exist_ok=True)
            (node.root(collection) / name).write_bytes(bytes([number]) * 300_000)
        for collection, file, table in (("elo", "unified_elo.db", "match_history"),
                                        ("registry", "model_registry.db", "models")):
            node.root(collection).mkdir(parents=True, exist_ok=True)
            with sqlite3.connect(node.root(collection) / file) as db:
                db.execute(f"CREATE TABLE IF NOT EXISTS {table} (game_id TEXT PRIMARY KEY, "
                           "participant_a TEXT, participant_b TEXT, winner TEXT, timestamp REAL)")
                db.execute(f"INSERT INTO {table} VALUES (?, 'x', 'y', 'x', ?)",
                           [f"row {number}", float(number)])
            db.close()

    def parts(self, answer):
        return {part["route"]["collection"]: part["success"] for part in answer["parts"]}

    def test_has_a_line_per_collection_and_is_done_when_each_is_durable(self):
        self.raise_two(ALL)
        self.fill(1)
        code, answer = self.fleet.cli("a", "sync", "all", "--timeout", "30")
        self.assertEqual((code, answer["success"]), (0, True), answer)
        self.assertEqual(self.parts(answer), dict.fromkeys((c["name"] for c in ALL), True))
        for collection in ALL:
            status = self.fleet.collection_status("a", collection["name"])
            self.assertGreater(status["known"], 0, collection["name"])
            self.assertEqual(status["durable"], status["known"], collection["name"])
        with self.subTest("for people: a line each"):
            text = self.fleet.run("--config", self.fleet.nodes["a"].config, "sync", "all")
            for collection in ALL:
                self.assertRegex(text, rf"(?m)^\W*{collection['name']}\b")

    def test_that_is_partly_done_exits_with_3_and_names_what_is_not(self):
        self.raise_two([c for c in ALL if c is not NPZ])
        self.fill(1)
        code, answer = self.fleet.cli("a", "sync", "all", "--timeout", "6")
        self.assertEqual((code, answer["success"]), (3, False), answer)
        self.assertEqual(self.parts(answer),
                         {c["name"]: c is not NPZ for c in ALL})
        failed = next(p for p in answer["parts"] if p["route"]["collection"] == "npz")
        self.assertTrue(failed["errors"], failed)


if __name__ == "__main__":
    unittest.main()
