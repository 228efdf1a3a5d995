"""What the daemon takes and answers, as plain values (docs/schemas has the same as JSON Schema).

Times and sizes are in the unit their name says; None means "not known". The fields that callers of
the older programs know (`timeout_seconds`, `duration_seconds`) keep their names.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any


class SyncBackend(str, enum.Enum):
    """What carried a request out. The older programs' names are still names of the same."""

    HYBRID = "hybrid"
    BROADCAST = "broadcast"
    ROUTER = "router"
    EPHEMERAL = "ephemeral"
    PULL = "pull"
    TRANSFER = "transfer"
    NONE = ""            # nothing was carried out, as in a dry run or an answer in parts

    AUTO_SYNC = "hybrid"
    CLUSTER_DATA_SYNC = "broadcast"
    DISTRIBUTED = "transfer"
    EPHEMERAL_SYNC = "ephemeral"
    SCHEDULER = "hybrid"
    UNIFIED_DATA_SYNC = "hybrid"
    ORCHESTRATOR = "hybrid"

    @classmethod
    def _missing_(cls, value: object) -> SyncBackend | None:
        return cls.__members__.get(value.upper()) if isinstance(value, str) else None

    def __str__(self) -> str:
        return self.value


@dataclass
class SyncRequest:
    """Every argument is honoured, or the request is refused with a reason: none is ignored."""

    data_type: str                      # a collection's name, or "all"
    targets: list[str] | None = None    # node ids or globs; None = wherever it is wanted
    board_type: str | None = None       # with num_players: one config key
    num_players: int | None = None
    priority: str = "normal"            # critical | high | normal | low | background
    timeout_seconds: float = 300.0
    bandwidth_limit_mbps: float | None = None   # megabytes per second; None = as configured
    exclude_nodes: list[str] | None = None
    prefer_ephemeral: bool = False
    require_confirmation: bool = False  # success only when every target's fsync was seen
    transport: str | None = None        # force one: p2p, swarm, aria2, ssh, nfs
    is_dry_run: bool = False            # answer the route, move nothing

    def to_json(self) -> dict[str, Any]:
        """The body of POST /v1/sync; what was not given is left to the daemon."""
        body: dict[str, Any] = {"data_type": self.data_type, "priority": str(self.priority),
                                "timeout_s": float(self.timeout_seconds)}
        for name, names in (("targets", self.targets), ("exclude_nodes", self.exclude_nodes)):
            if isinstance(names, str):
                raise TypeError(f"{name} must be a list of node ids, not the text {names!r}")
            if names:
                body[name] = list(names)
        for name, value in (("board_type", self.board_type), ("num_players", self.num_players),
                            ("bandwidth_limit_mbps", self.bandwidth_limit_mbps),
                            ("transport", self.transport)):
            if value is not None:
                body[name] = value
        for name, flag in (("prefer_ephemeral", self.prefer_ephemeral),
                           ("require_confirmation", self.require_confirmation),
                           ("is_dry_run", self.is_dry_run)):
            if flag:
                body[name] = True
        return body


@dataclass
class NodeSyncResult:
    node: str = ""
    outcome: str = "pending"            # verified | pending | failed | not_eligible
    reason: str = ""
    missing: int = 0                    # units or objects still to come


@dataclass
class RouteVerdict:
    node: str = ""
    is_chosen: bool = False
    score: float = 0.0
    reason: str = ""
    transport: str = ""                 # empty if not chosen


@dataclass
class RouteReport:
    collection: str = ""
    backend: str = ""
    why: str = ""
    verdicts: list[RouteVerdict] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        """Ids of the chosen nodes, best first."""
        return [verdict.node for verdict in self.verdicts if verdict.is_chosen]


@dataclass
class SyncResponse:
    """A verified answer. It is true in a condition exactly when `success` is."""

    success: bool = False
    backend_used: SyncBackend | str = SyncBackend.NONE
    nodes_synced: list[str] = field(default_factory=list)   # where it was verified
    bytes_transferred: int = 0
    duration_seconds: float = field(default=0.0, metadata={"json": "duration_s"})
    errors: list[str] = field(default_factory=list)
    details: dict[str, str] = field(default_factory=dict)
    nodes: list[NodeSyncResult] = field(default_factory=list)
    route: RouteReport = field(default_factory=RouteReport)
    parts: list[SyncResponse] = field(default_factory=list)  # "all": one per collection

    def __bool__(self) -> bool:
        return self.success


@dataclass
class OriginLag:
    origin: str = ""
    known: int = 0
    held: int = 0
    age_s: float = 0.0


@dataclass
class CollectionStatus:
    name: str = ""
    kind: str = ""
    known: int = 0
    durable: int = 0
    pending: int = 0
    pending_bytes: int = 0
    oldest_pending_age_s: float = 0.0
    why: str = ""
    is_over_target: bool = False
    freshness_target_s: float = 0.0
    open_units: int = 0
    replica_units: int = 0
    fingerprint: str = ""
    last_proof_age_s: float | None = None
    derived: str = ""
    announced: str = ""                 # rows that wait for a file they name; files nobody has
    problems: list[str] = field(default_factory=list)
    origins: list[OriginLag] = field(default_factory=list)


@dataclass
class PeerStatus:
    id: str = ""
    state: str = ""                     # connected | unreachable | suspect | dead | left
    address: str = ""
    roles: list[str] = field(default_factory=list)
    provider: str = ""
    domain: str = ""
    is_ephemeral: bool = False
    last_heard_age_s: float | None = None
    disk_free_bytes: int | None = None
    disk_used_percent: float | None = None
    open_circuits: list[str] = field(default_factory=list)


@dataclass
class HookRow:
    """One [[hook]] of the daemon: what was told, and what waits."""
    name: str = ""
    target: str = ""
    waiting: int = 0
    delivered: int = 0
    given_up: int = 0
    last_error: str = ""


@dataclass
class AgentlessRow:
    """One [[agentless]] host: no daemon there, polled over SSH."""
    id: str = ""
    address: str = ""
    state: str = ""                     # new | looking | waiting | unreachable
    looked_age_s: float | None = None
    next_look_s: float = 0.0
    taken: int = 0
    given: int = 0
    bytes: int = 0
    unstable: int = 0
    is_late: bool = False               # three looks were missed, or none ever succeeded
    problems: list[str] = field(default_factory=list)


@dataclass
class StatusReport:
    node: str = ""
    fleet: str = ""
    version: str = ""
    state: str = ""                     # running | draining | starting
    uptime_s: float = 0.0
    acks: int = 0
    journal_bytes: int = 0
    journal_max_bytes: int = 0
    disk_used_percent: float = 0.0
    is_intake_open: bool = True
    intake_closed_why: str = ""
    is_safe: bool = False               # nothing over its target, nothing stuck
    collections: list[CollectionStatus] = field(default_factory=list)
    peers: list[PeerStatus] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    hooks: list[HookRow] = field(default_factory=list)
    agentless: list[AgentlessRow] = field(default_factory=list)
    leader: str = ""                    # who leads broadcasts and why, or why nobody does


@dataclass
class FreshnessRow:
    collection: str = ""
    config_key: str = ""
    age_s: float = 0.0
    target_s: float = 0.0
    next_run_s: float | None = None
    waiting_for: str = ""


@dataclass
class BackendStats:
    backend: str = ""
    syncs: int = 0
    bytes: int = 0
    errors: int = 0
    error_rate: float = 0.0
    latency_mean_s: float = 0.0


@dataclass
class StatsReport:
    total_syncs: int = 0
    total_bytes: int = 0
    total_errors: int = 0
    by_backend: list[BackendStats] = field(default_factory=list)
    durable_p50_ms: float = 0.0
    durable_p99_ms: float = 0.0
    counters: dict[str, int] = field(default_factory=dict)


@dataclass
class TransferRow:
    id: str = ""
    collection: str = ""
    object: str = ""
    source: str = ""
    target: str = ""
    transport: str = ""
    state: str = ""                     # queued | running | verifying | done | failed
    bytes_total: int = 0
    bytes_done: int = 0
    rate_bytes_per_s: float = 0.0
    detail: str = ""


@dataclass
class Event:
    id: int = 0                         # grows by one; pass it as `after` to go on behind it
    at_ms: int = 0                      # wall clock, milliseconds since 1970
    type: str = ""                      # data_sync_started | data_sync_completed | …
    collection: str = ""
    node: str = ""
    message: str = ""
    details: dict[str, str] = field(default_factory=dict)


@dataclass
class FlushReport:
    """True in a condition exactly when everything local is durable."""

    is_durable: bool = False
    acks: int = 0
    durable: int = 0
    pending: list[CollectionStatus] = field(default_factory=list)
    duration_seconds: float = field(default=0.0, metadata={"json": "duration_s"})

    def __bool__(self) -> bool:
        return self.is_durable


@dataclass
class DeadLetterRow:
    """A record that cannot be merged on the node that was asked; it is kept there."""
    id: str = ""                        # origin/epoch/seq
    collection: str = ""
    key: str = ""
    reason: str = ""
    bytes: int = 0


@dataclass
class VerifyDifference:
    node: str = ""
    what: str = ""


@dataclass
class VerifyReport:
    collection: str = ""
    checked: int = 0
    fingerprint: str = ""
    fingerprint_by_node: dict[str, str] = field(default_factory=dict)
    differences: list[VerifyDifference] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
