"""Hosts without a daemon: polled over SSH for what programs write there, and given files."""

import os
import pathlib
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import games  # noqa: E402
from fleet import GAMES, MODELS, FleetError, toml_text  # noqa: E402
from rig import FleetTest  # noqa: E402
from sshd import Sshd  # noqa: E402

EVERY_S = 1


class Agentless(FleetTest):
    def setUp(self):
        super().setUp()
        self.sshd = Sshd().__enter__()
        self.addCleanup(self.sshd.__exit__)
        self.there = self.folder / "far"          # what the host's programs see
        for name in ("games", "models", "given"):
            (self.there / name).mkdir(parents=True)

    def raise_two(self, collect=None, deliver=None):
        """`home` polls the host; `backup` has what home has."""
        self.fleet.add_node("home", roles=["coordinator"], acks=1, collections=[GAMES, MODELS],
                            settings={"ssh": {**self.sshd.settings, "user": ""}})
        self.fleet.add_node("backup", roles=["backup"], acks=1, collections=[GAMES, MODELS])
        config = self.fleet.nodes["home"].config
        host = {"name": "far", "host": "127.0.0.1", "every_s": EVERY_S, "pause_max_s": 2}
        if collect is None:
            collect = {"games": self.there / "games", "models": self.there / "models"}
        if collect:
            host["collect"] = collect
        if deliver:
            host["deliver"] = deliver
        text = toml_text({"[agentless]": host}, [])
        config.write_text(config.read_text() + "\n" + text)
        self.fleet.stop("home")
        self.fleet.start_all()
        self.fleet.wait_connected()

    def host(self):
        return self.fleet.status("home")["agentless"][0]

    def play_there(self, count, seed=1, db="selfplay.db"):
        subprocess.run([self.fleet.selfplay, "--db", self.there / "games" / db, "--games",
                        str(count), "--playouts", "2", "--seed", str(seed)], check=True,
                       stdout=subprocess.DEVNULL)
        return games.completed_ids(self.there / "games" / db)

    def test_games_that_programs_write_there_are_durable_here_each_once(self):
        self.raise_two()
        source = self.there / "games" / "live.db"
        with open(self.folder / "selfplay.log", "wb") as log:
            program = self.fleet.spawn([self.fleet.selfplay, "--db", source, "--playouts", "2",
                                        "--games-per-second", "20"], log)
        self.fleet.nodes["home"].programs.append(program)  # it is stopped with the fleet
        self.fleet.wait_until(lambda: len(games.completed_ids(source)) > 5, 30, "games")
        self.fleet.wait_until(
            lambda: self.fleet.collection_status("backup", "games")["replica_units"] > 3, 30,
            "games to arrive while the program runs")
        self.fleet.kill9("home", with_programs=False)  # in the middle of whatever it does
        self.fleet.start("home")
        self.fleet.stop_programs("home")
        wanted = games.completed_ids(source)
        self.sync_ok("home", "games")  # a request is answered after a look that began after it
        for name in ("home", "backup"):
            self.assert_clean(name, wanted, source)
        self.assertTrue(self.host()["taken"])
        self.assertFalse(self.host()["problems"])
        with self.subTest("the source is untouched"):
            with sqlite3.connect(source) as db:
                self.assertEqual(db.execute("PRAGMA quick_check").fetchone(), ("ok",))

    def test_a_sync_brings_what_was_there_when_it_was_asked_for(self):
        self.raise_two()
        self.fleet.wait_until(lambda: self.host()["looked_age_s"] is not None, 20, "a first look")
        for seed in (1, 2, 3):
            wanted = self.play_there(2, seed, f"{seed}.db")
            code, answer = self.fleet.cli("home", "sync", "games", "--target", "backup")
            self.assertEqual(code, 0, answer)
            self.assertFalse(self.inspect("backup", wanted).missing)

    def test_an_unchanged_database_is_not_copied_again_not_even_after_a_restart(self):
        self.raise_two()
        self.play_there(3)
        self.fleet.wait_until(lambda: self.host()["taken"] == 1, 20, "the first copy")
        self.fleet.stop("home")
        self.fleet.start("home")
        self.fleet.wait_until(
            lambda: self.host()["looked_age_s"] is not None, 20, "a look after the restart")
        time.sleep(2 * EVERY_S)
        self.assertEqual(self.host()["taken"], 0)

    def test_models_are_taken_once_settled_and_never_half(self):
        self.raise_two()
        content = os.urandom(3_000_000)
        target = self.there / "models" / "m.pth"
        with open(target, "wb") as out:  # a program that takes its time
            for at in range(0, len(content), 500_000):
                out.write(content[at:at + 500_000])
                out.flush()
                time.sleep(0.4)
                here = self.fleet.nodes["home"].root("models") / "m.pth"
                self.assertFalse(here.exists(), "taken half")
        for name in ("home", "backup"):
            landed = self.fleet.nodes[name].root("models") / "m.pth"
            self.fleet.wait_until(
                lambda: landed.exists() and landed.read_bytes() == content, 30, f"m.pth on {name}")

    def test_a_younger_version_here_is_never_replaced_by_an_older_one_there(self):
        (self.there / "models" / "m.pth").write_bytes(b"older")
        os.utime(self.there / "models" / "m.pth", (1_600_000_000, 1_600_000_000))
        self.raise_two()
        here = self.fleet.nodes["home"].root("models") / "m.pth"
        here.parent.mkdir(parents=True, exist_ok=True)
        already_taken = here.exists()  # it was polled before we came
        here.write_bytes(b"younger")
        self.fleet.wait_until(
            lambda: already_taken or self.host()["problems"], 20, "it to be told")
        time.sleep(2 * EVERY_S)
        self.assertEqual(here.read_bytes(), b"younger")
        self.assertEqual((self.there / "models" / "m.pth").read_bytes(), b"older")

    def test_files_are_delivered_there_and_what_others_wrote_is_kept(self):
        (self.there / "given" / "theirs.pth").write_bytes(b"written there")
        self.raise_two(collect={}, deliver={"models": self.there / "given"})
        models = self.fleet.nodes["backup"].root("models")
        (models / "theirs.pth").write_bytes(b"another of that name")
        content = os.urandom(2_000_000)
        (models / "sub").mkdir()
        (models / "sub" / "m.pth").write_bytes(content)
        landed = self.there / "given" / "sub" / "m.pth"
        self.fleet.wait_until(
            lambda: landed.exists() and landed.read_bytes() == content, 30, "the delivery")
        self.fleet.wait_until(lambda: self.host()["problems"], 20, "the conflict to be told")
        self.assertEqual((self.there / "given" / "theirs.pth").read_bytes(), b"written there")
        with self.subTest("a newer version follows"):
            newer = os.urandom(2_000_000)
            (models / "sub" / "m.pth").write_bytes(newer)
            self.fleet.wait_until(lambda: landed.read_bytes() == newer, 30, "the newer version")

    def test_a_sync_to_a_host_without_a_daemon_is_answered_once_its_files_are_there(self):
        self.raise_two(collect={}, deliver={"models": self.there / "given"})
        self.fleet.wait_until(lambda: self.host()["looked_age_s"] is not None, 20, "a first look")
        content = os.urandom(2_000_000)
        models = self.fleet.nodes["home"].root("models")
        (models / "m.pth").write_bytes(content)
        self.sync_ok("home", "models", "--target", "home")  # it is known and stands still
        answer = self.sync_ok("home", "models", "--target", "far")
        self.assertEqual(answer["nodes_synced"], ["far"])
        self.assertEqual((self.there / "given" / "m.pth").read_bytes(), content)
        with self.subTest("what cannot be given is refused by its reason"):
            code, answer = self.fleet.cli("home", "sync", "games", "--target", "far")
            self.assertNotEqual(code, 0)
            self.assertIn("no daemon to merge records", str(answer["errors"]))
        with self.subTest("the way is told before anything moves"):
            code, answer = self.fleet.cli("home", "route", "models", "--target", "far")
            self.assertEqual(answer["verdicts"][0]["transport"], "ssh", answer)
        with self.subTest("a host that is away is no success"):
            self.sshd.stop()
            code, answer = self.fleet.cli("home", "sync", "models", "--target", "far")
            self.assertNotEqual(code, 0)
            self.assertFalse(answer["nodes_synced"])
            self.assertIn("refuses connections", str(answer["errors"]))

    def test_a_host_that_is_away_is_seen_at_once_and_taken_up_when_it_is_back(self):
        self.raise_two()
        self.play_there(1)
        self.fleet.wait_until(lambda: self.host()["taken"] == 1, 20, "the first copy")
        self.sshd.stop()
        self.fleet.wait_until(lambda: self.host()["state"] == "unreachable", 30, "it to be missed")
        self.fleet.wait_until(lambda: self.host()["is_late"], 30, "it to be late")
        code, status = self.fleet.cli("home", "status")
        self.assertEqual((code, status["is_safe"]), (1, False))
        text = subprocess.run(
            [self.fleet.program, "--config", self.fleet.nodes["home"].config, "status"],
            capture_output=True, text=True, check=False).stdout
        self.assertIn("host far", text)
        self.assertIn("refuses connections", text)
        kinds = [e["type"] for e in self.fleet.ask("home", "events")["events"]]
        self.assertEqual(kinds.count("agentless_failed"), 1, "told once, not with each try")
        wanted = self.play_there(2, seed=2)
        self.sshd.start()
        self.assert_clean("backup", wanted, timeout=30)
        self.assertFalse(self.host()["is_late"])

    def test_the_older_command_polls_the_other_hosts_of_a_hosts_file(self):
        self.fleet.add_node("home", roles=["coordinator"], acks=1, collections=[GAMES],
                            settings={"ssh": self.sshd.settings})
        node = self.fleet.nodes["home"]
        there = self.there / "data" / "games"
        there.mkdir(parents=True)
        subprocess.run([self.fleet.selfplay, "--db", there / "jsonl_aggregated.db", "--games", "3",
                        "--playouts", "2"], check=True, stdout=subprocess.DEVNULL)
        wanted = games.completed_ids(there / "jsonl_aggregated.db")
        (node.folder / "hosts.yaml").write_text(
            "hosts:\n  home: {role: coordinator}\n"
            f"  far: {{role: selfplay, ssh_host: 127.0.0.1, ssh_port: {self.sshd.port}, "
            f"ssh_key: '{self.sshd.settings['key_file']}', ringrift_path: '{self.there}'}}\n")
        command = pathlib.Path(__file__).resolve().parents[2] / "python" / "unified_data_sync"
        with open(node.log, "wb") as log:
            older = subprocess.Popen([sys.executable, command, "--hosts", "hosts.yaml"],
                                     cwd=node.folder, stdout=log, stderr=log,
                                     env={**os.environ, "SYNCLINE_PROGRAM": self.fleet.program})
        self.addCleanup(older.wait, 60)
        self.addCleanup(older.terminate)

        def has_come():
            try:
                rows = self.fleet.status("home")["collections"]
            except FleetError:  # it starts
                return False
            return any(c["name"] == "games" and c["replica_units"] == len(wanted) for c in rows)
        self.fleet.wait_until(has_come, 60, f"the games of the host; {node.log.read_text()}")
        self.assertEqual(self.host()["id"], "far")

    def test_what_cannot_work_is_refused_by_name(self):
        self.raise_two()
        node = self.fleet.nodes["home"]
        good = node.config.read_text()
        cases = [
            ('collect = { "games"', 'collect = { "gmaes"', "games"),
            ('every_s = 1', 'every_m = 1', "every_s"),
            ('host = "127.0.0.1"', 'host = ""', "host"),
        ]
        for before, after, hint in cases:
            with self.subTest(after):
                self.assertIn(before, good)
                broken = self.folder / "broken.toml"
                broken.write_text(good.replace(before, after))
                done = subprocess.run([self.fleet.program, "config", "check", broken],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(hint, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
