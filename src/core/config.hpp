// The configuration model: what one node's syncline.toml says, as values with their defaults.
//
// Each setting is declared once more in settings_table.cpp with its unit, its reason and what
// raising and lowering it does; the loader, `syncline init`'s commented file, `config show` and the
// docs are all made from that table. Relative paths are resolved from the file's folder by the
// loader, so every path here is absolute.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"

namespace syncline::core {

enum class Tristate { kAuto, kTrue, kFalse };
enum class Priority { kCritical, kHigh, kNormal, kLow, kBackground };
enum class Kind { kFiles, kSqlite };
enum class StrategyName { kAuto, kHybrid, kBroadcast, kEphemeral, kPull };

const char* to_string(Priority priority);
const char* to_string(Kind kind);
const char* to_string(StrategyName strategy);
std::optional<Priority> parse_priority(std::string_view text);
std::optional<Kind> parse_kind(std::string_view text);
std::optional<StrategyName> parse_strategy(std::string_view text);
double share_of(Priority priority);  // 2.0, 1.5, 1.0, 0.5, 0.25: shares of bandwidth

struct NodeConfig {
  NodeId id;                       // default: host name
  std::vector<std::string> roles;  // selfplay, training, coordinator, backup, voter
  std::string provider;            // "vast", "lambda" …; "" = unknown
  std::string zone;                // provider's zone: part of the failure domain
  std::string host;                // machine id; default: /etc/machine-id + host name
  std::string storage_domain;      // one NFS export = one domain; default: from mountinfo
  Tristate ephemeral = Tristate::kAuto;
  std::string peer_listen = "0.0.0.0:8750";
  std::string
      peer_advertise;  // how others reach it; default: peer_listen's port on the seen address
  std::vector<std::string> http_listen = {"unix:state/api.sock"};
  std::string state_dir = "state";
  std::vector<std::string> seeds;
  // Found at the start, never in the file: where others get objects by aria2 and swarm; 0 = not.
  int objects_port = 0;
  int swarm_port = 0;
};

struct DurabilityConfig {
  int acks = 2;                                              // peers that must have fsynced
  int extra_pushes = 1;                                      // pushes beyond `acks`: first acks win
  std::int64_t ack_timeout_ms = 5000;                        // then another receiver is chosen
  std::int64_t journal_max_bytes = std::int64_t{4} << 30;    // then intake stops, visibly
  std::int64_t inflight_max_bytes = std::int64_t{16} << 20;  // unacked bytes per peer
  // A producer that notifies of a finished game waits until it is durable, at most so long.
  bool write_through = false;
  std::int64_t write_through_timeout_s = 60;
};

struct GossipConfig {
  std::int64_t interval_ms = 1000;   // one digest exchange with one connected peer
  std::int64_t fact_flush_ms = 200;  // own log/… facts are refreshed at most this often
  std::int64_t delta_max_bytes = 1 << 20;
  int fan_out = 3;
  std::int64_t broadcast_interval_s = 120;  // the leader looks at everybody's copies
  std::int64_t broadcast_grace_ms = 2000;   // for its push; then a node fetches by itself
};

struct MembershipConfig {
  std::int64_t probe_interval_ms = 1000;
  std::int64_t probe_timeout_ms = 500;
  int indirect_probes = 3;
  double suspicion_mult = 4.0;
  double suspicion_max_mult = 6.0;
  int gossip_fan_out = 3;
  std::int64_t gossip_interval_ms = 200;
  std::int64_t push_pull_interval_ms = 30000;
  std::int64_t forget_dead_after_ms = 24 * 3600 * 1000;
};

struct TransportLimits {
  // Of those, the planner takes the cheapest and falls back on the rest.
  std::vector<std::string> enabled = {"nfs", "p2p", "swarm", "aria2", "ssh"};
  std::int64_t p2p_connect_timeout_ms = 5000;
  std::int64_t p2p_transfer_timeout_ms = 120000;  // without any progress
  int p2p_tries = 2;
  std::int64_t ssh_connect_timeout_ms = 10000;
  std::int64_t ssh_transfer_timeout_ms = 300000;
  int ssh_tries = 3;
  std::string swarm_listen;         // "HOST:PORT" of BitTorrent among nodes; empty: no swarms here
  double swarm_upload_mbps = 0;     // MB/s to others; 0 = unlimited
  int swarm_seeds_max = 32;         // objects kept open for others
  std::int64_t swarm_idle_s = 600;  // one that nobody reads for so long is closed
  int breaker_failures = 5;
  std::int64_t breaker_open_ms = 60000;
  int jobs_max = 8;                                   // transfers at once
  int small_jobs_max = 2048;                          // … of at most 256 KiB, beside them
  std::int64_t window_bytes = std::int64_t{8} << 20;  // requested and not yet received, per job
  double bandwidth_total_mbps = 0;                    // megabytes per second; 0 = unlimited
  std::map<std::string, double> bandwidth_by_provider_mbps;  // glob -> MB/s
  std::vector<std::string> schedules;  // "mon-fri 08:00-18:00 10", "models 22:00-06:00 closed"
  std::int64_t staging_max_age_s = 24 * 3600;  // partial files older than this are removed
};

// How nodes log in to each other for the transport ssh.
struct SshConfig {
  std::string user;  // there
  int port = 22;
  std::string key_file;          // absolute; of a key without a passphrase; empty: ssh is not used
  std::string known_hosts_file;  // absolute; hosts that are not in it are refused
  bool is_set_up() const { return !key_file.empty(); }
};

struct DiskLimits {
  double used_max_percent = 70;
  double used_target_percent = 60;
  double free_min_percent = 15;
  std::int64_t free_min_bytes = 0;
};

struct SpotConfig {
  std::int64_t poll_interval_ms = 5000;
  std::int64_t notice_s = 0;  // 0 = no notice: only acked counts
  double uplink_mbps = 0;     // MB/s; 0 = by provider
  std::string metadata_aws = "http://169.254.169.254";
  std::string metadata_gcp = "http://metadata.google.internal";
  std::string metadata_azure = "http://169.254.169.254";
  std::int64_t drain_deadline_s = 25;  // after SIGTERM
};

// The cluster that decides who leads, with coordination = "etcd".
struct EtcdConfig {
  std::vector<std::string> endpoints;  // "http://10.0.0.1:2379"
  std::string prefix = "syncline";     // of our one key: <prefix>/<fleet>/leader
  std::int64_t lease_s = 10;
  std::int64_t timeout_ms = 2000;  // of one question to one endpoint
  std::string ca_file;             // of https endpoints; absolute
  std::string cert_file;           // this node's, where the cluster asks for one
  std::string key_file;
};

struct ApiConfig {
  std::string token_file;  // required for TCP listeners without client certificate
  std::int64_t request_max_bytes = 1 << 20;
  std::int64_t sync_timeout_s = 300;
};

struct Placement {
  std::vector<std::string> roles;                // any of these; empty = any role
  std::vector<std::string> nodes = {"*"};        // globs
  std::vector<std::string> exclude_nodes;        // globs
  std::vector<std::string> config_keys = {"*"};  // globs
  bool operator==(const Placement&) const = default;
};

enum class MergeRule { kUnion, kLatest, kDerived };

struct TableConfig {
  MergeRule rule = MergeRule::kUnion;
  std::string latest_by;                       // column for kLatest
  std::vector<std::string> key;                // natural key; empty = found from the schema
  std::map<std::string, std::string> aliases;  // column as found -> column as kept
  bool operator==(const TableConfig&) const = default;
};

// Tables of a replica that are computed from its rows.
struct DeriveConfig {
  std::string by;  // elo | sql; empty = nothing is derived
  std::string matches = "match_history";
  std::string ratings = "elo_ratings";
  double start = 1500;
  double k = 32;
  std::map<std::string, double> pinned;                // participant -> rating that never moves
  std::vector<std::string> unrated = {"candidate_*"};  // globs
  std::string script;                                  // absolute
  bool operator==(const DeriveConfig&) const = default;
};

// Rows that tell of files in another collection: such a row travels when its file is durable.
struct AnnounceConfig {
  std::string table;  // empty: nothing is announced
  std::string column;
  std::string collection;  // of kind files
  bool operator==(const AnnounceConfig&) const = default;
};

struct CollectionConfig {
  CollectionName name;
  Kind kind = Kind::kFiles;
  std::string root;
  std::vector<std::string> include = {"**"};
  std::vector<std::string> exclude;
  std::string replica;                  // sqlite: our union; may hold {config_key}. files: root
  std::string unit;                     // root table; empty = every table is its own unit
  std::string complete_when;            // SQL condition on the root table; empty = always
  std::string changed_by;               // column that moves when a row is updated
  std::vector<std::string> config_key;  // columns of the root table; hex8 + 2 -> "hex8_2p"
  std::map<std::string, TableConfig> tables;
  std::string merge = "rows";  // rows | snapshot
  int copies = 3;
  Priority priority = Priority::kNormal;
  Placement placement;
  StrategyName strategy = StrategyName::kAuto;
  std::int64_t freshness_target_s = 60;
  std::int64_t poll_ms = 0;            // 0: 5 s on ephemeral nodes, 60 s otherwise
  std::int64_t stable_ms = 1000;       // files: unchanged for this long before it is taken
  std::int64_t scan_interval_s = 300;  // files: full scan, beside inotify
  bool replicate_deletes = false;
  std::int64_t retain_s = 0;  // files, on nodes that do not want them: 0 = for ever
  std::vector<std::string> tables_exclude;
  DeriveConfig derive;
  AnnounceConfig announces;
  bool is_collected = false;  // an [[agentless]] host is polled for it: set by the loader

  // Something is to be read here: what local programs write, or what was copied from elsewhere.
  bool has_sources() const { return !root.empty() || is_collected; }
};

// A machine without a daemon, reached over SSH by this node: polled for what programs write there,
// and given files.
struct AgentlessConfig {
  NodeId name;
  std::string host;  // to log in at
  std::string user;  // empty: [ssh] user
  int port = 0;      // 0: [ssh] port
  std::string key_file;
  std::string known_hosts_file;
  std::map<std::string, std::string> collect;  // collection -> folder there
  std::map<std::string, std::string> deliver;  // likewise; of kind files
  std::int64_t every_s = 60;
  std::int64_t pause_max_s = 600;  // between two tries of a host that does not answer
  double bandwidth_mbps = 0;       // MB/s; 0 = unlimited
  std::string temporary_folder = "/var/tmp";
};

// Who is told of events: a program, or a URL.
struct HookConfig {
  std::string name;
  std::vector<std::string> on;   // globs of event types
  std::vector<std::string> run;  // program and arguments; the event comes as JSON on its input
  std::string post;              // http:// or https:// URL; the event is the body, as JSON
  std::string secret_file;       // of posts: signed with HMAC-SHA256 by the text in it
  std::int64_t timeout_s = 30;   // of one try
  int tries = 8;
  std::int64_t pause_s = 1;  // before the second try; doubled each time, up to 5 min
  std::int64_t queue_max = 1000;
};

struct Config {
  std::string path;   // of the file it came from; "" in tests
  std::string fleet;  // from the identity, not the file
  NodeConfig node;
  DurabilityConfig durability;
  GossipConfig gossip;
  MembershipConfig membership;
  TransportLimits transport;
  SshConfig ssh;
  DiskLimits disk;
  SpotConfig spot;
  ApiConfig api;
  std::string coordination = "embedded";  // embedded | etcd
  EtcdConfig etcd;
  std::vector<CollectionConfig> collections;
  std::vector<HookConfig> hooks;
  std::vector<AgentlessConfig> agentless;
};

// What the environment knows better than the file.
struct ConfigOverrides {
  std::string host_name;   // default of node.id
  std::string machine_id;  // default of node.host; empty: the node's id
  std::string state_dir;   // SYNCLINE_STATE_DIR
};

// Checks the text of a file that lies at `path` (absolute). An unknown key is an error that names
// the nearest known one; every error tells file and line. Relative paths become absolute, from the
// file's folder.
Result<Config> parse_config(std::string_view toml, const std::string& path,
                            const ConfigOverrides& overrides = {});

// The configuration in force, as a file that loads to the same again.
std::string config_to_toml(const Config& config);

// docs/configuration.md.
std::string settings_as_markdown();

// The commented file that `syncline init` writes: every key, its unit, default and reason.
struct InitialSettings {
  std::string id;
  std::string peer_listen;
  std::string http_listen;
  std::vector<std::string> seeds;
  std::vector<std::string> roles;
};
std::string initial_config_toml(const InitialSettings& settings);

// "**/*.db": `**` crosses folders, `*` and `?` do not, [abc] and {a,b} as in gitignore/bash.
bool glob_matches(std::string_view pattern, std::string_view text);
bool any_glob_matches(const std::vector<std::string>& patterns, std::string_view text);

}  // namespace syncline::core
