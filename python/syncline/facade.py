"""The facade: one function for everything that is to be synced.

    response = await sync("games", board_type="hex8", num_players=2, priority="high")

Which daemon: get_sync_facade() makes one facade per process, for the daemon that the command line
would ask; reset_sync_facade() forgets it, as tests want after they changed SYNCLINE_CONFIG.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Generator, Iterable
from typing import Any, TypeVar

from .client import Client
from .errors import InvalidRequestError, MissingError
from .values import PeerStatus, StatsReport, SyncRequest, SyncResponse

T = TypeVar("T")
_log = logging.getLogger("syncline")


class Stats(dict[str, Any]):
    """What get_stats() answers: total_syncs, by_backend, total_bytes, total_errors and more.
    `await` on it answers itself, so that it reads the same in both worlds."""

    def __await__(self) -> Generator[Any, None, Stats]:
        return self._itself().__await__()

    async def _itself(self) -> Stats:
        return self

    @classmethod
    def of(cls, report: StatsReport) -> Stats:
        return cls(total_syncs=report.total_syncs, total_bytes=report.total_bytes,
                   total_errors=report.total_errors,
                   by_backend={row.backend: row.syncs for row in report.by_backend},
                   backends={row.backend: vars(row) for row in report.by_backend},
                   durable_p50_ms=report.durable_p50_ms, durable_p99_ms=report.durable_p99_ms,
                   counters=report.counters)


class SyncFacade:
    """Every call goes to one daemon. Threads: any; it holds nothing but the daemon's address."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client()

    async def sync(self, data_type: str | SyncRequest, targets: Iterable[str] | None = None,
                   board_type: str | None = None, num_players: int | None = None,
                   priority: str = "normal", timeout_seconds: float = 300.0,
                   bandwidth_limit_mbps: float | None = None,
                   exclude_nodes: Iterable[str] | None = None, prefer_ephemeral: bool = False,
                   require_confirmation: bool = False, *, transport: str | None = None,
                   is_dry_run: bool = False) -> SyncResponse:
        """Brings a collection ("games", "models", "npz", "elo", "registry", "all", or one of your
        own) to where it is wanted. Every argument is honoured, or refused by an error that says
        why; `success` is what was verified on the chosen nodes' disks.
        """
        if isinstance(data_type, SyncRequest):
            return await self.client.sync(data_type)
        return await self.client.sync(SyncRequest(
            data_type, _list("targets", targets), board_type, num_players, priority,
            timeout_seconds, bandwidth_limit_mbps, _list("exclude_nodes", exclude_nodes),
            prefer_ephemeral, require_confirmation, transport, is_dry_run))

    async def trigger_priority_sync(self, reason: str, source_node: str | None = None,
                                    config_key: str | None = None, data_type: str = "games",
                                    *, timeout_seconds: float = 300.0) -> SyncResponse:
        """Syncs at once, ahead of everything normal. `source_node`: whose data it is about; it must
        be a live node of the fleet, since what only a dead one holds can come from nobody.
        `config_key`: such as "hex8_2p". `reason` goes into the log and into `details`.
        """
        if source_node:
            await self._check_source(source_node)
        board_type, num_players = split_config_key(config_key) if config_key else (None, None)
        _log.info("priority sync of %s: %s (source %s, config key %s)", data_type, reason,
                  source_node or "any", config_key or "any")
        response = await self.sync(data_type, board_type=board_type, num_players=num_players,
                                   priority="high", timeout_seconds=timeout_seconds)
        response.details["reason"] = reason
        if source_node:
            response.details["source_node"] = source_node
        return response

    async def _check_source(self, source_node: str) -> None:
        status = await self.client.status()
        if source_node == status.node:
            return
        peers: dict[str, PeerStatus] = {peer.id: peer for peer in status.peers}
        if source_node not in peers:
            known = ", ".join(sorted([status.node, *peers]))
            raise MissingError(f"there is no node '{source_node}' (known: {known})", source_node)
        if peers[source_node].state != "connected":
            raise MissingError(f"the source is {peers[source_node].state}: it can send nothing now",
                               source_node)

    def get_stats(self) -> Stats:
        """The daemon's statistics since it started. Waits for its answer, some milliseconds; code
        that must not block at all uses `await client.stats()`."""
        return Stats.of(run_blocking(self.client.stats()))


_lock = threading.Lock()
_facade: SyncFacade | None = None


def get_sync_facade() -> SyncFacade:
    """The process's one facade. ConfigurationError: it is not said where the daemon is."""
    global _facade
    with _lock:
        if _facade is None:
            _facade = SyncFacade()
        return _facade


def reset_sync_facade() -> None:
    """The next get_sync_facade() looks for the daemon anew."""
    global _facade
    with _lock:
        _facade = None


async def sync(data_type: str | SyncRequest, targets: Iterable[str] | None = None,
               board_type: str | None = None, num_players: int | None = None,
               priority: str = "normal", timeout_seconds: float = 300.0,
               bandwidth_limit_mbps: float | None = None,
               exclude_nodes: Iterable[str] | None = None, prefer_ephemeral: bool = False,
               require_confirmation: bool = False, *, transport: str | None = None,
               is_dry_run: bool = False) -> SyncResponse:
    """SyncFacade.sync of the process's facade."""
    return await get_sync_facade().sync(
        data_type, targets, board_type, num_players, priority, timeout_seconds,
        bandwidth_limit_mbps, exclude_nodes, prefer_ephemeral, require_confirmation,
        transport=transport, is_dry_run=is_dry_run)


async def trigger_priority_sync(reason: str, source_node: str | None = None,
                                config_key: str | None = None,
                                data_type: str = "games") -> SyncResponse:
    """SyncFacade.trigger_priority_sync of the process's facade."""
    return await get_sync_facade().trigger_priority_sync(reason, source_node, config_key, data_type)


def get_stats() -> Stats:
    """SyncFacade.get_stats of the process's facade."""
    return get_sync_facade().get_stats()


def split_config_key(config_key: str) -> tuple[str, int]:
    """"hex8_2p" → ("hex8", 2). A board type may hold an underscore itself."""
    board_type, _, players = config_key.rpartition("_")
    if not board_type or not players.endswith("p") or not players[:-1].isdigit():
        raise InvalidRequestError("a config key is a board type and a number of players, such as "
                                  f"hex8_2p, not '{config_key}'", "config_key")
    return board_type, int(players[:-1])


def run_blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """The coroutine's value, for callers that cannot await. Works inside a running loop as well:
    the coroutine then runs in a loop and thread of its own while the caller waits."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(asyncio.run(coroutine))
        except Exception as error:     # handed to the caller, whatever it is
            failure.append(error)

    thread = threading.Thread(target=run, name="syncline-blocking")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def _list(name: str, names: Iterable[str] | None) -> list[str] | None:
    if isinstance(names, str):
        raise TypeError(f"{name} must be a list of node ids, not the text {names!r}")
    return None if names is None else list(names)
