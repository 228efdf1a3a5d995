"""A registry tells of a model only once the model itself is safe."""

import os
import pathlib
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import MODELS  # noqa: E402
from rig import FleetTest  # noqa: E402

REGISTRY = {
    "name": "registry", "kind": "sqlite", "root": "data/registry", "include": ["model_registry.db"],
    "replica": "data/replica/registry.db", "copies": 2,
    "tables": {"versions": {"rule": "latest", "latest_by": "updated_at"}},
    "announces": {"table": "versions", "column": "file_path", "collection": "models"},
}


class Registry(FleetTest):
    def raise_two(self):
        for name in ("a", "b"):
            self.fleet.add_node(name, roles=["backup"], acks=1, collections=[MODELS, REGISTRY])
        self.fleet.start_all()
        self.fleet.wait_connected()
        with sqlite3.connect(self.database()) as db:
            db.execute("CREATE TABLE versions (id INTEGER PRIMARY KEY AUTOINCREMENT, "
                       "model_id TEXT, version INTEGER, stage TEXT, file_path TEXT, "
                       "updated_at TEXT, UNIQUE (model_id, version))")

    def database(self):
        return self.fleet.nodes["a"].root("registry") / "model_registry.db"

    def publish(self, version, content):
        """As a training program does it: the file, then the row."""
        model = self.fleet.nodes["a"].root("models") / f"hex8_v{version}.pth"
        if content is not None:
            model.write_bytes(content)
        with sqlite3.connect(self.database()) as db:
            db.execute("INSERT INTO versions (model_id, version, stage, file_path, updated_at) "
                       "VALUES ('hex8', ?, 'staging', ?, datetime('now'))", [version, str(model)])

    def announced_at(self, name):
        replica = self.fleet.nodes[name].replica("registry")
        try:
            with sqlite3.connect(f"file:{replica}?mode=ro", uri=True) as db:
                return {row[0] for row in db.execute("SELECT version FROM versions")}
        except sqlite3.OperationalError:
            return set()

    def told(self, name):
        return self.fleet.collection_status(name, "registry")["announced"]

    def test_a_version_is_told_of_only_once_its_model_is_durable(self):
        self.raise_two()
        content = os.urandom(500_000)
        self.publish(1, content)
        self.fleet.wait_until(lambda: self.announced_at("b") == {1}, 20, "the first version")
        self.fleet.stop("b")
        self.publish(2, os.urandom(500_000))
        self.fleet.wait_until(lambda: "hex8_v2.pth" in self.told("a"), 20, "a to say why")
        self.assertEqual(self.announced_at("a"), {1}, "not even here: nobody could fetch it")
        text = self.fleet.run("--config", self.fleet.nodes["a"].config, "nodes")
        self.assertIn("b", text)
        self.fleet.start("b")
        self.fleet.wait_until(lambda: self.announced_at("b") == {1, 2}, 30, "the second version")
        landed = self.fleet.nodes["b"].root("models") / "hex8_v2.pth"
        self.assertTrue(landed.exists(), "the row came before the model")
        self.fleet.wait_until(lambda: self.told("a") == "", 20, "nothing to be left to say")

    def test_one_sync_of_all_brings_both(self):
        self.raise_two()
        self.publish(1, os.urandom(2_000_000))
        code, answer = self.fleet.cli("a", "sync", "all", "--timeout", "40")
        self.assertEqual(code, 0, answer)
        self.assertEqual(self.announced_at("b"), {1})

    def test_a_version_whose_model_is_nowhere_travels_and_is_named(self):
        self.raise_two()
        self.publish(7, None)
        self.fleet.wait_until(lambda: self.announced_at("b") == {7}, 20, "the row: it is data too")
        self.fleet.wait_until(lambda: "hex8_v7.pth" in self.told("b"), 20, "b to name the file")
        self.assertIn("in no node's models", self.told("b"))


if __name__ == "__main__":
    unittest.main()
