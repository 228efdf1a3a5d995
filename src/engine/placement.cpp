#include "engine/placement.hpp"

#include <algorithm>
#include <cmath>

#include "facade/backend.hpp"
#include "facade/validate.hpp"

namespace syncline::engine {

using core::CollectionName;
using core::NodeId;

namespace {
constexpr std::int64_t kPollEphemeralMs = 5000;  // the older spot daemon's
constexpr std::int64_t kPollOtherwiseMs = 60000;

std::string percent(double value) {
  return std::to_string(static_cast<int>(value + 0.5)) + " %";
}
}  // namespace

Placement::Placement(const core::Config& config) : config_(config) {
  for (const auto& collection : config_.collections) {
    router_.set_policy(routing::policy_of(collection, config_.disk));
  }
}

core::Duration suspicion_max(const core::MembershipConfig& membership, std::size_t nodes) {
  const double spread = std::log10(static_cast<double>(std::max<std::size_t>(nodes, 10)));
  const double ms = membership.suspicion_mult * membership.suspicion_max_mult * spread *
                    static_cast<double>(membership.probe_interval_ms);
  return core::milliseconds(static_cast<std::int64_t>(ms));
}

Placement::Standing Placement::standing_of(const NodeId& id, bool is_ephemeral, const Peers& peers,
                                           const membership::Members& members,
                                           core::Duration patience, core::Instant now) {
  if (id == config_.node.id || peers.is_linked(id)) return {routing::Liveness::kAlive, false};
  const auto away_since = [&](routing::Liveness before, routing::Liveness after,
                              core::Instant since) -> Standing {
    const core::Instant dead_at = since + patience;
    if (now >= dead_at) return {after, true};
    if (!next_change_ || dead_at < *next_change_) next_change_ = dead_at;
    return {before, false};
  };
  if (const membership::Member* member = members.find(id)) {
    switch (member->standing.state) {
      case core::MemberState::kAlive:  // for others; this node may be cut off from it alone
      case core::MemberState::kSuspect:
        return {routing::Liveness::kSuspect, false};
      case core::MemberState::kDead:
        return {routing::Liveness::kDead, true};
      case core::MemberState::kLeft:
        if (is_ephemeral) return {routing::Liveness::kLeft, true};
        return away_since(routing::Liveness::kLeft, routing::Liveness::kLeft, member->changed_at);
    }
  }
  auto link = peers.all().find(id);
  if (link == peers.all().end()) return {routing::Liveness::kDead, true};
  return away_since(routing::Liveness::kSuspect, routing::Liveness::kDead, link->second.changed_at);
}

Placement::Change Placement::refresh(const FleetView& view, const Peers& peers,
                                     const membership::Members& members, bool is_draining,
                                     core::Instant now) {
  Change change;
  next_change_.reset();
  const core::Duration patience = suspicion_max(config_.membership, view.nodes().size());
  std::set<NodeId> present;
  for (const auto& [id, self] : view.nodes()) {
    routing::NodeView node;
    node.id = id;
    const bool is_self = id == config_.node.id;
    node.is_linked = is_self || peers.is_linked(id);
    const Standing standing = standing_of(id, self.is_ephemeral, peers, members, patience, now);
    node.liveness = standing.liveness;
    if (standing.is_dead) change.dead.insert(id);
    node.roles = self.roles;
    node.domain = {self.host, self.storage, self.provider, self.zone};
    node.disk = {self.total_bytes, self.free_bytes};
    node.is_ephemeral = self.is_ephemeral;
    node.is_draining = is_self ? is_draining : self.is_draining;
    router_.put(std::move(node));
    present.insert(id);
  }
  std::vector<NodeId> gone;
  for (const routing::NodeView& node : router_.nodes()) {
    if (present.count(node.id) == 0) gone.push_back(node.id);
  }
  for (const NodeId& id : gone) router_.remove(id);

  for (const auto& collection : config_.collections) {
    strategy::Wanted wanted = strategy::wanted_by(router_, collection.name, now);
    std::set<NodeId> all = wanted.all();
    std::set<NodeId>& before = wanted_all_[collection.name];
    const bool was_here = before.count(config_.node.id) > 0;
    if (all != before) change.wanted_otherwise.insert(collection.name);
    if (all.count(config_.node.id) > 0 && !was_here) {
      change.wanted_here_anew.insert(collection.name);
    }
    before = std::move(all);
    wanted_[collection.name] = std::move(wanted);
  }
  return change;
}

const strategy::Wanted& Placement::wanted(const CollectionName& collection) const {
  static const strategy::Wanted kNone;
  auto it = wanted_.find(collection);
  return it == wanted_.end() ? kNone : it->second;
}

const std::set<NodeId>& Placement::wanted_by(const CollectionName& collection) const {
  static const std::set<NodeId> kNone;
  auto it = wanted_all_.find(collection);
  return it == wanted_all_.end() ? kNone : it->second;
}

std::vector<NodeId> Placement::choose_receivers(const CollectionName& collection, int count,
                                                const std::set<NodeId>& avoid,
                                                core::Instant now) const {
  routing::Job job;
  job.collection = collection;
  job.from = config_.node.id;
  job.is_link_required = true;
  job.now = now;
  const int acks = config_.durability.acks;
  routing::Receivers chosen = router_.choose_receivers(job, acks, count - acks, avoid);
  if (chosen.domains >= acks) return chosen.nodes;
  // Safety before placement: where those that want it are too few, anybody holds the journal.
  job.is_placement_waived = true;
  routing::Receivers wider = router_.choose_receivers(job, acks, count - acks, avoid);
  return wider.domains > chosen.domains ? wider.nodes : chosen.nodes;
}

facade::RouteReport Placement::route(const facade::SyncRequest& request,
                                     const core::CollectionConfig& collection,
                                     const coordination::Leadership& leadership,
                                     core::Instant now) const {
  facade::BackendView view;
  view.has_leader = !leadership.leader.empty();
  view.no_leader_why = leadership.why;
  for (const routing::NodeView& node : router_.nodes()) {
    view.known_nodes.insert(node.id.text);
    if (node.id != config_.node.id && node.is_linked) view.has_peers = true;
  }
  const facade::BackendChoice choice = facade::choose_backend(request, view);
  facade::RouteReport report;
  report.collection = collection.name.text;
  report.backend = facade::to_string(choice.backend);
  report.why = choice.why;

  routing::Job job;
  job.collection = collection.name;
  job.config_key = facade::config_key_of(request);
  job.exclude = request.exclude_nodes;
  job.now = now;
  std::vector<std::string> names(view.known_nodes.begin(), view.known_nodes.end());
  job.only = facade::matching_nodes(request.targets, names);
  report.verdicts = router_.explain_targets(job);
  return report;
}

core::Status Placement::may_take(std::uint64_t bytes, const DiskMeasured& disk) const {
  if (disk.total_bytes == 0) return {};
  const double total = static_cast<double>(disk.total_bytes);
  const double free_after = static_cast<double>(disk.free_bytes) - static_cast<double>(bytes);
  const double used_after = 100.0 * (total - free_after) / total;
  const core::DiskLimits& limits = config_.disk;
  if (used_after > limits.used_max_percent) {
    return core::Error{core::ErrorKind::kExhausted,
                       "the disk would be " + percent(used_after) + " full, the limit is " +
                           percent(limits.used_max_percent) +
                           " (disk.used_max_percent): free some space on this node",
                       config_.node.id.text};
  }
  if (free_after < static_cast<double>(limits.free_min_bytes) ||
      100.0 * free_after / total < limits.free_min_percent) {
    return core::Error{core::ErrorKind::kExhausted,
                       "too little space would be left (disk.free_min_percent, "
                       "disk.free_min_bytes): free some on this node",
                       config_.node.id.text};
  }
  return {};
}

catalog::NodeSelf self_of(const core::Config& config, const DiskMeasured& disk, bool is_draining) {
  catalog::NodeSelf self;
  self.roles = config.node.roles;
  self.provider = config.node.provider;
  self.zone = config.node.zone;
  self.host = config.node.host;
  self.storage =
      config.node.storage_domain.empty() ? "local:" + config.node.host : config.node.storage_domain;
  self.advertise = config.node.peer_advertise;
  self.is_ephemeral = config.node.ephemeral == core::Tristate::kTrue;
  self.is_draining = is_draining;
  self.acks = config.durability.acks;
  self.objects_port = config.node.objects_port;
  self.swarm_port = config.node.swarm_port;
  for (const core::CollectionConfig& collection : config.collections) {
    const bool is_told = collection.kind == core::Kind::kFiles && !collection.root.empty();
    if (is_told) self.roots[collection.name.text] = collection.root;
  }
  const std::uint64_t step = std::max<std::uint64_t>(disk.total_bytes / 128, 1);
  self.free_bytes = disk.free_bytes / step * step;
  self.total_bytes = disk.total_bytes;
  return self;
}

core::Duration poll_interval(const core::CollectionConfig& collection,
                             const core::NodeConfig& node) {
  if (collection.kind == core::Kind::kFiles) return core::seconds(collection.scan_interval_s);
  if (collection.poll_ms > 0) return core::milliseconds(collection.poll_ms);
  return core::milliseconds(node.ephemeral == core::Tristate::kTrue ? kPollEphemeralMs
                                                                    : kPollOtherwiseMs);
}

}  // namespace syncline::engine
