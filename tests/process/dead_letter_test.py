"""Records that a node cannot merge: seen in status, listed with the reason, merged after all."""

import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fleet import GAMES  # noqa: E402
from rig import FleetTest  # noqa: E402

RIGHT, WRONG = 'unit = "games"', 'unit = "gamez"'


class DeadLetters(FleetTest):
    def raise_with_a_mistake_on_b(self):
        for name in "ab":
            self.fleet.add_node(name, roles=["backup"], collections=[GAMES], acks=1)
        self.config = self.fleet.nodes["b"].config
        self.config.write_text(self.config.read_text().replace(RIGHT, WRONG))
        self.fleet.start_all()
        self.fleet.wait_connected()
        self.wanted = self.play("a", 4)
        self.fleet.wait_until(lambda: len(self.listed()) == 4, 30, "b to have set them aside")

    def listed(self):
        return self.fleet.ask("b", "dead-letter", "list")["dead_letters"]

    def test_are_no_secret_and_are_merged_once_the_mistake_is_mended(self):
        self.raise_with_a_mistake_on_b()
        with self.subTest("status says so and is not safe"):
            status = self.fleet.collection_status("b", "games")
            self.assertIn("4 records cannot be merged", status["problems"][0])
            self.assertEqual(self.fleet.cli("b", "status")[0], 1)
        with self.subTest("the list has the reason"):
            self.assertIn("there is no table 'gamez'", self.listed()[0]["reason"])
            self.assertTrue(all(row["id"].startswith("a/") for row in self.listed()))
        with self.subTest("nothing is lost: the sender's replica has them, and they are durable"):
            self.assert_clean("a", self.wanted, self.source("a"))
            self.assertEqual(self.fleet.collection_status("a", "games")["pending"], 0)
        with self.subTest("a retry with the mistake still there changes nothing"):
            code, answer = self.fleet.cli("b", "dead-letter", "retry")
            self.assertEqual((code, answer["changed"], answer["left"]), (1, 0, 4))
        self.fleet.stop("b")
        self.config.write_text(self.config.read_text().replace(WRONG, RIGHT))
        self.fleet.start("b")
        with self.subTest("after a restart status still says so"):
            self.fleet.wait_until(
                lambda: self.fleet.collection_status("b", "games")["problems"], 20, "the problem")
        with self.subTest("and then they are merged, each once and whole"):
            code, answer = self.fleet.cli("b", "dead-letter", "retry")
            self.assertEqual((code, answer["changed"], answer["left"]), (0, 4, 0))
            self.assert_clean("b", self.wanted, self.source("a"))
            self.assertEqual(self.fleet.collection_status("b", "games")["problems"], [])
            self.assertEqual(self.fleet.cli("b", "verify", "games")[0], 0)

    def test_are_dropped_on_demand_and_bad_ids_are_refused(self):
        self.raise_with_a_mistake_on_b()
        code, answer = self.fleet.cli("b", "dead-letter", "drop", "nonsense")
        self.assertEqual(code, 2, answer)
        one = self.listed()[0]["id"]
        code, answer = self.fleet.cli("b", "dead-letter", "drop", one)
        self.assertEqual((code, answer["changed"], answer["left"]), (0, 1, 3))
        self.assertNotIn(one, [row["id"] for row in self.listed()])
        code, answer = self.fleet.cli("b", "dead-letter", "bury")
        self.assertEqual(code, 2, answer)

    def test_python_handles_them_too(self):
        self.raise_with_a_mistake_on_b()
        socket = self.fleet.nodes["b"].folder / "state" / "api.sock"
        program = ("import asyncio, syncline\n"
                   "async def main():\n"
                   f"    client = syncline.Client('unix:{socket}')\n"
                   "    rows = await client.dead_letters()\n"
                   "    print(len(rows), await client.drop_dead_letters(rows[0].id))\n"
                   "asyncio.run(main())\n")
        python = pathlib.Path(__file__).resolve().parents[2] / "python"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              env={"PYTHONPATH": str(python), "PATH": "/usr/bin:/bin"})
        self.assertEqual(done.stdout.strip(), "4 (1, 3)", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
