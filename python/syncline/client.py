"""The requests of the HTTP API as calls, against a running daemon.

    client = Client()                                   # the daemon of this machine
    answer = await client.sync(SyncRequest("games", priority="high"))
    if answer.success: …                                # verified on every chosen node's disk

Threads and loops: a Client holds no connection, so one may be used anywhere, any number of times at
once. Errors: syncline.errors. A sync or a flush that did not get there is an answer, not an error:
look at `success` and `is_durable`.
"""

from __future__ import annotations

import asyncio
import os
import urllib.parse
from collections.abc import AsyncIterator, Iterable

from .connection import Answer, exchange, stream_events
from .decode import decode, decode_list
from .endpoint import Endpoint, find_endpoint
from .errors import InvalidRequestError, UnreachableError
from .values import (DeadLetterRow, Event, FlushReport, FreshnessRow, PeerStatus, RouteReport,
                     StatsReport, StatusReport, SyncRequest, SyncResponse, TransferRow,
                     VerifyReport)

PATIENCE_S = 60.0                # for what the daemon answers from memory
PATIENCE_MORE_S = 30.0           # beyond the deadline that a request names itself
PATIENCE_NOTIFY_S = 24 * 3600.0  # with durability.write_through the daemon answers late
PATIENCE_VERIFY_S = 24 * 3600.0  # re-hashing everything takes as long as it takes
PAUSE_BETWEEN_TRIES_S = 1.0      # while a daemon restarts under a follower of its events


class Client:
    """One daemon. Without arguments: the one that the command line would ask."""

    def __init__(self, address: str | None = None, *, token: str = "",
                 config: str | os.PathLike[str] | None = None,
                 endpoint: Endpoint | None = None) -> None:
        """ConfigurationError: there is no configuration, or the address is malformed."""
        if endpoint is None:
            endpoint = Endpoint(address, token) if address else find_endpoint(config)
        endpoint.check()
        self.endpoint = endpoint

    # ── requests ──

    async def sync(self, request: SyncRequest) -> SyncResponse:
        """Waits until it is verified, has failed, or its timeout has passed."""
        patience_s = request.timeout_seconds + PATIENCE_MORE_S
        return decode(SyncResponse, await self._post("/v1/sync", request.to_json(), patience_s))

    async def route(self, request: SyncRequest) -> RouteReport:
        """What the request would do, and why, for every node. Moves nothing."""
        pairs = []
        for name, value in request.to_json().items():
            values = value if isinstance(value, list) else [value]
            pairs += [(name, "true" if v is True else str(v)) for v in values]
        query = urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote)
        return decode(RouteReport, await self._get(f"/v1/routes?{query}"))

    async def flush(self, acks: int = 0, deadline_seconds: float = 60.0) -> FlushReport:
        """Waits until all local data is durable at `acks` failure domains (0: as configured)."""
        body = {"acks": acks, "deadline_s": float(deadline_seconds)}
        patience_s = deadline_seconds + PATIENCE_MORE_S
        return decode(FlushReport, await self._post("/v1/flush", body, patience_s))

    async def verify(self, *collections: str) -> list[VerifyReport]:
        """Re-hashes replicas and compares them across the fleet; none named: each of them."""
        body = {"collections": list(collections)}
        answer = await self._post("/v1/verify", body, PATIENCE_VERIFY_S)
        return decode_list(VerifyReport, answer, "reports")

    async def notify(self, event: str, /, **details: object) -> None:
        """Tells the daemon what happened: game-completed, model-promoted, training-started,
        training-completed, node-recovered, orphans-detected."""
        texts = {name: str(value) for name, value in details.items()}
        await self._post("/v1/notify", {"event": event, "details": texts}, PATIENCE_NOTIFY_S)

    async def pause(self, collection: str = "") -> None:
        """Fetches of files on this node wait: of one collection, or all. Until resume() or the
        daemon restarts. Records are never paused."""
        await self._post("/v1/pause", {"collection": collection, "is_paused": True})

    async def resume(self, collection: str = "") -> None:
        await self._post("/v1/pause", {"collection": collection, "is_paused": False})

    async def export_file(self, form: str, collection: str, path: str) -> bytes:
        """One file described for other programs: form "metalink" (RFC 5854, for aria2c) or
        "torrent" (BEP 52). The daemon has to hold it whole."""
        query = urllib.parse.urlencode({"form": form, "collection": collection, "path": path})
        return (await self.raw("GET", f"/v1/export?{query}", patience_s=3600.0)).check().body

    async def rotate_key(self) -> None:
        """Makes a new key for membership's datagrams; in use once every live node has it."""
        await self._post("/v1/rotate-key", {})

    async def remove_node(self, node: str) -> None:
        """Takes a node out of the fleet for good; its daemon has to be stopped before."""
        if not node or not all(c.isalnum() or c in "-_." for c in node):
            raise InvalidRequestError(f"{node!r} is no id of a node")
        (await self.raw("DELETE", f"/v1/nodes/{node}")).check()

    async def dead_letters(self) -> list[DeadLetterRow]:
        """Records that cannot be merged into this node's replica, with the reasons."""
        return decode_list(DeadLetterRow, await self._get("/v1/dead-letters"), "dead_letters")

    async def retry_dead_letters(self, *ids: str) -> tuple[int, int]:
        """Merges them again (all, or those); answers how many were merged and how many are left."""
        return await self._handle_dead_letters("retry", ids)

    async def drop_dead_letters(self, *ids: str) -> tuple[int, int]:
        """Forgets them on this node for good; answers how many, and how many are left."""
        return await self._handle_dead_letters("drop", ids)

    async def _handle_dead_letters(self, action: str, ids: tuple[str, ...]) -> tuple[int, int]:
        body = {"action": action, "ids": list(ids)}
        answer = await self._post("/v1/dead-letters", body, PATIENCE_VERIFY_S)
        return answer["changed"], answer["left"]

    # ── reports ──

    async def status(self) -> StatusReport:
        return decode(StatusReport, await self._get("/v1/status"))

    async def stats(self) -> StatsReport:
        return decode(StatsReport, await self._get("/v1/stats"))

    async def nodes(self) -> list[PeerStatus]:
        return decode_list(PeerStatus, await self._get("/v1/nodes"), "nodes")

    async def freshness(self) -> list[FreshnessRow]:
        return decode_list(FreshnessRow, await self._get("/v1/freshness"), "freshness")

    async def transfers(self) -> list[TransferRow]:
        return decode_list(TransferRow, await self._get("/v1/transfers"), "transfers")

    async def config_toml(self) -> str:
        """The configuration in force, without secrets."""
        return (await self.raw("GET", "/v1/config")).check().body.decode()

    async def is_ready(self) -> bool:
        """True once the daemon serves peers; false while it starts, or when none answers."""
        try:
            return (await self.raw("GET", "/readyz")).status == 200
        except UnreachableError:
            return False

    # ── events ──

    async def recent_events(self, after: int = 0, types: Iterable[str] = ()) -> list[Event]:
        """What the daemon keeps with an id above `after`, oldest first."""
        wanted = _names(types)
        events = decode_list(Event, await self._get(f"/v1/events?after={after}"), "events")
        return [event for event in events if not wanted or event.type in wanted]

    async def events(self, after: int | str = 0,
                     types: Iterable[str] = ()) -> AsyncIterator[Event]:
        """Every event above `after` ("latest": from the next one on), and then each as it happens,
        without end: a restart of the daemon is waited for. UnreachableError only if there was no
        daemon to begin with.
        """
        if not (after == "latest" or isinstance(after, int)):
            raise InvalidRequestError(
                f"'after' must be the id of an event or 'latest', not {after!r}")
        wanted = _names(types)
        last: int | str = after
        has_answered = False
        while True:
            try:
                async for data in stream_events(self.endpoint, last):
                    event = decode(Event, data)
                    has_answered, last = True, event.id
                    if not wanted or event.type in wanted:
                        yield event
            except UnreachableError:
                if not has_answered and not await self.is_ready():
                    raise
                has_answered = True
            await asyncio.sleep(PAUSE_BETWEEN_TRIES_S)

    # ── beneath ──

    async def raw(self, method: str, path: str, body: object = None,
                  patience_s: float = PATIENCE_S) -> Answer:
        """Any route, as it answers: raw("GET", "/v1/status")."""
        return await exchange(self.endpoint, method, path, body, patience_s)

    async def _get(self, path: str) -> object:
        return (await self.raw("GET", path)).check().json()

    async def _post(self, path: str, body: object, patience_s: float) -> object:
        return (await self.raw("POST", path, body, patience_s)).check().json()


def _names(types: Iterable[str]) -> frozenset[str]:
    return frozenset((types,) if isinstance(types, str) else types)
