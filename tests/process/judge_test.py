"""The judge must see every kind of damage: each is planted in a copy of real games."""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import fleet  # noqa: E402
import games  # noqa: E402

BUILD = pathlib.Path(os.environ.get("SYNCLINE_BUILD", fleet.ROOT / "build"))


class Judge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="judge-"))
        cls.source = cls.folder / "source.db"
        subprocess.run([BUILD / "examples" / "hex_selfplay", "--db", cls.source, "--games", "5",
                        "--playouts", "4", "--seed", "7"], check=True, stdout=subprocess.DEVNULL)
        cls.written, cls.columns = games.digests(cls.source)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def judge(self, *damage):
        replica = self.folder / "replica.db"
        replica.unlink(missing_ok=True)
        with sqlite3.connect(self.source) as source, sqlite3.connect(replica) as copy:
            source.backup(copy)
        with sqlite3.connect(replica) as copy:
            for sql in damage:
                copy.execute(sql)
        return games.inspect(replica, set(self.written), self.written, self.columns)

    def test_a_true_copy_is_clean(self):
        found = self.judge()
        self.assertTrue(found.is_clean, found)
        self.assertEqual(found.games, 5)

    def test_a_true_copy_with_rows_in_another_order_and_a_new_column_is_clean(self):
        found = self.judge("ALTER TABLE games ADD COLUMN extra TEXT",
                           "UPDATE game_moves SET rowid = rowid + 100000 WHERE move_number = 1")
        self.assertTrue(found.is_clean, found)

    def test_a_lost_game_is_seen(self):
        victim = "(SELECT min(game_id) FROM games)"
        found = self.judge(*(f"DELETE FROM {t} WHERE game_id = {victim}"
                             for t in reversed(list(games.TABLES))))
        self.assertEqual(len(found.missing), 1)

    def test_a_lost_move_is_seen(self):
        found = self.judge("DELETE FROM game_moves WHERE rowid = 3")
        self.assertEqual(len(found.torn), 1)

    def test_a_lost_last_move_is_seen(self):
        found = self.judge("DELETE FROM game_moves WHERE (game_id, move_number) IN "
                           "(SELECT game_id, max(move_number) FROM game_moves GROUP BY game_id)")
        self.assertEqual(len(found.torn), 5)

    def test_orphans_are_seen(self):
        found = self.judge("DELETE FROM games WHERE game_id = (SELECT max(game_id) FROM games)")
        self.assertEqual((len(found.missing), len(found.torn)), (1, 1))

    def test_a_lost_player_is_seen(self):
        self.assertEqual(len(self.judge("DELETE FROM game_players WHERE rowid = 1").torn), 1)

    def test_a_doubled_game_is_seen(self):
        found = self.judge("CREATE TABLE copy AS SELECT * FROM games", "DROP TABLE games",
                           "CREATE TABLE games AS SELECT * FROM copy UNION ALL "
                           "SELECT * FROM copy WHERE game_id = (SELECT min(game_id) FROM copy)")
        self.assertEqual(len(found.doubled), 1)

    def test_a_doubled_move_is_seen(self):
        found = self.judge("CREATE TABLE copy AS SELECT * FROM game_moves",
                           "DROP TABLE game_moves", "ALTER TABLE copy RENAME TO game_moves",
                           "INSERT INTO game_moves SELECT * FROM game_moves WHERE rowid = 4")
        self.assertEqual(len(found.doubled), 1)

    def test_a_changed_cell_is_seen(self):
        self.assertEqual(len(self.judge("UPDATE games SET quality_score = 2 WHERE rowid = 1")
                             .changed), 1)
        self.assertEqual(len(self.judge("UPDATE game_moves SET move_json = '{}' WHERE rowid = 9")
                             .changed), 1)

    def test_an_unfinished_game_in_a_replica_is_torn(self):
        found = self.judge("UPDATE games SET completed_at = NULL WHERE rowid = 2")
        self.assertEqual(len(found.torn), 1)


class Toml(unittest.TestCase):
    def test_values_are_written_as_toml(self):
        text = fleet.toml_text({"node": {"id": 'a"b', "acks": 2, "on": True}},
                               [{"include": ["**/*.db"], "placement": {"nodes": ["*"]}}])
        try:
            import tomllib
        except ImportError:
            self.skipTest("this Python has no tomllib")
        read = tomllib.loads(text)
        self.assertEqual(read["node"], {"id": 'a"b', "acks": 2, "on": True})
        self.assertEqual(read["collection"][0]["placement"], {"nodes": ["*"]})


class Ports(unittest.TestCase):
    def test_ports_lie_below_the_kernels_own_range(self):
        self.assertTrue(all(12000 <= fleet.free_port() < 30000 for _ in range(20)))


if __name__ == "__main__":
    unittest.main()
