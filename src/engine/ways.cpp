#include "engine/ways.hpp"

#include <algorithm>

namespace syncline::engine {

using core::CollectionName;
using core::NodeId;
using transfer::Transport;

namespace {
// Older attempts fade: at so many, both counts are halved.
constexpr std::uint32_t kAttemptsKept = 64;
// Less says more about handshakes than about the link.
constexpr std::uint64_t kTellingBytes = 1u << 20;
constexpr double kNewestShare = 0.3;  // of the newest measurement in the mean

// One machine's disk, or a network mount, which is taken to be mounted at the same place on both;
// where it is not, the copy fails at once and another transport follows.
bool shares_storage(const catalog::NodeSelf& a, const catalog::NodeSelf& b) {
  if (a.storage.empty() || a.storage != b.storage) return false;
  return a.host == b.host || a.storage.rfind("local:", 0) != 0;
}

std::string host_of(const catalog::NodeSelf& node) {
  const std::string& at = node.advertise;
  return at.empty() ? node.host : at.substr(0, at.find_last_of(':'));
}

bool is_fault_of_the_way(core::ErrorKind kind) {
  return kind == core::ErrorKind::kUnreachable || kind == core::ErrorKind::kCorrupt ||
         kind == core::ErrorKind::kOverloaded;
}
}  // namespace

Ways::Ways(const core::Config& config, const FleetView& view, const Peers& peers)
    : config_(config),
      view_(view),
      peers_(peers),
      breakers_(transfer::breaker_limits(config.transport)) {}

bool Ways::is_enabled(Transport transport) const {
  const auto& enabled = config_.transport.enabled;
  return std::find(enabled.begin(), enabled.end(), to_string(transport)) != enabled.end();
}

transfer::Source Ways::source(const CollectionName& collection, const NodeId& node) const {
  transfer::Source source;
  source.id = node;
  source.is_linked = peers_.is_linked(node);
  source.can(Transport::kP2p) = source.is_linked && is_enabled(Transport::kP2p);
  const catalog::NodeSelf* about = view_.find(node);
  const catalog::NodeSelf* self = view_.find(config_.node.id);
  const bool has_root = about != nullptr && about->roots.count(collection.text) > 0;
  if (has_root) {
    source.can(Transport::kSsh) = is_enabled(Transport::kSsh) && config_.ssh.is_set_up() &&
                                  (!about->host.empty() || !about->advertise.empty());
    source.can(Transport::kAria2) =
        is_enabled(Transport::kAria2) && about->objects_port > 0 && !host_of(*about).empty();
    // Over the link it is asked to seed.
    source.can(Transport::kSwarm) = is_enabled(Transport::kSwarm) && source.is_linked &&
                                    config_.node.swarm_port > 0 && about->swarm_port > 0 &&
                                    !host_of(*about).empty();
    const bool is_shared = self != nullptr && shares_storage(*self, *about);
    if (is_shared && is_enabled(Transport::kNfs)) source.shared = transfer::Shared::kSameMachine;
  }
  for (const Transport transport : transfer::kTransports) {
    auto learnt = learnt_.find({node, transport});
    if (learnt == learnt_.end()) continue;
    source.history[static_cast<std::size_t>(transport)] = learnt->second.attempts;
    source.bandwidth_mbps = std::max(source.bandwidth_mbps, learnt->second.mbps);
  }
  return source;
}

core::Result<transfer::Choice> Ways::choose(const CollectionName& collection, std::uint64_t bytes,
                                            const std::set<NodeId>& holders,
                                            const std::string& forced, core::Instant now,
                                            int targets) const {
  transfer::Task task;
  task.bytes = bytes;
  task.targets = targets;
  task.are_parts_served = bytes >= transfer::kSharedBytesMin;
  task.is_explained = false;  // of a choice only what it is goes on from here
  if (!forced.empty()) {
    SYNCLINE_ASSIGN(task.forced, transfer::parse_transport(forced));
  }
  for (const NodeId& node : holders) {
    transfer::Source one = source(collection, node);
    const bool is_reachable = one.shared != transfer::Shared::kNothing ||
                              std::find(one.has.begin(), one.has.end(), true) != one.has.end();
    if (is_reachable) task.sources.push_back(std::move(one));
  }
  return transfer::choose(task, breakers_, now);
}

std::map<NodeId, Reach> Ways::reach(const CollectionName& collection,
                                    const std::vector<NodeId>& sources) const {
  std::map<NodeId, Reach> out;
  const catalog::NodeSelf* self = view_.find(config_.node.id);
  for (const NodeId& node : sources) {
    const catalog::NodeSelf* about = view_.find(node);
    if (about == nullptr) continue;
    Reach& reach = out[node];
    auto root = about->roots.find(collection.text);
    if (root != about->roots.end()) reach.root = root->second;
    reach.is_shared = self != nullptr && shares_storage(*self, *about);
    reach.host = host_of(*about);
    reach.objects_port = about->objects_port;
    reach.swarm_port = about->swarm_port;
  }
  return out;
}

std::vector<NodeId> Ways::others_wanting(const CollectionName& collection,
                                         const std::set<NodeId>& holders) const {
  std::vector<NodeId> others;
  for (const auto& [node, about] : view_.nodes()) {
    if (node == config_.node.id || holders.count(node) > 0 || !peers_.is_linked(node)) continue;
    if (about.roots.count(collection.text) > 0 && !about.is_draining) others.push_back(node);
  }
  return others;
}

std::vector<std::string> Ways::swarm_addresses(const std::vector<NodeId>& nodes) const {
  std::vector<std::string> addresses;
  for (const NodeId& node : nodes) {
    const catalog::NodeSelf* about = view_.find(node);
    if (about == nullptr || about->swarm_port == 0 || host_of(*about).empty()) continue;
    addresses.push_back(host_of(*about) + ":" + std::to_string(about->swarm_port));
  }
  return addresses;
}

std::string Ways::transport_to(const CollectionName& collection, const NodeId& node,
                               core::Instant now) const {
  const auto choice = choose(collection, 0, {node}, {}, now);
  return choice.ok() ? to_string(choice->order.front().transport) : "";
}

// ── what came of it ─────────────────────────────────────────────────────────────────────────────

void Ways::begun(const transfer::Attempt& attempt, core::Instant now) {
  for (const NodeId& node : attempt.sources) {
    if (breakers_.allows(node, attempt.transport, now)) {
      breakers_.begun(node, attempt.transport, now);
    }
  }
}

void Ways::succeeded(const transfer::Attempt& attempt, const NodeId& node, std::uint64_t bytes,
                     core::Duration took, core::Instant now) {
  // Sources that served nothing had no chance to fail either: their circuits close with the rest.
  for (const NodeId& source : attempt.sources) {
    breakers_.succeeded(source, attempt.transport, now);
  }
  if (node.empty()) return;
  Learnt& learnt = learnt_[{node, attempt.transport}];
  ++learnt.attempts.successes;
  if (learnt.attempts.successes + learnt.attempts.failures >= kAttemptsKept) {
    learnt.attempts.successes /= 2;
    learnt.attempts.failures /= 2;
  }
  const double seconds = core::to_seconds(took);
  if (bytes < kTellingBytes || seconds <= 0) return;
  const double mbps = static_cast<double>(bytes) / 1e6 / seconds;
  learnt.mbps = learnt.mbps == 0 ? mbps : learnt.mbps * (1 - kNewestShare) + mbps * kNewestShare;
}

void Ways::failed(const transfer::Attempt& attempt, const NodeId& node, const core::Error& error,
                  core::Instant now) {
  if (!is_fault_of_the_way(error.kind)) return;
  std::vector<NodeId> blamed = attempt.sources;
  if (!node.empty()) blamed = {node};
  for (const NodeId& one : blamed) {
    breakers_.failed(one, attempt.transport, now, error.what);
    ++learnt_[{one, attempt.transport}].attempts.failures;
  }
}

void Ways::link_up(const NodeId& node, core::Instant now) {
  breakers_.succeeded(node, Transport::kP2p, now);
}

void Ways::forget(const NodeId& node) {
  breakers_.forget(node);
  for (const Transport transport : transfer::kTransports) learnt_.erase({node, transport});
}

}  // namespace syncline::engine
