#include "node/api.hpp"

#include <thread>

#include "core/config.hpp"
#include "core/find_configured.hpp"
#include "core/nearest.hpp"
#include "engine/reports.hpp"
#include "facade/stats.hpp"
#include "node/log.hpp"
#include "node/metrics.hpp"

namespace syncline::node {

using core::CollectionName;
using core::Error;
using core::ErrorKind;

namespace {
// The engine answers at the request's own deadline; this much later the loop itself is stuck.
constexpr core::Duration kLoopGrace = core::seconds(10);
// A replica of any size is re-read; whoever asked may leave earlier.
constexpr core::Duration kVerifyMax = core::seconds(24 * 3600);
// Differences that heal within this time were replication under way.
constexpr core::Duration kVerifySettle = core::seconds(5);
constexpr core::Duration kVerifyLookAgain = core::milliseconds(100);

Error stopping() {
  return {ErrorKind::kUnreachable, "the daemon is stopping: ask again when it is back", ""};
}
}  // namespace

NodeApi::NodeApi(const core::Config& config, const env::Clock& clock, Loop& loop, EventRing& events,
                 ApiPorts ports)
    : config_(config),
      clock_(clock),
      loop_(loop),
      events_(events),
      ports_(std::move(ports)),
      started_at_(clock.now()) {}

facade::Known NodeApi::known() {
  facade::Known known;
  for (const core::CollectionConfig& collection : config_.collections) {
    facade::Known::Collection one;
    one.name = collection.name;
    one.has_config_keys = !collection.config_key.empty() || collection.kind == core::Kind::kFiles;
    if (!collection.config_key.empty()) one.config_keys = ports_.config_keys(collection.name);
    known.collections.push_back(std::move(one));
  }
  known.nodes = loop_.call([](engine::Engine& engine) {
    std::vector<std::string> nodes;
    for (const auto& [id, about] : engine.view().nodes()) nodes.push_back(id.text);
    return nodes;
  });
  for (const core::AgentlessConfig& host : config_.agentless) {
    known.nodes.push_back(host.name.text);
  }
  known.transports = ports_.transports;
  return known;
}

std::set<core::NodeId> NodeApi::agentless_with_daemon() {
  std::set<core::NodeId> with;
  const auto rows = loop_.call([this](engine::Engine&) { return ports_.agentless(); });
  for (const facade::AgentlessRow& row : rows) {
    if (row.state == "daemon") with.insert(core::NodeId(row.id));
  }
  return with;
}

core::Result<NodeApi::Prepared> NodeApi::prepare(const facade::SyncRequest& request) {
  const facade::Known names = known();
  SYNCLINE_TRY(facade::validate(request, names));
  Prepared prepared;
  engine::SyncRequested& out = prepared.wanted;
  out.sync = facade::resolved(request, names);
  if (!config_.agentless.empty() && !out.sync.targets.empty()) {
    prepared.agentless = take_agentless_targets(config_, agentless_with_daemon(), out.sync);
    prepared.is_for_engine = !out.sync.targets.empty();
  }
  const std::string pattern = facade::config_key_pattern(request);
  if (pattern.empty()) return prepared;
  out.only.emplace();
  for (const core::CollectionConfig& collection : config_.collections) {
    if (collection.kind != core::Kind::kSqlite || collection.config_key.empty()) continue;
    if (request.data_type != "all" && request.data_type != collection.name.text) continue;
    SYNCLINE_ASSIGN(auto records, ports_.records_with_config_key(collection.name, pattern));
    out.only->merge(records);
  }
  return prepared;
}

core::Result<facade::SyncResponse> NodeApi::ask_engine(engine::SyncRequested wanted,
                                                       core::Instant deadline) {
  wanted.request = syncs_.open();
  wanted.sync.timeout_s = std::max(0.0, core::to_seconds(deadline - clock_.now()));
  const std::uint64_t id = wanted.request;
  loop_.post(std::move(wanted));
  auto answer = syncs_.wait(id, deadline - clock_.now() + kLoopGrace);
  if (!answer) return stopping();
  return *std::move(answer);
}

core::Result<facade::SyncResponse> NodeApi::sync(const facade::SyncRequest& request) {
  SYNCLINE_ASSIGN(Prepared prepared, prepare(request));
  const core::Instant begun = clock_.now();
  const core::Instant deadline = begun + core::from_seconds(request.timeout_s);
  const bool is_real = !request.is_dry_run;
  if (is_real) emit("data_sync_started", request.data_type, "a sync was asked for", {});
  if (is_real && prepared.is_for_engine) {
    // What agentless hosts have is a part of what is to be synced.
    std::set<CollectionName> meant;
    if (request.data_type != "all") meant.insert(CollectionName(request.data_type));
    // At most half of the time that there is: a host may be copying something large.
    ports_.collect(meant, core::from_seconds(request.timeout_s / 2));
  }
  facade::SyncResponse answer = answer_without_engine(request);
  if (prepared.is_for_engine) {
    SYNCLINE_ASSIGN(answer, ask_engine(std::move(prepared.wanted), deadline));
  }
  add_verdicts(prepared.agentless, answer.route);
  if (!is_real) return answer;
  if (!prepared.agentless.empty()) {
    const auto given = collections_of(prepared.agentless);
    CollectOutcome outcome;
    if (!given.empty()) outcome = ports_.collect(given, deadline - clock_.now());
    add_outcomes(prepared.agentless, outcome, answer);
    answer.duration_s = core::to_seconds(clock_.now() - begun);
    if (!prepared.is_for_engine) {
      loop_.call([&answer](engine::Engine& engine) {
        engine.count_sync(answer);
        return true;
      });
    }
  }
  const std::string to = std::to_string(answer.nodes_synced.size()) + " nodes verified";
  const std::string why = answer.errors.empty() ? "" : ": " + answer.errors.front();
  emit(answer.success ? "data_sync_completed" : "data_sync_failed", request.data_type, to + why,
       {{"backend", answer.backend_used}, {"bytes", std::to_string(answer.bytes_transferred)}});
  return answer;
}

void NodeApi::synced(std::uint64_t request, facade::SyncResponse response) {
  syncs_.answer(request, std::move(response));
}

facade::StatusReport NodeApi::status() {
  facade::StatusReport report = loop_.call([this](engine::Engine& engine) {
    facade::StatusReport now = engine::status_of(engine, loop_.now());
    now.agentless = ports_.agentless();
    for (const facade::AgentlessRow& host : now.agentless) now.is_safe &= !host.is_late;
    return now;
  });
  report.version = SYNCLINE_VERSION;
  report.uptime_s = core::to_seconds(clock_.now() - started_at_);
  report.hooks = ports_.hooks();
  return report;
}

std::vector<facade::PeerStatus> NodeApi::nodes() {
  return loop_.call(
      [this](engine::Engine& engine) { return engine::peers_of(engine, loop_.now()); });
}

std::vector<facade::FreshnessRow> NodeApi::freshness() {
  return loop_.call(
      [this](engine::Engine& engine) { return engine::freshness_of(engine, loop_.now()); });
}

facade::StatsReport NodeApi::stats() {
  return loop_.call([this](engine::Engine& engine) {
    facade::StatsReport report = engine.stats().report();
    report.counters["broadcast_records"] = engine.broadcast_records();
    for (const auto& [peer, traffic] : ports_.traffic()) {
      report.counters["wire_sent_bytes"] += traffic.sent_bytes;
      report.counters["wire_received_bytes"] += traffic.received_bytes;
    }
    return report;
  });
}

core::Result<facade::RouteReport> NodeApi::route(const facade::SyncRequest& request) {
  SYNCLINE_ASSIGN(const Prepared prepared, prepare(request));
  const engine::SyncRequested& wanted = prepared.wanted;
  const core::CollectionConfig* collection =
      core::find_collection(config_, CollectionName(wanted.sync.data_type));
  if (collection == nullptr) {
    return Error{ErrorKind::kInvalid, "a route is that of one collection: name it", "data_type"};
  }
  facade::RouteReport route = answer_without_engine(request).route;
  if (prepared.is_for_engine) {
    route = loop_.call([&](engine::Engine& engine) {
      return engine.route(wanted.sync, *collection, loop_.now());
    });
  }
  add_verdicts(prepared.agentless, route);
  return route;
}

std::vector<facade::TransferRow> NodeApi::transfers() {
  return loop_.call(
      [this](engine::Engine& engine) { return engine::transfers_of(engine, loop_.now()); });
}

std::vector<facade::EventRow> NodeApi::events_after(std::uint64_t id, core::Duration wait_max) {
  return events_.after(id, wait_max);
}

core::Result<facade::FlushReport> NodeApi::flush(int acks, core::Duration deadline) {
  return flush(acks, deadline, {});
}

core::Result<facade::FlushReport> NodeApi::flush(int acks, core::Duration deadline,
                                                 std::set<CollectionName> only) {
  if (acks < 0 || acks > 64) {
    return Error{ErrorKind::kInvalid, "acks must lie in 0 … 64", "acks"};
  }
  const std::uint64_t id = flushes_.open();
  loop_.post(engine::FlushRequested{id, acks, clock_.now() + deadline, std::move(only)});
  auto answer = flushes_.wait(id, deadline + kLoopGrace);
  if (!answer) return stopping();
  return *std::move(answer);
}

void NodeApi::flushed(std::uint64_t request, facade::FlushReport report) {
  flushes_.answer(request, std::move(report));
}

core::Result<facade::VerifyReport> NodeApi::verify(const std::string& name) {
  const core::CollectionConfig* collection = core::find_collection(config_, CollectionName(name));
  if (collection == nullptr) {
    return Error{ErrorKind::kMissing, "there is no collection '" + name + "' on this node", name};
  }
  const std::uint64_t id = verifies_.open();
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    is_first = verifying_.count(collection->name) == 0;
    verifying_.emplace(collection->name, id);
  }
  if (is_first) ports_.start_verify(collection->name);
  if (!verifies_.wait(id, kVerifyMax)) return stopping();
  const core::Instant until = clock_.now() + kVerifySettle;
  while (true) {
    facade::VerifyReport report =
        loop_.call([&](engine::Engine& engine) { return engine::verify_of(engine, *collection); });
    if (report.differences.empty() || clock_.now() >= until || loop_.has_stopped()) return report;
    std::this_thread::sleep_for(kVerifyLookAgain);
  }
}

void NodeApi::verified(const CollectionName& collection) {
  std::vector<std::uint64_t> ids;
  {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = verifying_.equal_range(collection);
    for (auto it = first; it != last; ++it) ids.push_back(it->second);
    verifying_.erase(first, last);
  }
  for (const std::uint64_t id : ids) verifies_.answer(id, true);
}

core::Status NodeApi::remove_node(const std::string& id) {
  const core::NodeId node(id);
  if (node == config_.node.id) {
    return Error{ErrorKind::kInvalid, "a node does not remove itself: ask another one", id};
  }
  std::vector<std::string> names;
  for (const facade::PeerStatus& peer : nodes()) {
    names.push_back(peer.id);
    if (peer.id != id) continue;
    if (peer.state == "connected") {
      return Error{ErrorKind::kConflict,
                   id + " is connected: stop its daemon first (systemctl stop syncline there)", id};
    }
    loop_.post(engine::NodeRemoved{node});
    emit("node_removed", "", id + " was removed from the fleet", {{"node", id}});
    return {};
  }
  return Error{ErrorKind::kMissing,
               "there is no node '" + id + "' in the fleet" + core::did_you_mean(id, names), id};
}

std::string NodeApi::config_toml() {
  return core::config_to_toml(config_);
}

std::string NodeApi::metrics_text() {
  const auto series = loop_.call([](engine::Engine& engine) { return engine.stats().series(); });
  return node::metrics_text(status(), stats(), series, transfers().size());
}

core::Result<http::OpenedObject> NodeApi::open_object(const core::Root& root) {
  return ports_.open_object(root);
}

core::Result<std::string> NodeApi::export_file(const std::string& form,
                                               const std::string& collection,
                                               const std::string& path) {
  const std::vector<std::string> forms = {"metalink", "torrent"};
  if (std::find(forms.begin(), forms.end(), form) == forms.end()) {
    return Error{ErrorKind::kInvalid,
                 "there is no form '" + form + "'" + core::did_you_mean(form, forms), form};
  }
  return ports_.export_file(form, CollectionName(collection), path);
}

void NodeApi::emit(std::string type, const std::string& collection, std::string message,
                   std::map<std::string, std::string> details) {
  facade::EventRow event;
  event.at_ms = clock_.wall().ms;
  event.type = std::move(type);
  event.collection = collection;
  event.node = config_.node.id.text;
  event.message = std::move(message);
  event.details = std::move(details);
  log_event(event);
  events_.add(std::move(event));
}

void NodeApi::close() {
  is_ready_ = false;
  syncs_.close();
  flushes_.close();
  verifies_.close();
}

}  // namespace syncline::node
