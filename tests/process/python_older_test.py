"""The older programs' names in Python: each works, keeps its results' fields, and warns with the
new call."""

import ast
import asyncio
import logging
import pathlib
import shutil
import sys
import tempfile
import unittest
import unittest.mock
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "python")]

import syncline  # noqa: E402
from recorded_daemon import RecordedDaemon  # noqa: E402
from schema import Schema  # noqa: E402
from syncline import older_values  # noqa: E402

OLDER_FIELDS = ("success", "backend_used", "nodes_synced", "bytes_transferred", "duration_seconds",
                "errors", "details")
CLASSES = (syncline.SyncCoordinator, syncline.SyncScheduler, syncline.UnifiedDataSyncService,
           syncline.SyncOrchestrator, syncline.AutoSyncDaemon, syncline.ClusterDataSyncDaemon,
           syncline.SyncRouter, syncline.EphemeralSyncDaemon)


class Older(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-older-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.daemon = self.enterContext(RecordedDaemon(folder / "api.sock"))
        facade = syncline.SyncFacade(syncline.Client(self.daemon.address))
        patch = unittest.mock.patch.object(syncline.facade, "_facade", facade)
        self.enterContext(patch)

    def warned(self, call, wanted):
        """What `call` answers; it must have warned, here, with the new call in the text."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            answer = call()
            if asyncio.iscoroutine(answer):
                answer = asyncio.run(asyncio.wait_for(answer, 30))
        mine = [w for w in caught if issubclass(w.category, DeprecationWarning)]
        self.assertTrue(mine, "no DeprecationWarning")
        self.assertIn("deprecated; call instead: ", str(mine[0].message))
        self.assertIn(wanted, str(mine[0].message))
        self.assertEqual(mine[0].filename, __file__, "the warning shows the caller's line")
        return answer

    def quietly(self, call):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call()

    def asked(self):
        return self.daemon.asked[-1]

    def test_making_any_of_the_eight_warns_with_the_new_call(self):
        for cls in CLASSES:
            with self.subTest(cls.__name__):
                self.warned(cls, cls._call)
        self.assertEqual(len(CLASSES), 8)

    def test_every_new_call_that_is_python_is_an_expression_of_names_that_exist(self):
        """A call that is shown and does not work would be worse than none."""
        source = (ROOT / "python" / "syncline" / "older.py").read_text()
        calls = [node.args[0].value for node in ast.walk(ast.parse(source))
                 if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "instead"]
        self.assertGreater(len(calls), 25)
        for call in calls:
            code = call.split(": ")[0]
            if "syncline." not in code:
                self.assertRegex(call, r"^(syncline daemon|systemctl stop syncline)$")
                continue
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "syncline":
                    self.assertTrue(hasattr(syncline, node.attr), call)
                elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call):
                    self.assertTrue(hasattr(syncline.Client, node.attr), call)

    def test_methods_that_sync_ask_for_what_they_always_meant(self):
        for cls, method, data_type in (
                (syncline.SyncCoordinator, "sync_games", "games"),
                (syncline.SyncCoordinator, "sync_models", "models"),
                (syncline.SyncCoordinator, "sync_training_data", "npz"),
                (syncline.SyncCoordinator, "full_cluster_sync", "all"),
                (syncline.SyncOrchestrator, "sync_all", "all"),
                (syncline.SyncOrchestrator, "sync_data", "games"),
                (syncline.SyncOrchestrator, "sync_models", "models"),
                (syncline.SyncOrchestrator, "sync_elo", "elo"),
                (syncline.SyncOrchestrator, "sync_registry", "registry"),
                (syncline.UnifiedDataSyncService, "sync_once", "all"),
                (syncline.AutoSyncDaemon, "sync_now", "games")):
            with self.subTest(f"{cls.__name__}.{method}"):
                older = self.quietly(cls)
                response = self.warned(getattr(older, method), f'syncline.sync("{data_type}")')
                self.assertEqual(self.asked()[:2], ("POST /v1/sync", {
                    "data_type": data_type, "priority": "normal", "timeout_s": 300.0}))
                for field in OLDER_FIELDS:
                    self.assertTrue(hasattr(response, field), field)

    def test_arguments_are_honoured_or_refused(self):
        older = self.quietly(syncline.SyncCoordinator)
        self.warned(lambda: older.sync_games(targets=["a"], board_type="hex8"), "sync(")
        self.assertEqual(self.asked()[1]["targets"], ["a"])
        self.assertEqual(self.asked()[1]["board_type"], "hex8")
        with self.assertRaises(TypeError):
            self.quietly(lambda: asyncio.run(older.sync_games(moon_phase="full")))
        with self.assertRaises(TypeError):
            self.quietly(lambda: syncline.AutoSyncDaemon(interval=60))

    def test_the_leaders_push_has_high_priority_and_the_spots_its_own_path(self):
        cluster = self.warned(syncline.get_cluster_data_sync_daemon, 'priority="high"')
        self.warned(cluster.trigger_sync, 'priority="high"')
        self.assertEqual(self.asked()[1]["priority"], "high")
        spot = self.warned(syncline.get_ephemeral_sync_daemon, "prefer_ephemeral=True")
        self.warned(spot.sync_now, "prefer_ephemeral=True")
        self.assertIs(self.asked()[1]["prefer_ephemeral"], True)

    def test_a_spot_hosts_game_is_told_and_waited_for(self):
        spot = self.quietly(syncline.EphemeralSyncDaemon)
        self.assertIsNone(self.warned(lambda: spot.on_game_complete("g-1"), "notify"))
        self.assertEqual(self.asked()[1],
                         {"event": "game-completed", "details": {"game_id": "g-1"}})
        report = self.warned(lambda: spot.on_game_complete("g-2", write_through=True), "notify")
        self.assertIs(report.is_durable, True)
        self.assertEqual(self.asked()[1], {"acks": 0, "deadline_s": 60.0})
        self.warned(spot.final_sync, "flush")
        self.assertEqual(self.asked()[1]["deadline_s"], 30.0)
        status = Schema("status").sample()
        status["collections"][0].update(name="games", pending=3)
        self.daemon.overrides["GET /v1/status"] = (200, status, {})
        self.assertEqual(self.warned(spot.games_at_risk, "status()"), 3)

    def test_the_scheduler_reports_and_recommends_what_is_oldest_beyond_its_target_first(self):
        row = {"config_key": "hex8_2p", "next_run_s": None, "waiting_for": "a second copy"}
        self.daemon.overrides["GET /v1/freshness"] = (200, {"freshness": [
            {**row, "collection": "npz", "age_s": 10.0, "target_s": 60.0},
            {**row, "collection": "games", "age_s": 90.0, "target_s": 60.0},
            {**row, "collection": "elo", "age_s": 0.0, "target_s": 60.0, "waiting_for": ""}]}, {})
        found = self.warned(syncline.get_sync_recommendations, "freshness()")
        self.assertEqual([(r.data_type, r.priority) for r in found],
                         [("games", "high"), ("npz", "normal")])
        self.assertEqual(found[0].call, 'await syncline.sync("games", priority="high")')
        status = self.warned(syncline.get_cluster_data_status, "status()")
        self.assertEqual((status.total_hosts, status.healthy_hosts, status.stale_hosts), (2, 1, 1))
        older = self.quietly(syncline.SyncScheduler)
        self.assertEqual(self.warned(older.get_cluster_data_status, "status()"), status)
        self.assertEqual(self.warned(older.get_sync_recommendations, "freshness()"), found)

    def test_a_scheduled_priority_sync_is_an_answer_or_inside_a_loop_a_task(self):
        response = self.warned(lambda: syncline.schedule_priority_sync(reason="behind"),
                               "trigger_priority_sync")
        self.assertEqual(response.details["reason"], "behind")
        self.assertEqual(self.asked()[1]["priority"], "high")

        async def inside():
            return await syncline.schedule_priority_sync(reason="again", data_type="models")
        response = self.quietly(lambda: asyncio.run(inside()))
        self.assertEqual(response.details["reason"], "again")
        self.assertEqual(self.asked()[1]["data_type"], "models")

    def test_the_router_answers_targets_and_sources_with_reasons(self):
        verdict = {"score": 9.0, "reason": "base 50", "transport": "p2p"}
        self.daemon.overrides["GET /v1/routes"] = (200, {
            "collection": "games", "backend": "hybrid", "why": "nothing special", "verdicts": [
                {**verdict, "node": "a", "is_chosen": True},
                {**verdict, "node": "full", "is_chosen": False},
                {**verdict, "node": "b", "is_chosen": True}]}, {})
        router = self.warned(syncline.get_sync_router, "route(")
        targets = self.warned(lambda: router.get_sync_targets("games"), "route(")
        self.assertEqual([t.node_id for t in targets], ["a", "b"])
        self.assertEqual(targets[0].reason, "base 50")
        first = self.quietly(lambda: router.get_sync_targets("games", max_targets=1))
        self.assertEqual([t.node_id for t in first], ["a"])
        self.assertIs(self.warned(lambda: router.should_sync_to_node("full"), "route("), False)
        status = Schema("status").sample()
        status["peers"][0].update(id="spot", is_ephemeral=True)
        origin = {"held": 1, "age_s": 1.0}
        status["collections"][0].update(name="games", origins=[
            {**origin, "origin": "big", "known": 90}, {**origin, "origin": "spot", "known": 2}])
        self.daemon.overrides["GET /v1/status"] = (200, status, {})
        sources = self.warned(router.get_sync_sources, "status()")
        self.assertEqual([s.node_id for s in sources], ["spot", "big"], "fetched before it is gone")

    def test_those_that_were_daemons_start_nothing_and_say_when_none_runs(self):
        daemon = self.warned(syncline.get_auto_sync_daemon, "sync(")
        self.assertIs(self.quietly(daemon.is_running), False)
        self.warned(daemon.start, "syncline daemon")
        self.assertIs(self.warned(daemon.is_running, "is_ready"), True)
        self.assertEqual(self.warned(daemon.get_status, "status()")["node"], "text")
        self.warned(daemon.stop, "systemctl")
        self.assertIs(self.quietly(daemon.is_running), False)
        self.daemon.overrides["GET /readyz"] = (503, b"starting\n", {})
        service = self.quietly(syncline.UnifiedDataSyncService)
        for call in (daemon.start, service.start, service.run):
            with self.assertRaisesRegex(syncline.UnreachableError, "syncline daemon"):
                self.warned(call, "syncline daemon")

    def test_the_collecting_service_runs_until_it_is_cancelled(self):
        service = self.quietly(syncline.UnifiedDataSyncService)

        async def run_and_cancel():
            task = asyncio.ensure_future(service.run())
            while not any(what == "GET /readyz" for what, *_ in self.daemon.asked):
                await asyncio.sleep(0.01)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
        self.quietly(lambda: asyncio.run(asyncio.wait_for(run_and_cancel(), 30)))

    def test_each_name_is_said_once_in_the_log_since_python_hides_warnings_from_most(self):
        older_values._said.clear()
        with self.assertLogs("syncline", logging.WARNING) as log:
            for _ in range(3):
                self.quietly(syncline.SyncScheduler)
        self.assertEqual(len(log.output), 1)
        self.assertIn('await syncline.sync("games", priority="high")', log.output[0])


if __name__ == "__main__":
    unittest.main()
