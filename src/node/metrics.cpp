#include "node/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace syncline::node {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

class Families {
 public:
  MetricFamily& gauge(const std::string& name, const std::string& help) {
    return add(name, help, MetricType::Gauge);
  }
  MetricFamily& counter(const std::string& name, const std::string& help) {
    return add(name, help, MetricType::Counter);
  }
  MetricFamily& histogram(const std::string& name, const std::string& help) {
    return add(name, help, MetricType::Histogram);
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  MetricFamily& add(const std::string& name, const std::string& help, MetricType type) {
    families_.reserve(kFamiliesMax);  // references stay good
    families_.push_back({"syncline_" + name, help, type, {}});
    return families_.back();
  }
  static constexpr std::size_t kFamiliesMax = 64;
  std::vector<MetricFamily> families_;
};

void put(MetricFamily& family, const Labels& labels, double value) {
  ClientMetric metric;
  for (const auto& [name, text] : labels) metric.label.push_back({name, text});
  if (family.type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(std::move(metric));
}

void put(MetricFamily& family, const Labels& labels, const facade::Histogram& histogram) {
  ClientMetric metric;
  for (const auto& [name, text] : labels) metric.label.push_back({name, text});
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    below += histogram.counts[i];
    const double bound =
        i < facade::kBoundsS.size() ? facade::kBoundsS[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({below, bound});
  }
  metric.histogram.sample_count = histogram.count;
  metric.histogram.sample_sum = histogram.sum_s;
  family.metric.push_back(std::move(metric));
}

template <typename T>
double number(T value) {
  return static_cast<double>(value);
}

void add_collections(Families& families, const facade::StatusReport& status) {
  auto& known = families.gauge("units_known", "Units or objects known to the fleet, as seen here");
  auto& durable = families.gauge("units_durable", "Of these, held by enough failure domains");
  auto& pending = families.gauge("units_not_durable", "This node's own that are not durable yet");
  auto& bytes = families.gauge("bytes_at_risk", "Bytes of this node's own that are not durable");
  auto& age = families.gauge("oldest_not_durable_age_seconds", "Age of the oldest of them");
  auto& over = families.gauge("over_freshness_target", "1 when older than freshness_target_s");
  auto& open = families.gauge("units_open", "Begun by a program, not complete yet");
  auto& replica = families.gauge("replica_units", "Units in this node's replica");
  auto& problems = families.gauge("collection_problems", "Problems that status names");
  auto& proof = families.gauge("last_proof_age_seconds", "Since the replica was last proved");
  auto& lag = families.gauge("origin_lag_units", "Told by an origin and not held here");
  for (const facade::CollectionStatus& row : status.collections) {
    const Labels labels{{"collection", row.name}};
    put(known, labels, number(row.known));
    put(durable, labels, number(row.durable));
    put(pending, labels, number(row.pending));
    put(bytes, labels, number(row.pending_bytes));
    put(age, labels, row.oldest_pending_age_s);
    put(over, labels, row.is_over_target ? 1 : 0);
    put(open, labels, number(row.open_units));
    put(replica, labels, number(row.replica_units));
    put(problems, labels, number(row.problems.size()));
    if (row.last_proof_age_s) put(proof, labels, *row.last_proof_age_s);
    for (const facade::OriginLag& origin : row.origins) {
      put(lag, {{"collection", row.name}, {"origin", origin.origin}},
          number(origin.known - std::min(origin.known, origin.held)));
    }
  }
}

void add_peers(Families& families, const facade::StatusReport& status) {
  auto& connected = families.gauge("peer_connected", "1 while a link to the node stands");
  auto& free = families.gauge("node_disk_free_bytes", "Free disk, as the node says");
  auto& circuits = families.gauge("open_circuits", "Transports to the node that are left alone");
  for (const facade::PeerStatus& peer : status.peers) {
    const Labels labels{{"node", peer.id}};
    if (peer.id != status.node) put(connected, labels, peer.state == "connected" ? 1 : 0);
    if (peer.disk_free_bytes) put(free, labels, number(*peer.disk_free_bytes));
    put(circuits, labels, number(peer.open_circuits.size()));
  }
}

void add_agentless(Families& families, const facade::StatusReport& status) {
  auto& late = families.gauge("agentless_late", "1 when an agentless host missed three looks");
  auto& age = families.gauge("agentless_looked_age_seconds", "Since its last look that ended");
  auto& bytes = families.counter("agentless_bytes_total", "Moved over SSH from and to it");
  for (const facade::AgentlessRow& host : status.agentless) {
    const Labels labels{{"host", host.id}};
    put(late, labels, host.is_late ? 1 : 0);
    if (host.looked_age_s) put(age, labels, *host.looked_age_s);
    put(bytes, labels, number(host.bytes));
  }
}

void add_stats(Families& families, const facade::StatsReport& stats) {
  auto& syncs = families.counter("syncs_total", "Requests by the backend that carried them out");
  auto& bytes = families.counter("sync_bytes_total", "Bytes these requests moved");
  auto& errors = families.counter("sync_errors_total", "Of these requests, not verified in time");
  auto& mean = families.gauge("sync_latency_mean_seconds", "Mean duration of a request");
  for (const facade::BackendStats& row : stats.by_backend) {
    const Labels labels{{"backend", row.backend}};
    put(syncs, labels, number(row.syncs));
    put(bytes, labels, number(row.bytes));
    put(errors, labels, number(row.errors));
    put(mean, labels, row.latency_mean_s);
  }
  auto& durable = families.gauge("commit_to_durable_seconds",
                                 "From a commit that was noticed to k acks, last 10,000 units");
  put(durable, {{"percentile", "50"}}, stats.durable_p50_ms / 1000);
  put(durable, {{"percentile", "99"}}, stats.durable_p99_ms / 1000);
  auto& counters = families.counter("engine_total", "What the engine counts, by name");
  for (const auto& [name, value] : stats.counters) put(counters, {{"name", name}}, number(value));
}

void add_fetches(Families& families, const std::string& prefix, const std::string& label,
                 const std::map<std::string, facade::Tally>& rows) {
  const std::string by = ", by " + label;
  auto& bytes = families.counter(prefix + "fetch_bytes_total", "Received by fetches of files" + by);
  auto& errors = families.counter(prefix + "fetch_errors_total", "Attempts that failed" + by);
  auto& took = families.histogram(prefix + "fetch_duration_seconds",
                                  "Attempts to fetch a file, good and bad" + by);
  for (const auto& [name, row] : rows) {
    const Labels labels{{label, name}};
    put(bytes, labels, number(row.bytes));
    put(errors, labels, number(row.errors));
    put(took, labels, row.took);
  }
}

void add_series(Families& families, const facade::Series& series) {
  auto& syncs = families.histogram("sync_duration_seconds", "Requests, by backend");
  for (const auto& [backend, row] : series.syncs) put(syncs, {{"backend", backend}}, row.took);
  auto& durable = families.histogram("durable_duration_seconds",
                                     "From a commit that was noticed to k acks, by collection");
  for (const auto& [name, took] : series.durable) put(durable, {{"collection", name}}, took);
  add_fetches(families, "", "transport", series.by_transport);
  add_fetches(families, "collection_", "collection", series.by_collection);
  add_fetches(families, "node_", "node", series.by_node);
}

}  // namespace

std::string metrics_text(const facade::StatusReport& status, const facade::StatsReport& stats,
                         const facade::Series& series, std::uint64_t transfers_running) {
  Families families;
  put(families.gauge("info", "1; what runs here"),
      {{"node", status.node}, {"fleet", status.fleet}, {"version", status.version}}, 1);
  put(families.gauge("safe", "1 when nothing is over its target and nothing is stuck"), {},
      status.is_safe ? 1 : 0);
  put(families.gauge("intake_open", "0 when new units are not taken"), {},
      status.is_intake_open ? 1 : 0);
  put(families.gauge("uptime_seconds", "Since the daemon started"), {}, status.uptime_s);
  put(families.gauge("journal_bytes", "Payload in the journal"), {}, number(status.journal_bytes));
  put(families.gauge("journal_max_bytes", "durability.journal_max_bytes"), {},
      number(status.journal_max_bytes));
  put(families.gauge("disk_used_ratio", "Share of this node's disk in use"), {},
      status.disk_used_percent / 100);
  put(families.gauge("transfers_running", "Transfers under way to this node"), {},
      number(transfers_running));
  add_collections(families, status);
  add_agentless(families, status);
  add_peers(families, status);
  add_stats(families, stats);
  add_series(families, series);
  return families.text();
}

}  // namespace syncline::node
