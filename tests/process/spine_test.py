"""A finished game on one node is durable on two others, and proved so: real daemons, real games."""

import os
import pathlib
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from rig import FleetTest  # noqa: E402


class Games(FleetTest):
    def test_games_reach_every_replica_once_and_whole(self):
        self.raise_fleet()
        wanted = self.play("a", 20)
        answer = self.sync_ok("a", "games", "--confirm")
        self.assertEqual(sorted(answer["nodes_synced"]), ["a", "b", "c"])
        for name in "abc":
            self.assert_clean(name, wanted, self.source("a"))
        code, report = self.fleet.cli("b", "verify", "games")
        self.assertEqual(code, 0, report)

    def test_two_writers_on_two_nodes_unite(self):
        self.raise_fleet()
        wanted = self.play("a", 10, seed=1) | self.play("b", 10, seed=2)
        for name in "ab":
            self.assertEqual(self.fleet.cli(name, "flush", "--deadline", "20")[0], 0)
        for name in "abc":
            self.assert_clean(name, wanted, self.source("a"), self.source("b"))

    def test_a_game_under_way_is_left_alone_until_it_is_finished(self):
        self.raise_fleet()
        self.fleet.stop("a")  # so that it never sees the first game finished
        wanted = self.play("a", 3)
        with sqlite3.connect(self.source("a")) as db:
            first = next(iter(wanted))
            db.execute("UPDATE games SET completed_at = NULL WHERE game_id = ?", (first,))
        self.fleet.start("a")
        self.fleet.wait_connected()
        self.sync_ok("a", "games", "--confirm")
        self.assert_clean("b", wanted - {first})
        self.assertEqual(self.inspect("b", wanted).missing, [first])
        self.assertEqual(self.fleet.collection_status("a", "games")["open_units"], 1)
        with sqlite3.connect(self.source("a")) as db:
            db.execute("UPDATE games SET completed_at = '2026-01-01' WHERE game_id = ?", (first,))
        self.sync_ok("a", "games", "--confirm")
        self.assert_clean("b", wanted, self.source("a"))

    def test_a_node_that_was_away_catches_up_when_it_is_back(self):
        self.raise_fleet(names="abcd")
        self.fleet.kill9("d")
        wanted = self.play("a", 15)
        self.assertEqual(self.fleet.cli("a", "flush", "--deadline", "20")[0], 0)
        self.fleet.start("d")
        self.assert_clean("d", wanted, self.source("a"))

    def test_a_node_at_rest_rests_though_a_program_has_its_database_open(self):
        self.raise_fleet(names=("a", "b"), acks=1)
        wanted = self.play("a", 5)
        with sqlite3.connect(self.source("a")) as program:
            program.execute("SELECT count(*) FROM games").fetchall()
            self.assert_clean("b", wanted, self.source("a"))

            def used_s(name):
                stat = pathlib.Path(f"/proc/{self.fleet.nodes[name].process.pid}/stat").read_text()
                fields = stat.rpartition(")")[2].split()
                return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            # Whatever is still under way ends; a look that called for the next one never did.
            self.fleet.wait_until(lambda: self.rests(used_s), 20, "both daemons to rest")

    def rests(self, used_s):
        before = {name: used_s(name) for name in "ab"}
        time.sleep(2)
        return all(used_s(name) - before[name] < 0.2 for name in "ab")

    def test_a_restart_goes_on_where_it_was(self):
        self.raise_fleet()
        wanted = self.play("a", 5)
        self.sync_ok("a", "games")
        self.assertEqual(self.fleet.stop("a"), 0)
        wanted |= self.play("a", 5, db="second.db", seed=9)
        self.fleet.start("a")
        self.assertEqual(self.fleet.cli("a", "flush", "--deadline", "20")[0], 0)
        for name in "abc":
            self.assert_clean(name, wanted, self.source("a"), self.source("a", "second.db"))
        status = self.fleet.collection_status("a", "games")
        self.assertEqual(status["known"], len(wanted), "nothing was journalled twice")

    def test_flush_says_what_is_not_durable_when_nobody_is_there(self):
        self.raise_fleet()
        for name in "bc":
            self.fleet.kill9(name)
        wanted = self.play("a", 4)
        code, report = self.fleet.cli("a", "flush", "--deadline", "3")
        self.assertEqual(code, 4, report)
        self.assertFalse(report["is_durable"])
        pending = {row["name"]: row for row in report["pending"]}
        self.assertEqual(pending["games"]["pending"], len(wanted))
        status = self.fleet.collection_status("a", "games")
        self.assertEqual(status["pending"], len(wanted))
        self.assertTrue(status["why"], "status says why nothing becomes durable")
        for name in "bc":
            self.fleet.start(name)
        self.assertEqual(self.fleet.cli("a", "flush", "--deadline", "20")[0], 0)

    def test_a_replica_that_somebody_removed_is_made_again(self):
        self.raise_fleet()
        wanted = self.play("a", 8)
        self.sync_ok("a", "games", "--confirm")
        self.assert_clean("b", wanted)
        self.fleet.kill9("b")
        replica = self.fleet.nodes["b"].replica("games")
        for path in replica.parent.glob(replica.name + "*"):
            path.unlink()
        self.fleet.start("b")
        self.assert_clean("b", wanted, self.source("a"))


class Requests(FleetTest):
    def test_every_argument_is_honoured_or_refused(self):
        self.raise_fleet()
        wanted = self.play("a", 6)
        answer = self.sync_ok("a", "games", "--target", "b", "--confirm")
        self.assertEqual(answer["nodes_synced"], ["b"])
        answer = self.sync_ok("a", "games", "--exclude", "b", "--confirm")
        self.assertNotIn("b", answer["nodes_synced"])
        answer = self.sync_ok("a", "games", "--board-type", "hex8", "--num-players", "2")
        self.assertEqual(answer["details"]["goal"], f"{len(wanted)} records")
        refused = [
            (["gmaes"], "games"),                               # nearest name
            (["games", "--target", "nobody"], "nobody"),
            (["games", "--board-type", "hex9"], "hex9"),
            (["games", "--transport", "pigeon"], "pigeon"),
            (["games", "--target", "b", "--exclude", "b"], "b"),
        ]
        for arguments, word in refused:
            code, answer = self.fleet.cli("a", "sync", *arguments)
            self.assertIn(code, (1, 2), arguments)
            self.assertIn(word, str(answer), arguments)

    def test_explain_gives_a_reason_for_every_node_and_moves_nothing(self):
        self.raise_fleet()
        self.fleet.kill9("c")
        self.play("a", 2)
        code, answer = self.fleet.cli("a", "sync", "games", "--dry-run")
        self.assertEqual(code, 0, answer)
        verdicts = {v["node"]: v for v in answer["route"]["verdicts"]}
        self.assertEqual(set(verdicts), {"a", "b", "c"})
        self.assertTrue(all(v["reason"] for v in verdicts.values()), verdicts)
        self.assertFalse(verdicts["c"]["is_chosen"])

    def test_a_target_that_cannot_be_reached_is_no_success(self):
        self.raise_fleet()
        self.play("a", 2)
        self.fleet.kill9("c")
        code, answer = self.fleet.cli("a", "sync", "games", "--target", "c", "--timeout", "2")
        self.assertNotEqual(code, 0)
        self.assertFalse(answer["success"])
        self.assertIn("c", " ".join(answer["errors"]))

    def test_no_daemon_is_exit_code_5(self):
        self.raise_fleet(names="a")
        self.fleet.stop("a")
        self.assertEqual(self.fleet.cli("a", "status")[0], 5)


class Files(FleetTest):
    def publish(self, name, relative, content):
        path = self.fleet.nodes[name].root("models") / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".tmp")
        part.write_bytes(content)
        part.rename(path)
        return path

    def test_a_model_reaches_every_node_as_it_is(self):
        self.raise_fleet()
        content = bytes(range(256)) * 20000 + b"end"
        self.publish("a", "deep/canonical_hex8_2p.pth", content)
        answer = self.sync_ok("a", "models", "--confirm")
        self.assertEqual(sorted(answer["nodes_synced"]), ["a", "b", "c"])
        for name in "bc":
            copy = self.fleet.nodes[name].root("models") / "deep/canonical_hex8_2p.pth"
            self.assertEqual(copy.read_bytes(), content)

    def test_a_new_version_replaces_the_old_one_everywhere(self):
        self.raise_fleet()
        self.publish("a", "m.pth", b"one" * 100000)
        self.sync_ok("a", "models", "--confirm")
        self.publish("b", "m.pth", b"two" * 100000)
        self.sync_ok("b", "models", "--confirm")
        for name in "abc":
            copy = self.fleet.nodes[name].root("models") / "m.pth"
            self.assertEqual(copy.read_bytes()[:3], b"two", name)

    def test_versions_made_apart_are_both_kept(self):
        self.raise_fleet(acks=1)
        self.publish("a", "m.pth", b"base" * 1000)
        self.sync_ok("a", "models", "--confirm")
        self.fleet.kill9("b")
        self.publish("a", "m.pth", b"from a" * 1000)
        self.sync_ok("a", "models", "--exclude", "b", "--confirm")
        self.publish("b", "m.pth", b"from b" * 1000)
        self.fleet.start("b")

        def both():
            contents = {p.read_bytes()[:6]
                        for p in self.fleet.nodes["b"].root("models").glob("m*.pth")}
            return contents == {b"from a", b"from b"}
        self.fleet.wait_until(both, 20, "b to keep both versions")

    def test_a_deletion_is_not_replicated(self):
        self.raise_fleet()
        path = self.publish("a", "m.pth", b"x" * 5000)
        self.sync_ok("a", "models", "--confirm")
        path.unlink()
        self.sync_ok("b", "models", "--confirm")
        self.assertTrue((self.fleet.nodes["b"].root("models") / "m.pth").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
