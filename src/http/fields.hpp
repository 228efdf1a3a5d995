// Which fields each value has in JSON, with one line of documentation each: the encoder, the
// decoder and the schemas are all made by visiting these lists.
//
// A list is a template over the struct, because two families have the same fields: facade/ (what
// the daemon speaks) and include/syncline (what programs speak).
//   FieldsOf<T>::visit(field, value)  calls  field("name", value.name, "documentation")
#pragma once

#include <string_view>

namespace syncline::http {

template <typename T>
struct FieldsOf;  // specialised in field_types.hpp: using …Fields below

struct OriginLagFields {
  static constexpr std::string_view kName = "OriginLag";
  static constexpr std::size_t kCount = 4;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("origin", x.origin, "node that wrote this log");
    field("known", x.known, "units that the origin has told of");
    field("held", x.held, "of these, on this node's disk");
    field("age_s", x.age_s, "seconds since the catalog last heard of this origin");
  }
};

struct CollectionStatusFields {
  static constexpr std::string_view kName = "CollectionStatus";
  static constexpr std::size_t kCount = 18;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("name", x.name, "the collection's name");
    field("kind", x.kind, "sqlite or files");
    field("known", x.known, "units or objects known to the fleet, as seen from this node");
    field("durable", x.durable, "of these, held by `acks` other failure domains");
    field("pending", x.pending, "local ones that are not durable yet");
    field("pending_bytes", x.pending_bytes, "bytes at risk");
    field("oldest_pending_age_s", x.oldest_pending_age_s, "age of the oldest pending one");
    field("why", x.why, "one sentence: why something is pending; empty when nothing is");
    field("is_over_target", x.is_over_target, "oldest pending, or lag, beyond the target");
    field("freshness_target_s", x.freshness_target_s, "as configured");
    field("open_units", x.open_units, "begun by a program, not complete yet");
    field("replica_units", x.replica_units, "units in this node's replica");
    field("fingerprint", x.fingerprint, "hex; equal on nodes with equal replicas");
    field("last_proof_age_s", x.last_proof_age_s, "seconds since scrub last proved the replica");
    field("derived", x.derived, "what its derived tables come from; empty when none are");
    field(
        "announced", x.announced,
        "rows that wait for a file they name, and files that nobody has; empty when all are there");
    field("problems", x.problems, "unreadable source, schema without key …: one line each");
    field("origins", x.origins, "one row per log that is known here");
  }
};

struct PeerStatusFields {
  static constexpr std::string_view kName = "PeerStatus";
  static constexpr std::size_t kCount = 11;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("id", x.id, "node id");
    field("state", x.state, "connected, unreachable, suspect, dead or left");
    field("address", x.address, "host:port of its peer listener");
    field("roles", x.roles, "selfplay, training, coordinator, backup, voter");
    field("provider", x.provider, "as configured there");
    field("domain", x.domain, "failure domain: nodes of one domain count as one copy");
    field("is_ephemeral", x.is_ephemeral, "a spot node: it may vanish");
    field("last_heard_age_s", x.last_heard_age_s, "seconds since anything was heard from it");
    field("disk_free_bytes", x.disk_free_bytes, "on its state disk");
    field("disk_used_percent", x.disk_used_percent, "0 to 100");
    field("open_circuits", x.open_circuits, "transports that are paused after failures, and why");
  }
};

struct HookRowFields {
  static constexpr std::string_view kName = "HookRow";
  static constexpr std::size_t kCount = 6;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("name", x.name, "as configured");
    field("target", x.target, "the program, or the URL up to its host");
    field("waiting", x.waiting, "events that wait to be told");
    field("delivered", x.delivered, "events told since the daemon started");
    field("given_up", x.given_up, "events that could not be told");
    field("last_error", x.last_error, "why the last try failed; empty after a success");
  }
};

struct AgentlessRowFields {
  static constexpr std::string_view kName = "AgentlessRow";
  static constexpr std::size_t kCount = 11;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("id", x.id, "the host's name, as configured");
    field("address", x.address, "where it is logged in at");
    field("state", x.state, "new, looking, waiting or unreachable");
    field("looked_age_s", x.looked_age_s, "seconds since the last look that reached its end");
    field("next_look_s", x.next_look_s, "seconds until the next");
    field("taken", x.taken, "files and databases copied from there since the daemon started");
    field("given", x.given, "files put there");
    field("bytes", x.bytes, "over the wire");
    field("unstable", x.unstable, "files that are being written there; taken once they settle");
    field("is_late", x.is_late, "three looks were missed, or none ever succeeded");
    field("problems", x.problems, "one line each");
  }
};

struct StatusReportFields {
  static constexpr std::string_view kName = "StatusReport";
  static constexpr std::size_t kCount = 18;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("node", x.node, "id of the node that answers");
    field("fleet", x.fleet, "its fleet");
    field("version", x.version, "of the daemon");
    field("state", x.state, "starting, running or draining");
    field("uptime_s", x.uptime_s, "seconds since the daemon started");
    field("acks", x.acks, "peers that must have fsynced before a unit is durable");
    field("journal_bytes", x.journal_bytes, "size of the journal on disk");
    field("journal_max_bytes", x.journal_max_bytes, "where intake stops");
    field("disk_used_percent", x.disk_used_percent, "of the state disk, 0 to 100");
    field("is_intake_open", x.is_intake_open, "false: new data is not taken, see the next field");
    field("intake_closed_why", x.intake_closed_why, "one sentence; empty while intake is open");
    field("is_safe", x.is_safe, "nothing is over its target and nothing is stuck");
    field("collections", x.collections, "one per declared collection");
    field("peers", x.peers, "every other node that is known");
    field("problems", x.problems, "what the operator should look at, one line each");
    field("hooks", x.hooks, "one per [[hook]]: what was told, what waits");
    field("agentless", x.agentless, "one per [[agentless]] host: what was copied, and when");
    field("leader", x.leader, "who leads broadcasts and why, or why nobody does");
  }
};

struct FreshnessRowFields {
  static constexpr std::string_view kName = "FreshnessRow";
  static constexpr std::size_t kCount = 6;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("collection", x.collection, "the collection's name");
    field("config_key", x.config_key, "such as hex8_2p; empty if it has none");
    field("age_s", x.age_s, "of the oldest unit that is not yet where it is wanted");
    field("target_s", x.target_s, "as configured");
    field("next_run_s", x.next_run_s, "seconds until it is looked at next");
    field("waiting_for", x.waiting_for, "one sentence; empty when nothing waits");
  }
};

struct BackendStatsFields {
  static constexpr std::string_view kName = "BackendStats";
  static constexpr std::size_t kCount = 6;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("backend", x.backend, "hybrid, broadcast, router, ephemeral, pull or transfer");
    field("syncs", x.syncs, "requests it carried out");
    field("bytes", x.bytes, "bytes it moved");
    field("errors", x.errors, "requests that failed");
    field("error_rate", x.error_rate, "errors ÷ syncs, 0 to 1");
    field("latency_mean_s", x.latency_mean_s, "mean duration of a request");
  }
};

struct StatsReportFields {
  static constexpr std::string_view kName = "StatsReport";
  static constexpr std::size_t kCount = 7;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("total_syncs", x.total_syncs, "requests since the daemon started");
    field("total_bytes", x.total_bytes, "bytes moved by them");
    field("total_errors", x.total_errors, "of them, failed");
    field("by_backend", x.by_backend, "the same by backend");
    field("durable_p50_ms", x.durable_p50_ms, "commit to durable, over the last 10,000 units");
    field("durable_p99_ms", x.durable_p99_ms, "the same, 99th percentile");
    field("counters", x.counters, "everything else that is counted, by name");
  }
};

struct RouteVerdictFields {
  static constexpr std::string_view kName = "RouteVerdict";
  static constexpr std::size_t kCount = 5;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("node", x.node, "node id");
    field("is_chosen", x.is_chosen, "it is a target");
    field("score", x.score, "higher goes first; 0 when it is not eligible");
    field("reason", x.reason, "what made the score, or why it is left out");
    field("transport", x.transport, "how it would get there; empty if not chosen");
  }
};

struct RouteReportFields {
  static constexpr std::string_view kName = "RouteReport";
  static constexpr std::size_t kCount = 4;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("collection", x.collection, "what was asked for");
    field("backend", x.backend, "what would carry it out");
    field("why", x.why, "why that backend");
    field("verdicts", x.verdicts, "every node, chosen or not, best first");
  }
};

struct TransferRowFields {
  static constexpr std::string_view kName = "TransferRow";
  static constexpr std::size_t kCount = 11;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("id", x.id, "names the transfer on this node");
    field("collection", x.collection, "the collection's name");
    field("object", x.object, "path or range of records");
    field("source", x.source, "node id");
    field("target", x.target, "node id");
    field("transport", x.transport, "p2p, swarm, aria2, ssh or nfs");
    field("state", x.state, "queued, running, verifying, done or failed");
    field("bytes_total", x.bytes_total, "0 while not known");
    field("bytes_done", x.bytes_done, "verified so far");
    field("rate_bytes_per_s", x.rate_bytes_per_s, "over the last seconds");
    field("detail", x.detail, "one sentence, such as the last error");
  }
};

struct EventRowFields {
  static constexpr std::string_view kName = "EventRow";
  static constexpr std::size_t kCount = 7;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("id", x.id, "grows by one; resume with Last-Event-ID");
    field("at_ms", x.at_ms, "wall clock, milliseconds since 1970");
    field("type", x.type, "data_sync_started, data_sync_completed …");
    field("collection", x.collection, "empty where it is not about one");
    field("node", x.node, "empty where it is not about one");
    field("message", x.message, "one sentence");
    field("details", x.details, "further values, by name");
  }
};

struct VerifyDifferenceFields {
  static constexpr std::string_view kName = "VerifyDifference";
  static constexpr std::size_t kCount = 2;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("node", x.node, "node that differs from this one");
    field("what", x.what, "3 units missing, object models/x.pth differs …");
  }
};

struct VerifyReportFields {
  static constexpr std::string_view kName = "VerifyReport";
  static constexpr std::size_t kCount = 6;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("collection", x.collection, "the collection's name");
    field("checked", x.checked, "units or objects re-hashed here");
    field("fingerprint", x.fingerprint, "of this node's replica, hex");
    field("fingerprint_by_node", x.fingerprint_by_node, "of every node that answered");
    field("differences", x.differences, "empty when the fleet agrees");
    field("damaged", x.damaged, "local ones that no longer match their hash");
  }
};

struct FlushReportFields {
  static constexpr std::string_view kName = "FlushReport";
  static constexpr std::size_t kCount = 5;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("is_durable", x.is_durable, "everything local is durable at `acks`");
    field("acks", x.acks, "peers that had to have fsynced");
    field("durable", x.durable, "units and objects that are");
    field("pending", x.pending, "collections with something that is not");
    field("duration_s", x.duration_s, "how long it took");
  }
};

struct SyncRequestFields {
  static constexpr std::string_view kName = "SyncRequest";
  static constexpr const char* kNeeded = "data_type";
  static constexpr std::size_t kCount = 12;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("data_type", x.data_type, "a collection's name, or all");
    field("targets", x.targets, "node ids; empty = wherever the collection is wanted");
    field("exclude_nodes", x.exclude_nodes, "node ids that get nothing from this request");
    field("board_type", x.board_type, "with num_players: restricts to one config key");
    field("num_players", x.num_players, "2 to 4");
    field("priority", x.priority, "share of the bandwidth, and which backend");
    field("timeout_s", x.timeout_s, "then the answer says what is still pending");
    field("bandwidth_limit_mbps", x.bandwidth_limit_mbps,
          "megabytes per second; 0 = the configured limit");
    field("prefer_ephemeral", x.prefer_ephemeral, "use the backend for spot nodes");
    field("require_confirmation", x.require_confirmation,
          "success only when every target's fsync was seen");
    field("transport", x.transport, "force one; empty = the planner's choice");
    field("is_dry_run", x.is_dry_run, "answer the route, move nothing");
  }
};

struct NodeSyncResultFields {
  static constexpr std::string_view kName = "NodeSyncResult";
  static constexpr std::size_t kCount = 4;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("node", x.node, "node id");
    field("outcome", x.outcome, "verified, pending, failed or not_eligible");
    field("reason", x.reason, "one sentence");
    field("missing", x.missing, "units or objects still to come");
  }
};

struct SyncResponseFields {
  static constexpr std::string_view kName = "SyncResponse";
  static constexpr std::size_t kCount = 10;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("success", x.success, "verified at every chosen target, never assumed");
    field("backend_used", x.backend_used, "hybrid, broadcast, router, ephemeral, pull, transfer");
    field("nodes_synced", x.nodes_synced, "node ids where it was verified");
    field("bytes_transferred", x.bytes_transferred, "moved for this request");
    field("duration_s", x.duration_s, "how long it took");
    field("errors", x.errors, "one sentence each");
    field("details", x.details, "further values, by name");
    field("nodes", x.nodes, "what became of each node");
    field("route", x.route, "which nodes were chosen, and why");
    field("parts", x.parts, "for all: one answer per collection");
  }
};

struct FlushRequestFields {
  static constexpr std::string_view kName = "FlushRequest";
  static constexpr std::size_t kCount = 2;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("acks", x.acks, "peers that must have fsynced; 0 = as configured");
    field("deadline_s", x.deadline_s, "then the answer says what is not durable");
  }
};

struct VerifyRequestFields {
  static constexpr std::string_view kName = "VerifyRequest";
  static constexpr std::size_t kCount = 1;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("collections", x.collections, "names; empty = every collection");
  }
};

struct NotifyRequestFields {
  static constexpr std::string_view kName = "NotifyRequest";
  static constexpr const char* kNeeded = "event";
  static constexpr std::size_t kCount = 2;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("event", x.event, "game-completed, model-promoted, training-started …");
    field("details", x.details, "what the event needs, by name");
  }
};

struct PauseRequestFields {
  static constexpr std::string_view kName = "PauseRequest";
  static constexpr std::size_t kCount = 2;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("collection", x.collection, "of kind files; empty = all of them");
    field("is_paused", x.is_paused, "false: go on");
  }
};

struct ConfigAnswerFields {
  static constexpr std::string_view kName = "ConfigAnswer";
  static constexpr std::size_t kCount = 1;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("toml", x.toml, "the configuration in force, without secrets");
  }
};

}  // namespace syncline::http
