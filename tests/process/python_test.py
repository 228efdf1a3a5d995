"""The Python package against recorded answers that are valid by docs/schemas."""

import asyncio
import dataclasses
import os
import pathlib
import shutil
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "python")]

import syncline  # noqa: E402
from recorded_daemon import RecordedDaemon, error, event  # noqa: E402
from schema import Schema  # noqa: E402

MIRRORS = {
    syncline.SyncResponse: "sync-response", syncline.NodeSyncResult: "sync-response",
    syncline.RouteReport: "route", syncline.RouteVerdict: "route",
    syncline.StatusReport: "status", syncline.CollectionStatus: "status",
    syncline.OriginLag: "status", syncline.PeerStatus: "nodes",
    syncline.FreshnessRow: "freshness", syncline.StatsReport: "stats",
    syncline.BackendStats: "stats", syncline.TransferRow: "transfers",
    syncline.FlushReport: "flush", syncline.VerifyReport: "verify",
    syncline.VerifyDifference: "verify",
}


class Recorded(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-python-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.daemon = self.enterContext(RecordedDaemon(self.folder / "api.sock"))
        self.client = syncline.Client(self.daemon.address)
        self.facade = syncline.SyncFacade(self.client)

    def ask(self, coroutine):
        return asyncio.run(asyncio.wait_for(coroutine, 30))

    def refuse(self, what, status, kind, sentence, subject="", **headers):
        self.daemon.overrides[what] = (status, error(kind, sentence, subject), headers)


class Values(Recorded):
    def test_every_field_of_the_schemas_is_a_field_here(self):
        for cls, schema in MIRRORS.items():
            here = {f.metadata.get("json", f.name) for f in dataclasses.fields(cls)}
            self.assertEqual(here, set(Schema(schema).fields(cls.__name__)), cls.__name__)
        here = {f.name for f in dataclasses.fields(syncline.Event)}
        self.assertEqual(here, set(Schema("event").fields("EventRow")))

    def test_every_answer_of_the_schemas_is_understood(self):
        async def all_of_them():
            return [await call for call in (
                self.client.status(), self.client.stats(), self.client.nodes(),
                self.client.freshness(), self.client.transfers(), self.client.recent_events(),
                self.client.flush(2, 1.5), self.client.verify("games"),
                self.client.route(syncline.SyncRequest("games")),
                self.client.sync(syncline.SyncRequest("games")))]
        status, stats, nodes, *_, response = self.ask(all_of_them())
        self.assertEqual(status.collections[0].origins[0].known, 7)
        self.assertEqual(stats.by_backend[0].latency_mean_s, 1.5)
        self.assertIs(nodes[0].is_ephemeral, True)
        self.assertEqual(response.duration_seconds, 1.5)
        self.assertEqual(response.nodes[0].outcome, "verified")
        self.assertTrue(response.parts, "answers hold answers")

    def test_what_a_newer_daemon_adds_is_skipped_and_what_is_wrong_is_an_error(self):
        answer = Schema("nodes").sample()
        answer["nodes"][0]["mood"] = "good"
        self.daemon.overrides["GET /v1/nodes"] = (200, answer, {})
        self.assertEqual(self.ask(self.client.nodes())[0].id, "text")
        answer["nodes"][0]["is_ephemeral"] = "perhaps"
        with self.assertRaisesRegex(syncline.CorruptError, "is_ephemeral"):
            self.ask(self.client.nodes())
        for body in (b"{", b"[]", b'{"nodes": 1}'):
            self.daemon.overrides["GET /v1/nodes"] = (200, body, {})
            with self.assertRaises(syncline.CorruptError):
                self.ask(self.client.nodes())

    def test_backends_have_their_older_names_too(self):
        self.assertIs(syncline.SyncBackend("cluster_data_sync"), syncline.SyncBackend.BROADCAST)
        self.assertIs(syncline.SyncBackend.AUTO_SYNC, syncline.SyncBackend.HYBRID)
        self.assertEqual(syncline.SyncBackend.EPHEMERAL_SYNC, "ephemeral")
        answer = Schema("sync-response").sample()
        for text, wanted in (("broadcast", syncline.SyncBackend.BROADCAST), ("moon", "moon")):
            answer["backend_used"] = text
            self.daemon.overrides["POST /v1/sync"] = (200, answer, {})
            response = self.ask(self.facade.sync("games"))
            self.assertEqual(response.backend_used, wanted)


class Requests(Recorded):
    def asked(self):
        return self.daemon.asked[-1][1]

    def test_every_argument_arrives(self):
        self.ask(self.facade.sync(
            "games", targets=["a", "spot-*"], board_type="hex8", num_players=2, priority="high",
            timeout_seconds=12, bandwidth_limit_mbps=50, exclude_nodes=("b",),
            prefer_ephemeral=True, require_confirmation=True, transport="p2p", is_dry_run=True))
        self.assertEqual(self.asked(), {
            "data_type": "games", "targets": ["a", "spot-*"], "board_type": "hex8",
            "num_players": 2, "priority": "high", "timeout_s": 12.0, "bandwidth_limit_mbps": 50,
            "exclude_nodes": ["b"], "prefer_ephemeral": True, "require_confirmation": True,
            "transport": "p2p", "is_dry_run": True})
        fields = {f.name for f in dataclasses.fields(syncline.SyncRequest)} - {"timeout_seconds"}
        self.assertEqual(fields | {"timeout_s"}, set(self.asked()), "none is left out")
        self.assertEqual(set(self.asked()), set(Schema("sync-request").fields("SyncRequest")))

    def test_a_request_may_be_given_whole_and_what_is_not_given_is_left_to_the_daemon(self):
        self.ask(self.facade.sync(syncline.SyncRequest("models")))
        self.assertEqual(self.asked(),
                         {"data_type": "models", "priority": "normal", "timeout_s": 300.0})

    def test_a_text_where_a_list_belongs_is_an_error_not_a_list_of_letters(self):
        with self.assertRaisesRegex(TypeError, "targets"):
            self.ask(self.facade.sync("games", targets="trainer-1"))
        with self.assertRaises(TypeError):
            self.ask(self.facade.sync("games", board="hex8"))

    def test_a_route_is_asked_for_with_the_same_fields(self):
        self.ask(self.client.route(syncline.SyncRequest(
            "games & co", targets=["a", "b"], num_players=2, prefer_ephemeral=True)))
        self.assertEqual(self.asked()["data_type"], ["games & co"])
        self.assertEqual(self.asked()["targets"], ["a", "b"])
        self.assertEqual(self.asked()["prefer_ephemeral"], ["true"])

    def test_a_priority_sync_asks_for_its_config_key_and_keeps_its_reason(self):
        status = Schema("status").sample()
        status["node"] = "home"
        status["peers"][0].update(id="spot-1", state="connected")
        self.daemon.overrides["GET /v1/status"] = (200, status, {})
        response = self.ask(self.facade.trigger_priority_sync(
            "orphan games", source_node="spot-1", config_key="hex_8_4p"))
        self.assertEqual(self.asked()["board_type"], "hex_8")
        self.assertEqual(self.asked()["num_players"], 4)
        self.assertEqual(self.asked()["priority"], "high")
        self.assertEqual(response.details["reason"], "orphan games")
        with self.assertRaisesRegex(syncline.MissingError, "known: home, spot-1"):
            self.ask(self.facade.trigger_priority_sync("x", source_node="spto-1"))
        status["peers"][0]["state"] = "dead"
        with self.assertRaisesRegex(syncline.MissingError, "dead"):
            self.ask(self.facade.trigger_priority_sync("x", source_node="spot-1"))
        for key in ("hex8", "hex8_2", "_2p", "hex8_p"):
            with self.assertRaises(syncline.InvalidRequestError):
                self.ask(self.facade.trigger_priority_sync("x", config_key=key))

    def test_flush_verify_and_notify(self):
        self.assertTrue(self.ask(self.client.flush(acks=3, deadline_seconds=2)))
        self.assertEqual(self.asked(), {"acks": 3, "deadline_s": 2.0})
        self.ask(self.client.verify("games", "elo"))
        self.assertEqual(self.asked(), {"collections": ["games", "elo"]})
        self.ask(self.client.notify("model-promoted", model="x.pth", step=7))
        self.assertEqual(self.asked(), {"event": "model-promoted",
                                        "details": {"model": "x.pth", "step": "7"}})

    def test_stats_are_there_with_and_without_await(self):
        async def both():
            return self.facade.get_stats(), await self.facade.get_stats()
        plain, awaited = self.ask(both())
        self.assertEqual(plain, awaited)
        for key in ("total_syncs", "by_backend", "total_bytes", "total_errors"):
            self.assertIn(key, plain)
        self.assertEqual(self.facade.get_stats()["by_backend"], {"text": 7})


class Errors(Recorded):
    def test_each_kind_has_its_class_and_keeps_the_daemons_sentence(self):
        for status, kind, wanted in (
                (400, "invalid", syncline.InvalidRequestError),
                (404, "missing", syncline.MissingError),
                (503, "unreachable", syncline.UnreachableError),
                (503, "overloaded", syncline.OverloadedError),
                (507, "exhausted", syncline.ExhaustedError),
                (500, "corrupt", syncline.CorruptError),
                (409, "conflict", syncline.ConflictError),
                (504, "cancelled", syncline.DeadlineError),
                (401, "denied", syncline.DeniedError)):
            self.refuse("POST /v1/sync", status, kind, "it did not work; do this", "games")
            with self.assertRaises(wanted) as caught:
                self.ask(self.facade.sync("games"))
            self.assertIsInstance(caught.exception, syncline.SynclineError)
            self.assertEqual(str(caught.exception), "it did not work; do this (games)")
            self.assertTrue(caught.exception.is_from_daemon)

    def test_overload_says_when_to_try_again_and_an_answer_without_reason_is_sorted_by_status(self):
        headers = {"Retry-After": "2"}
        self.refuse("GET /v1/status", 503, "overloaded", "too many followers", **headers)
        with self.assertRaises(syncline.OverloadedError) as caught:
            self.ask(self.client.status())
        self.assertEqual(caught.exception.retry_after_s, 2.0)
        for status, wanted in ((502, syncline.UnreachableError), (401, syncline.DeniedError),
                               (404, syncline.MissingError), (400, syncline.InvalidRequestError)):
            self.daemon.overrides["GET /v1/status"] = (status, b"<html>", {})
            with self.assertRaisesRegex(wanted, str(status)):
                self.ask(self.client.status())

    def test_nobody_there_is_said_with_what_to_do(self):
        for address in (f"unix:{self.folder}/none.sock", "unix:/nowhere/at/all.sock",
                        "http://127.0.0.1:1"):
            with self.assertRaisesRegex(syncline.UnreachableError, "syncline daemon"):
                self.ask(syncline.Client(address).status())
        self.assertFalse(self.ask(syncline.Client("http://127.0.0.1:1").is_ready()))

    def test_an_address_that_nobody_can_dial_is_refused_at_once(self):
        for address in ("unix:", "ftp://host:1", "http://", "http://host:0", "a/b:1", "http://h:x"):
            with self.assertRaises(syncline.ConfigurationError, msg=address):
                syncline.Client(address)

    def test_an_answer_that_breaks_off_or_is_no_http_is_an_error(self):
        for head, wanted in ((b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", "closed"),
                             (b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n", "length"),
                             (b"SSH-2.0\r\n\r\n", "HTTP"), (b"", "closed"),
                             (b"x" * 70000 + b"\r\n\r\n", "larger than 64 KiB")):
            with self.subTest(head[:30]), mock.patch.object(
                    self.daemon, "write", lambda writer, *_, head=head: writer.write(head)):
                with self.assertRaisesRegex(syncline.SynclineError, wanted):
                    self.ask(self.client.status())


class Finding(Recorded):
    """The daemon is found as the command line finds it."""

    def config(self, text, name="syncline.toml"):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def test_by_its_configuration_through_the_environment(self):
        path = self.config('[node]\nhttp_listen = ["127.0.0.1:1", "unix:api.sock"]\n')
        self.addCleanup(syncline.reset_sync_facade)
        syncline.reset_sync_facade()
        with mock.patch.dict(os.environ, SYNCLINE_CONFIG=str(path)):
            self.assertEqual(syncline.find_endpoint().address, self.daemon.address)
            self.assertTrue(self.ask(syncline.sync("games", priority="high")))
            self.assertIs(syncline.get_sync_facade(), syncline.get_sync_facade())
            self.assertEqual(syncline.get_stats()["total_syncs"], 7)
            self.ask(syncline.trigger_priority_sync("because", data_type="models"))
        first = syncline.get_sync_facade()
        syncline.reset_sync_facade()
        with mock.patch.dict(os.environ, SYNCLINE_CONFIG=str(path)):
            self.assertIsNot(syncline.get_sync_facade(), first)

    def test_without_a_configuration_it_says_what_to_do(self):
        with mock.patch.dict(os.environ, SYNCLINE_CONFIG=str(self.folder / "none.toml")):
            with self.assertRaisesRegex(syncline.ConfigurationError, "none.toml"):
                syncline.Client()
        self.config("[node\n", "broken.toml")
        with self.assertRaisesRegex(syncline.ConfigurationError, "cannot be read"):
            syncline.Client(config=self.folder / "broken.toml")
        self.config('[node]\nhttp_listen = ["127.0.0.1:0"]\n', "deaf.toml")
        with self.assertRaisesRegex(syncline.ConfigurationError, "no listener"):
            syncline.Client(config=self.folder / "deaf.toml")

    def test_over_tcp_with_the_token_of_the_state_folder(self):
        with RecordedDaemon(token="f" * 64) as daemon:
            port = daemon.address.rpartition(":")[2]
            path = self.config(f'[node]\nhttp_listen = ["0.0.0.0:{port}"]\nstate_dir = "s"\n')
            (self.folder / "s").mkdir()
            token = self.folder / "s" / "api.token"
            token.write_text("f" * 64 + "\n")
            token.chmod(0o644)
            with self.assertRaisesRegex(syncline.ConfigurationError, "chmod 600"):
                syncline.Client(config=path)
            token.chmod(0o600)
            client = syncline.Client(config=path)
            self.assertEqual(client.endpoint.address, daemon.address)
            self.assertEqual(self.ask(client.status()).node, "text")
            with self.assertRaises(syncline.DeniedError):
                self.ask(syncline.Client(daemon.address, token="0" * 64).status())
            token.write_text("short")
            with self.assertRaisesRegex(syncline.ConfigurationError, "16 characters"):
                syncline.Client(config=path)

    def test_at_the_end_of_a_path_that_is_too_long_for_a_socket(self):
        deep = self.folder / ("d" * 120)
        deep.mkdir()
        os.rename(self.folder / "api.sock", deep / "api.sock")
        self.assertEqual(self.ask(syncline.Client(f"unix:{deep}/api.sock").status()).node, "text")


class Events(Recorded):
    def test_a_stream_is_followed_across_its_end_and_misses_nothing(self):
        self.daemon.events = [event(1), event(2, "data_sync_failed"), event(3)]

        async def follow():
            seen = []
            async for one in self.client.events(after=1):
                seen.append(one)
                if one.id == 3:
                    self.daemon.events.append(event(4))
                if one.id == 4:
                    return seen
        seen = self.ask(follow())
        self.assertEqual([one.id for one in seen], [2, 3, 4])
        self.assertEqual(seen[0].type, "data_sync_failed")
        self.assertGreaterEqual(self.daemon.streams, 2)

    def test_types_are_picked_out_and_a_missing_daemon_is_an_error(self):
        self.daemon.events = [event(1), event(2, "data_sync_failed")]

        async def first(client, **options):
            async for one in client.events(**options):
                return one
        self.assertEqual(self.ask(first(self.client, types="data_sync_failed")).id, 2)
        with self.assertRaises(syncline.UnreachableError):
            self.ask(first(syncline.Client("http://127.0.0.1:1")))
        with self.assertRaises(syncline.InvalidRequestError):
            self.ask(first(self.client, after="yesterday"))


if __name__ == "__main__":
    unittest.main()
