"""Syncline from Python: await syncline.sync("games", priority="high").

`sync`, `trigger_priority_sync`, `get_stats` ask the daemon of this machine; `Client` has every call
of the API, events included. The names of the older programs (SyncScheduler, AutoSyncDaemon …) work
and warn with the new call. docs/migration.md leads from one to the other.
"""

from .client import Client
from .endpoint import Endpoint, find_endpoint
from .errors import (ConfigurationError, ConflictError, CorruptError, DeadlineError, DeniedError,
                     ExhaustedError, InvalidRequestError, MissingError, OverloadedError,
                     SynclineError, UnreachableError)
from .facade import (Stats, SyncFacade, get_stats, get_sync_facade, reset_sync_facade,
                     split_config_key, sync, trigger_priority_sync)
from .older import (AutoSyncDaemon, ClusterDataSyncDaemon, EphemeralSyncDaemon, SyncCoordinator,
                    SyncOrchestrator, SyncRouter, SyncScheduler, UnifiedDataSyncService,
                    get_auto_sync_daemon, get_cluster_data_status, get_cluster_data_sync_daemon,
                    get_ephemeral_sync_daemon, get_sync_recommendations, get_sync_router,
                    schedule_priority_sync)
from .older_values import ClusterDataStatus, SyncRecommendation, SyncRoute
from .values import (BackendStats, CollectionStatus, DeadLetterRow, Event, FlushReport,
                     FreshnessRow, NodeSyncResult, OriginLag, PeerStatus, RouteReport,
                     RouteVerdict, StatsReport, StatusReport, SyncBackend, SyncRequest,
                     SyncResponse, TransferRow, VerifyDifference, VerifyReport)

__version__ = "0.1.0"

__all__ = [
    "AutoSyncDaemon", "BackendStats", "Client", "ClusterDataStatus", "ClusterDataSyncDaemon",
    "CollectionStatus", "ConfigurationError", "ConflictError", "CorruptError", "DeadLetterRow",
    "DeadlineError", "DeniedError", "Endpoint", "EphemeralSyncDaemon", "Event", "ExhaustedError",
    "FlushReport", "FreshnessRow", "InvalidRequestError", "MissingError", "NodeSyncResult",
    "OriginLag", "OverloadedError", "PeerStatus", "RouteReport", "RouteVerdict", "Stats",
    "StatsReport", "StatusReport", "SyncBackend", "SyncCoordinator", "SyncFacade",
    "SyncOrchestrator", "SyncRecommendation", "SyncRequest", "SyncResponse", "SyncRoute",
    "SyncRouter", "SyncScheduler", "SynclineError", "TransferRow", "UnifiedDataSyncService",
    "UnreachableError", "VerifyDifference", "VerifyReport", "find_endpoint",
    "get_auto_sync_daemon", "get_cluster_data_status", "get_cluster_data_sync_daemon",
    "get_ephemeral_sync_daemon", "get_stats", "get_sync_facade", "get_sync_recommendations",
    "get_sync_router", "reset_sync_facade", "schedule_priority_sync", "split_config_key", "sync",
    "trigger_priority_sync",
]
