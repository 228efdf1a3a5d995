// What the API takes and answers, as plain values of standard types.
//
// The same fields with the same names travel as JSON (docs/api.md). Times and sizes are in the
// unit their name says; an empty optional means "not known".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace syncline {

enum class Priority { kCritical, kHigh, kNormal, kLow, kBackground };

// Every argument is honoured, or the request is refused with a reason: none is ignored.
struct SyncRequest {
  std::string data_type;             // a collection's name, or "all"
  std::vector<std::string> targets;  // node ids; empty = wherever the collection is wanted
  std::vector<std::string> exclude_nodes;
  std::string board_type;  // with num_players: restricts to one config key
  std::optional<int> num_players;
  Priority priority = Priority::kNormal;
  double timeout_s = 300;
  double bandwidth_limit_mbps = 0;  // megabytes per second; 0 = the configured limit
  bool prefer_ephemeral = false;
  bool require_confirmation = false;  // success only when every target's fsync was seen
  std::string transport;              // force one; empty = the planner's choice
  bool is_dry_run = false;            // answer the route, move nothing
};

struct OriginLag {  // one log: what one node wrote into one collection
  std::string origin;
  std::uint64_t known = 0;  // units that the origin has told of
  std::uint64_t held = 0;   // of these, on this node's disk
  double age_s = 0;         // since the catalog last heard of this origin
};

struct CollectionStatus {
  std::string name;
  std::string kind;                 // sqlite | files
  std::uint64_t known = 0;          // units or objects known to the fleet, as seen here
  std::uint64_t durable = 0;        // … held by `acks` other failure domains
  std::uint64_t pending = 0;        // local ones not durable yet
  std::uint64_t pending_bytes = 0;  // bytes at risk
  double oldest_pending_age_s = 0;
  std::string why;              // one sentence; empty when nothing is pending
  bool is_over_target = false;  // oldest pending, or lag, beyond freshness_target_s
  double freshness_target_s = 0;
  std::uint64_t open_units = 0;            // begun by a program, not complete yet
  std::uint64_t replica_units = 0;         // in this node's replica
  std::string fingerprint;                 // hex; equal on nodes with equal replicas
  std::optional<double> last_proof_age_s;  // since scrub last proved the replica
  std::string derived;    // what its derived tables come from: "12 matches rated; skipped: …"
  std::string announced;  // rows that wait for a file they name, and files that nobody has
  std::vector<std::string> problems;  // unreadable source, schema without key …, one line each
  std::vector<OriginLag> origins;
};

struct PeerStatus {
  std::string id;
  std::string state;  // connected | unreachable | suspect | dead | left
  std::string address;
  std::vector<std::string> roles;
  std::string provider;
  std::string domain;
  bool is_ephemeral = false;
  std::optional<double> last_heard_age_s;
  std::optional<std::uint64_t> disk_free_bytes;
  std::optional<double> disk_used_percent;
  std::vector<std::string> open_circuits;  // "p2p: 5 failures, tried again in 42 s"
};

struct HookRow {  // one [[hook]]
  std::string name;
  std::string target;  // program, or the URL up to its host
  std::uint64_t waiting = 0;
  std::uint64_t delivered = 0;
  std::uint64_t given_up = 0;
  std::string last_error;  // empty after a success
};

struct AgentlessRow {  // one [[agentless]] host: no daemon there, polled over SSH from this node
  std::string id;
  std::string address;
  std::string state;                   // new | looking | waiting | unreachable
  std::optional<double> looked_age_s;  // since the last look that reached its end
  double next_look_s = 0;
  std::uint64_t taken = 0;  // files and databases, since the daemon started
  std::uint64_t given = 0;
  std::uint64_t bytes = 0;     // over the wire
  std::uint64_t unstable = 0;  // files being written there
  bool is_late = false;        // three looks were missed, or none ever succeeded
  std::vector<std::string> problems;
};

struct StatusReport {
  std::string node;
  std::string fleet;
  std::string version;
  std::string state;  // running | draining | starting
  double uptime_s = 0;
  int acks = 0;
  std::uint64_t journal_bytes = 0;
  std::uint64_t journal_max_bytes = 0;
  double disk_used_percent = 0;
  bool is_intake_open = true;
  std::string intake_closed_why;
  bool is_safe = false;  // nothing over its target, nothing stuck
  std::vector<CollectionStatus> collections;
  std::vector<PeerStatus> peers;
  std::vector<std::string> problems;
  std::vector<HookRow> hooks;
  std::vector<AgentlessRow> agentless;
  std::string leader;  // "home leads (epoch 3, …)", or why nobody does
};

struct FreshnessRow {
  std::string collection;
  std::string config_key;
  double age_s = 0;  // of the oldest unit not yet where it is wanted
  double target_s = 0;
  std::optional<double> next_run_s;
  std::string waiting_for;
};

struct BackendStats {
  std::string backend;
  std::uint64_t syncs = 0;
  std::uint64_t bytes = 0;
  std::uint64_t errors = 0;
  double error_rate = 0;
  double latency_mean_s = 0;
};

struct StatsReport {
  std::uint64_t total_syncs = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t total_errors = 0;
  std::vector<BackendStats> by_backend;
  double durable_p50_ms = 0;  // commit to durable, over the last 10,000 units
  double durable_p99_ms = 0;
  std::map<std::string, std::uint64_t> counters;
};

struct RouteVerdict {
  std::string node;
  bool is_chosen = false;
  double score = 0;
  std::string reason;     // "training role +30, disk 41 % used +10" or why not
  std::string transport;  // how it would get there; empty if not chosen
};

struct RouteReport {
  std::string collection;
  std::string backend;
  std::string why;  // why that backend
  std::vector<RouteVerdict> verdicts;
};

struct TransferRow {
  std::string id;
  std::string collection;
  std::string object;
  std::string source;
  std::string target;
  std::string transport;
  std::string state;  // queued | running | verifying | done | failed
  std::uint64_t bytes_total = 0;
  std::uint64_t bytes_done = 0;
  double rate_bytes_per_s = 0;
  std::string detail;
};

struct EventRow {
  std::uint64_t id = 0;    // grows by one; resume with Last-Event-ID
  std::int64_t at_ms = 0;  // wall clock
  std::string type;        // data_sync_started | data_sync_completed | …
  std::string collection;
  std::string node;
  std::string message;  // one sentence
  std::map<std::string, std::string> details;
};

struct DeadLetterRow {  // a record that cannot be merged on this node
  std::string id;       // "origin/epoch/seq"
  std::string collection;
  std::string key;  // of its unit
  std::string reason;
  std::uint64_t bytes = 0;
};

struct DeadLettersHandled {
  std::uint64_t changed = 0;  // merged now, or dropped
  std::uint64_t left = 0;     // that still cannot be merged
};

struct VerifyDifference {
  std::string node;
  std::string what;  // "3 units missing", "object models/x.pth differs" …
};

struct VerifyReport {
  std::string collection;
  std::uint64_t checked = 0;  // units or objects re-hashed here
  std::string fingerprint;
  std::map<std::string, std::string> fingerprint_by_node;
  std::vector<VerifyDifference> differences;
  std::vector<std::string> damaged;  // local ones that no longer match their hash
};

struct FlushReport {
  bool is_durable = false;
  int acks = 0;
  std::uint64_t durable = 0;
  std::vector<CollectionStatus> pending;  // collections with something not durable
  double duration_s = 0;
};

struct NodeSyncResult {
  std::string node;
  std::string outcome;  // verified | pending | failed | not_eligible
  std::string reason;
  std::uint64_t missing = 0;  // units or objects still to come
};

struct SyncResponse {
  bool success = false;      // verified at every chosen target, never assumed
  std::string backend_used;  // hybrid | broadcast | router | ephemeral | pull | transfer
  std::vector<std::string> nodes_synced;
  std::uint64_t bytes_transferred = 0;
  double duration_s = 0;
  std::vector<std::string> errors;
  std::map<std::string, std::string> details;
  std::vector<NodeSyncResult> nodes;
  RouteReport route;
  std::vector<SyncResponse> parts;  // "all": one per collection
};

}  // namespace syncline
