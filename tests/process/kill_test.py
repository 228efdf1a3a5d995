"""kill -9 at random moments: nothing that was acknowledged is lost, nothing is doubled.

ROUNDS rounds on one fleet; each failure prints the seed. An acknowledged game is one that `status`
counted as durable, or that `flush` answered for.
"""

import os
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import games  # noqa: E402
from rig import DB, FleetTest, is_sanitized  # noqa: E402

ROUNDS = int(os.environ.get("SYNCLINE_KILL_ROUNDS", "20" if is_sanitized() else "200"))
SEED = int(os.environ.get("SYNCLINE_SEED", str(random.SystemRandom().randint(1, 10**9))))
NODES = ["a", "b", "c", "d"]
WRITERS = ["a", "b"]


class KillNine(FleetTest):
    def test_nothing_acknowledged_is_lost_or_doubled(self):
        print(f"seed {SEED}, {ROUNDS} rounds", file=sys.stderr)
        draw = random.Random(SEED)
        self.raise_fleet(names=NODES)
        acknowledged = set()
        kills = {"writer": 0, "daemon": 0, "machine": 0}
        for number in range(ROUNDS):
            self.keep_writing(draw)
            time.sleep(draw.random() * 0.4)
            kind = draw.choice(sorted(kills))
            victim = draw.choice(WRITERS if kind == "writer" else NODES)
            acknowledged |= self.flushed(draw)
            if kind == "writer":
                self.kill_writer(victim)
            else:
                self.fleet.kill9(victim, with_programs=kind == "machine")
            kills[kind] += 1
            if draw.random() < 0.3:
                time.sleep(draw.random() * 0.3)
            self.fleet.start(victim)
        for name in WRITERS:
            self.fleet.stop_programs(name)
        self.fleet.wait_connected(timeout=60)
        everything = set()
        for name in WRITERS:
            code, report = self.fleet.cli(name, "flush", "--deadline", "60")
            self.assertEqual(code, 0, f"seed {SEED}: {report}")
            everything |= games.completed_ids(self.source(name))
        self.assertFalse(acknowledged - everything, f"seed {SEED}: a source lost a game")
        for name in NODES:
            self.assert_clean(name, everything, *[self.source(w) for w in WRITERS], timeout=60)
        self.assertEqual(self.fleet.cli("c", "verify", "games")[0], 0, f"seed {SEED}")
        print(f"{kills}: {len(everything)} games, {len(acknowledged)} acknowledged in between, "
              "0 lost, 0 doubled", file=sys.stderr)

    def test_what_was_acknowledged_survives_a_machine_that_never_comes_back(self):
        draw = random.Random(SEED + 1)
        self.raise_fleet(names=NODES)
        self.fleet.start_selfplay("a", "--playouts", "2", "--games-per-second", "50", db=DB)
        acknowledged = set()
        until = time.monotonic() + 4 + draw.random() * 2
        while time.monotonic() < until:
            before = games.completed_ids(self.source("a"))
            if self.fleet.cli("a", "flush", "--deadline", "2")[0] == 0:
                acknowledged |= before
        self.fleet.kill9("a")
        self.assertGreater(len(acknowledged), 20, f"seed {SEED}")
        for name in NODES[1:]:
            self.assert_clean(name, acknowledged, self.source("a"), timeout=60)

    def keep_writing(self, draw):
        for name in WRITERS:
            node = self.fleet.nodes[name]
            node.programs = [p for p in node.programs if p.poll() is None]
            if not node.programs:
                mode = draw.choice(["wal", "delete"]) if not self.source(name).exists() else None
                self.fleet.start_selfplay(name, "--playouts", "2", "--games-per-second", "20",
                                          *(["--journal-mode", mode] if mode else []), db=DB)

    def kill_writer(self, name):
        for process in self.fleet.nodes[name].programs:
            process.kill()
            process.wait()
        self.fleet.nodes[name].programs = []

    def flushed(self, draw):
        """Games that a flush answered for: committed before it was asked."""
        name = draw.choice(WRITERS)
        before = games.completed_ids(self.source(name))
        code, _ = self.fleet.cli(name, "flush", "--deadline", "0.3")
        return before if code == 0 else set()


if __name__ == "__main__":
    unittest.main(verbosity=2)
