"""The names of the eight older programs, each a thin call of the facade.

They stay for six months. Making one, and calling it, warns with the new call (DeprecationWarning
and one line in the log of `syncline`). None of them runs a daemon: `syncline daemon` does. `start`
of those that were one says clearly when it does not run; `stop` stops nothing that others need.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from .errors import UnreachableError
from .facade import SyncFacade, get_sync_facade, run_blocking
from .older_values import (ClusterDataStatus, SyncRecommendation, SyncRoute, instead, warn_of)
from .values import FlushReport, PeerStatus, StatusReport, SyncRequest, SyncResponse

WRITE_THROUGH_S = 60.0      # how long a program waited for its game to be confirmed
FINAL_SYNC_S = 30.0         # how long a spot host synced after SIGTERM


class _Older:
    """Options that the older constructors took steered a loop that is the daemon's now, so they are
    refused: each has its place in syncline.toml (docs/migration.md)."""

    _call = ""

    def __init__(self, *, facade: SyncFacade | None = None) -> None:
        warn_of(type(self).__name__, self._call)
        self._facade = facade or get_sync_facade()

    @instead("await syncline.Client().status()")
    def get_status(self) -> dict[str, Any]:
        report = run_blocking(self._facade.client.status())
        return {"running": report.state == "running", **vars(report)}


class _OlderDaemon(_Older):
    """One of those that were a daemon."""

    _is_started = False

    @instead("syncline daemon")
    async def start(self) -> None:
        """UnreachableError: no daemon runs here."""
        if not await self._facade.client.is_ready():
            raise UnreachableError("no daemon serves here; start it with 'syncline daemon'",
                                   self._facade.client.endpoint.address)
        self._is_started = True

    @instead("systemctl stop syncline")
    async def stop(self) -> None:
        """The daemon goes on: other programs need it."""
        self._is_started = False

    @instead("await syncline.Client().is_ready()")
    def is_running(self) -> bool:
        return self._is_started and run_blocking(self._facade.client.is_ready())


class SyncCoordinator(_Older):
    _call = 'await syncline.sync("games")'

    @instead('await syncline.sync("games")')
    async def sync_games(self, **options: Any) -> SyncResponse:
        return await self._facade.sync("games", **options)

    @instead('await syncline.sync("models")')
    async def sync_models(self, **options: Any) -> SyncResponse:
        return await self._facade.sync("models", **options)

    @instead('await syncline.sync("npz")')
    async def sync_training_data(self, **options: Any) -> SyncResponse:
        return await self._facade.sync("npz", **options)

    @instead('await syncline.sync("all")')
    async def full_cluster_sync(self, **options: Any) -> SyncResponse:
        return await self._facade.sync("all", **options)


class SyncScheduler(_Older):
    _call = 'await syncline.sync("games", priority="high")'

    @instead("await syncline.Client().status()")
    def get_cluster_data_status(self) -> ClusterDataStatus:
        return _cluster_data_status(self._facade)

    @instead("await syncline.Client().freshness()")
    def get_sync_recommendations(self) -> list[SyncRecommendation]:
        return _recommendations(self._facade)

    @instead("await syncline.trigger_priority_sync(reason, source_node)")
    def schedule_priority_sync(
            self, host: str | None = None, reason: str = "priority",
            data_type: str = "games") -> SyncResponse | asyncio.Task[SyncResponse]:
        return _scheduled(self._facade, host, reason, data_type)


class UnifiedDataSyncService(_OlderDaemon):
    _call = "syncline daemon"

    @instead('await syncline.sync("all")')
    async def sync_once(self) -> SyncResponse:
        return await self._facade.sync("all")

    @instead("syncline daemon")
    async def run(self) -> None:
        """Returns when it is cancelled; meanwhile the daemon does what this loop did."""
        if not await self._facade.client.is_ready():
            raise UnreachableError("no daemon serves here; start it with 'syncline daemon'",
                                   self._facade.client.endpoint.address)
        await asyncio.Event().wait()


class SyncOrchestrator(_Older):
    _call = 'await syncline.sync("all")'

    @instead('await syncline.sync("all")')
    async def sync_all(self, **options: Any) -> SyncResponse:
        """One answer; `parts` has one per collection."""
        return await self._facade.sync("all", **options)

    @instead('await syncline.sync("games")')
    async def sync_data(self, **options: Any) -> SyncResponse:
        return await self._facade.sync("games", **options)

    @instead('await syncline.sync("models")')
    async def sync_models(self, **options: Any) -> SyncResponse:
        return await self._facade.sync("models", **options)

    @instead('await syncline.sync("elo")')
    async def sync_elo(self, **options: Any) -> SyncResponse:
        return await self._facade.sync("elo", **options)

    @instead('await syncline.sync("registry")')
    async def sync_registry(self, **options: Any) -> SyncResponse:
        return await self._facade.sync("registry", **options)


class AutoSyncDaemon(_OlderDaemon):
    _call = 'await syncline.sync("games"), with strategy = "hybrid" in syncline.toml'

    @instead('await syncline.sync("games")')
    async def sync_now(self, **options: Any) -> SyncResponse:
        return await self._facade.sync("games", **options)


class ClusterDataSyncDaemon(_OlderDaemon):
    _call = 'await syncline.sync("games", priority="high"), with strategy = "broadcast"'

    @instead('await syncline.sync("games", priority="high")')
    async def trigger_sync(self, **options: Any) -> SyncResponse:
        return await self._facade.sync("games", **{"priority": "high", **options})


class SyncRouter(_Older):
    _call = 'await syncline.Client().route(syncline.SyncRequest("games"))'

    @instead('await syncline.Client().route(syncline.SyncRequest("games"))')
    def get_sync_targets(self, data_type: str = "games", board_type: str | None = None,
                         num_players: int | None = None,
                         exclude_nodes: Iterable[str] | None = None,
                         max_targets: int | None = None) -> list[SyncRoute]:
        """Nodes that it would go to, best first, each with its reason."""
        request = SyncRequest(data_type, board_type=board_type, num_players=num_players,
                              exclude_nodes=list(exclude_nodes or []))
        report = run_blocking(self._facade.client.route(request))
        chosen = [SyncRoute(v.node, v.score, v.reason, v.transport)
                  for v in report.verdicts if v.is_chosen]
        return chosen[:max_targets]

    @instead("await syncline.Client().status()")
    def get_sync_sources(self, data_type: str = "games",
                         max_sources: int | None = None) -> list[SyncRoute]:
        """Nodes that wrote into the collection, those that may vanish first, then the largest."""
        report = run_blocking(self._facade.client.status())
        spots = {peer.id for peer in report.peers if peer.is_ephemeral}
        rows = [row for c in report.collections if c.name == data_type for row in c.origins]
        rows.sort(key=lambda row: (row.origin not in spots, -row.known, row.origin))
        return [SyncRoute(row.origin, float(row.known), f"wrote {row.known} units, {row.held} here")
                for row in rows[:max_sources]]

    @instead('await syncline.Client().route(syncline.SyncRequest("games"))')
    def should_sync_to_node(self, node_id: str, data_type: str = "games") -> bool:
        return node_id in run_blocking(self._facade.client.route(SyncRequest(data_type))).targets


class EphemeralSyncDaemon(_OlderDaemon):
    _call = 'await syncline.sync("games", prefer_ephemeral=True)'

    @instead("await syncline.Client().notify(\"game-completed\")")
    async def on_game_complete(self, game_id: str = "", *,
                               write_through: bool = False) -> FlushReport | None:
        """With `write_through`: waits until all local data has its copies, 60 s at most."""
        details = {"game_id": game_id} if game_id else {}
        await self._facade.client.notify("game-completed", **details)
        if not write_through:
            return None
        return await self._facade.client.flush(deadline_seconds=WRITE_THROUGH_S)

    @instead('await syncline.sync("games", prefer_ephemeral=True)')
    async def sync_now(self, **options: Any) -> SyncResponse:
        return await self._facade.sync("games", **{"prefer_ephemeral": True, **options})

    @instead("await syncline.Client().flush(deadline_seconds=30)")
    async def final_sync(self) -> FlushReport:
        return await self._facade.client.flush(deadline_seconds=FINAL_SYNC_S)

    @instead("(await syncline.Client().status()).collections: pending")
    def games_at_risk(self) -> int:
        return _cluster_data_status(self._facade).unsynced_games


# ── functions ──

@instead("await syncline.Client().status()")
def get_cluster_data_status() -> ClusterDataStatus:
    return _cluster_data_status(get_sync_facade())


@instead("await syncline.Client().freshness()")
def get_sync_recommendations() -> list[SyncRecommendation]:
    return _recommendations(get_sync_facade())


@instead("await syncline.trigger_priority_sync(reason, source_node)")
def schedule_priority_sync(host: str | None = None, reason: str = "priority",
                           data_type: str = "games") -> SyncResponse | asyncio.Task[SyncResponse]:
    """Inside a running loop: a task, under way. Else: the answer."""
    return _scheduled(get_sync_facade(), host, reason, data_type)


@instead('await syncline.sync("games", prefer_ephemeral=True)')
def get_ephemeral_sync_daemon() -> EphemeralSyncDaemon:
    return EphemeralSyncDaemon()


@instead('await syncline.sync("games", priority="high")')
def get_cluster_data_sync_daemon() -> ClusterDataSyncDaemon:
    return ClusterDataSyncDaemon()


@instead('await syncline.sync("games")')
def get_auto_sync_daemon() -> AutoSyncDaemon:
    return AutoSyncDaemon()


@instead('await syncline.Client().route(syncline.SyncRequest("games"))')
def get_sync_router() -> SyncRouter:
    return SyncRouter()


_under_way: set[asyncio.Task[SyncResponse]] = set()     # a loop keeps only weak references


def _scheduled(facade: SyncFacade, host: str | None, reason: str,
               data_type: str) -> SyncResponse | asyncio.Task[SyncResponse]:
    call = facade.trigger_priority_sync(reason, host, data_type=data_type)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(call)
    task = asyncio.ensure_future(call)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return task


def _cluster_data_status(facade: SyncFacade) -> ClusterDataStatus:
    report: StatusReport = run_blocking(facade.client.status())
    peers: list[PeerStatus] = [peer for peer in report.peers if peer.state != "left"]
    healthy = [peer for peer in peers if peer.state == "connected"]
    return ClusterDataStatus(
        total_hosts=1 + len(peers), healthy_hosts=1 + len(healthy),
        stale_hosts=len(peers) - len(healthy),
        unsynced_games=sum(c.pending for c in report.collections if c.name == "games"),
        bytes_at_risk=sum(c.pending_bytes for c in report.collections),
        oldest_unsynced_seconds=max(
            (c.oldest_pending_age_s for c in report.collections), default=0.0),
        host_states={report.node: report.state, **{peer.id: peer.state for peer in peers}},
        problems=report.problems + [c.why for c in report.collections if c.why],
        is_safe=report.is_safe)


def _recommendations(facade: SyncFacade) -> list[SyncRecommendation]:
    rows = [row for row in run_blocking(facade.client.freshness()) if row.waiting_for]
    rows.sort(key=lambda row: row.target_s - row.age_s)
    return [SyncRecommendation(row.collection, row.config_key,
                               "high" if row.age_s > row.target_s else "normal",
                               row.waiting_for, row.age_s, row.target_s) for row in rows]
