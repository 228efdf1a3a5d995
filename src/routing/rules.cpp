#include "routing/rules.hpp"

#include <algorithm>
#include <cmath>

#include "core/check.hpp"

namespace syncline::routing {

namespace {

constexpr Points kBase = 50 * kPoint;
constexpr Points kTrainingRuns = 50 * kPoint;
constexpr Points kTrainingRole = 30 * kPoint;
constexpr Points kPriorityHost = 20 * kPoint;
constexpr Points kDiskRoomy = 10 * kPoint;
constexpr Points kDiskAboveTarget = -20 * kPoint;
constexpr Points kStalest = 30 * kPoint;
constexpr Points kBestQuality = 30 * kPoint;
constexpr Points kSpotTarget = -15 * kPoint;
constexpr Points kFastest = 10 * kPoint;
constexpr Points kSameProvider = 5 * kPoint;
constexpr Points kUnreliable = -30 * kPoint;
constexpr Points kNewest = 100 * kPoint;
constexpr Points kSourceTrains = 50 * kPoint;
constexpr Points kSpotSource = 20 * kPoint;
constexpr Points kDrainingSource = 40 * kPoint;
constexpr Points kSuspectSource = -50 * kPoint;

constexpr double kRoomyBelowPercent = 50;
constexpr std::int64_t kStalestAfterNs = std::int64_t{3600} * 1'000'000'000;
constexpr double kFastestMbps = 100;  // a gigabit link, less its overhead
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

bool has_any_role(const NodeView& node, const std::vector<std::string>& roles) {
  return std::any_of(roles.begin(), roles.end(), [&](const std::string& role) {
    return std::find(node.roles.begin(), node.roles.end(), role) != node.roles.end();
  });
}

const CollectionView& view_of(const NodeView& node, const core::CollectionName& collection) {
  static const CollectionView kNothing;
  const auto found = node.collections.find(collection);
  return found == node.collections.end() ? kNothing : found->second;
}

Points part_of(Points whole, double part) {
  if (!(part > 0)) return 0;  // NaN, too
  return static_cast<Points>(std::lround(whole * std::min(part, 1.0)));
}

// How well transfers with this node go: the same for both directions.
void add_link_terms(const NodeView& node, Terms& terms) {
  if (node.bandwidth_mbps > 0) {
    terms.add(Reason::kBandwidth, part_of(kFastest, node.bandwidth_mbps / kFastestMbps));
  } else {
    const double mbps = bandwidth_of_provider(node.domain.provider);
    terms.add(Reason::kBandwidthOfProvider, part_of(kFastest, mbps / kFastestMbps));
  }
  // One success is given in advance: a first failure is no verdict.
  const double failures = node.history.failures;
  terms.add(Reason::kFailures,
            part_of(kUnreliable, failures / (failures + node.history.successes + 1.0)));
}

Block target_block(const NodeView& node, const Policy& policy) {
  switch (node.liveness) {
    case Liveness::kDead:
      return Block::kDead;
    case Liveness::kLeft:
      return Block::kLeft;
    case Liveness::kSuspect:
      return Block::kSuspect;
    case Liveness::kAlive:
      break;
  }
  if (node.is_draining) return Block::kDraining;
  if (!node.receives) return Block::kReceivesNothing;
  if (!node.has_daemon && policy.kind != core::Kind::kFiles) return Block::kAgentless;
  if (core::any_glob_matches(policy.placement.exclude_nodes, node.id.text)) {
    return Block::kNodeExcluded;
  }
  return Block::kNone;
}

Block placement_block(const NodeView& node, const Policy& policy) {
  if (!core::any_glob_matches(policy.placement.nodes, node.id.text)) return Block::kNodeNotPlaced;
  const auto& roles = policy.placement.roles;
  if (!roles.empty() && !has_any_role(node, roles)) return Block::kRoleNotWanted;
  return Block::kNone;
}

Block source_block(const NodeView& node, const Policy& policy) {
  if (node.liveness == Liveness::kDead) return Block::kDead;
  if (node.liveness == Liveness::kLeft) return Block::kLeft;
  if (!node.has_daemon && policy.kind != core::Kind::kFiles) return Block::kAgentless;
  return Block::kNone;
}

double headroom(const Disk& disk, const core::DiskLimits& limits) {
  if (!disk.is_known()) return std::numeric_limits<double>::infinity();
  const double total = static_cast<double>(disk.total_bytes);
  const double free = static_cast<double>(std::min(disk.free_bytes, disk.total_bytes));
  const double below_used_max = total * limits.used_max_percent / 100.0 - (total - free);
  const double above_free_min = free - total * limits.free_min_percent / 100.0;
  const double above_free_bytes = free - static_cast<double>(limits.free_min_bytes);
  return std::min({below_used_max, above_free_min, above_free_bytes});
}

bool is_set(const std::vector<bool>& flags, NodeIndex node) {
  return !flags.empty() && flags[node];
}

Points staleness(const Cell& cell, core::Instant now) {
  if (cell.synced_ns == kNever) return kStalest;
  const std::int64_t age = now.since_start.count() - cell.synced_ns;
  if (age <= 0) return 0;
  if (age >= kStalestAfterNs) return kStalest;
  return static_cast<Points>(kStalest * (age / 1'000'000) / (kStalestAfterNs / 1'000'000));
}

}  // namespace

void Terms::add(Reason reason, Points points) {
  if (points == 0) return;
  SYNCLINE_CHECK(size_ < terms_.size(), "terms", size_);
  terms_[size_++] = {reason, points};
  sum_ += points;
}

Terms target_terms(const NodeView& node, const Policy& policy) {
  static const std::vector<std::string> kTraining = {"training"};
  Terms terms;
  terms.add(Reason::kBase, kBase);
  if (node.is_training) terms.add(Reason::kTrainingRuns, kTrainingRuns);
  if (policy.feeds_training && has_any_role(node, kTraining)) {
    terms.add(Reason::kTrainingRole, kTrainingRole);
  }
  if (node.is_priority_host) terms.add(Reason::kPriorityHost, kPriorityHost);
  if (node.disk.is_known()) {
    const double used = node.disk.used_percent();
    if (used < kRoomyBelowPercent) terms.add(Reason::kDiskRoomy, kDiskRoomy);
    if (used > policy.disk.used_target_percent) {
      terms.add(Reason::kDiskAboveTarget, kDiskAboveTarget);
    }
  }
  terms.add(Reason::kQuality, part_of(kBestQuality, view_of(node, policy.collection).quality));
  if (node.is_ephemeral) terms.add(Reason::kSpot, kSpotTarget);
  add_link_terms(node, terms);
  return terms;
}

Terms source_terms(const NodeView& node, const Policy& policy) {
  Terms terms;
  if (view_of(node, policy.collection).holds_newest) {
    terms.add(Reason::kHoldsNewest, kNewest);
  } else if (node.is_selfplay) {
    terms.add(Reason::kSelfplayRuns, kNewest);
  }
  if (node.is_training) terms.add(Reason::kTrainingRuns, kSourceTrains);
  if (node.is_ephemeral) terms.add(Reason::kSpotUrgent, kSpotSource);
  if (node.is_draining) terms.add(Reason::kDrainingUrgent, kDrainingSource);
  if (node.liveness == Liveness::kSuspect) terms.add(Reason::kSuspect, kSuspectSource);
  add_link_terms(node, terms);
  return terms;
}

Cell make_cell(const NodeView& node, const Policy& policy, NameNumber provider,
               NameNumber storage) {
  Cell cell;
  cell.target_points = target_terms(node, policy).sum();
  cell.source_points = source_terms(node, policy).sum();
  cell.target_block_waived = target_block(node, policy);
  cell.target_block = cell.target_block_waived != Block::kNone ? cell.target_block_waived
                                                               : placement_block(node, policy);
  cell.source_block = source_block(node, policy);
  cell.is_linked = node.is_linked;
  cell.provider = provider;
  cell.storage = storage;
  const auto& synced_at = view_of(node, policy.collection).synced_at;
  if (synced_at) cell.synced_ns = synced_at->since_start.count();
  cell.headroom_bytes = headroom(node.disk, policy.disk);
  return cell;
}

// ── targets ─────────────────────────────────────────────────────────────────────────────────────

Block block_of(const Cell& cell, NodeIndex node, const TargetQuestion& question) {
  const Job& job = *question.job;
  if (!question.is_named.empty() && !question.is_named[node]) return Block::kNotNamed;
  if (is_set(question.is_excluded, node)) return Block::kExcludedByRequest;
  if (node == question.from) return Block::kIsSource;
  const Block block = job.is_placement_waived ? cell.target_block_waived : cell.target_block;
  if (block != Block::kNone) return block;
  if (!question.is_config_key_placed && !job.is_placement_waived) {
    return Block::kConfigKeyNotPlaced;
  }
  if (cell.storage != 0 && cell.storage == question.from_storage) return Block::kSameStorage;
  if (job.is_link_required && !cell.is_linked) return Block::kNotLinked;
  if (cell.headroom_bytes < static_cast<double>(job.bytes)) return Block::kDiskFull;
  return Block::kNone;
}

Points points_of(const Cell& cell, const TargetQuestion& question) {
  const bool is_same_provider = cell.provider != 0 && cell.provider == question.from_provider;
  return cell.target_points + staleness(cell, question.job->now) +
         (is_same_provider ? kSameProvider : 0);
}

void add_terms(const Cell& cell, const TargetQuestion& question, Terms& terms) {
  const Points stale = staleness(cell, question.job->now);
  terms.add(cell.synced_ns == kNever ? Reason::kNeverSynced : Reason::kStale, stale);
  terms.add(Reason::kSameProvider, points_of(cell, question) - cell.target_points - stale);
}

// ── sources ─────────────────────────────────────────────────────────────────────────────────────

Block block_of(const Cell& cell, NodeIndex node, const SourceQuestion& question) {
  if (node == question.to) return Block::kIsSource;
  if (is_set(question.is_excluded, node)) return Block::kExcludedByRequest;
  if (question.is_holder.empty() || !question.is_holder[node]) return Block::kHoldsNothing;
  if (cell.source_block != Block::kNone) return cell.source_block;
  if (question.pull->is_link_required && !cell.is_linked) return Block::kNotLinked;
  return Block::kNone;
}

Points points_of(const Cell& cell, const SourceQuestion& question) {
  const bool is_same_provider = cell.provider != 0 && cell.provider == question.to_provider;
  return cell.source_points + (is_same_provider ? kSameProvider : 0);
}

void add_terms(const Cell& cell, const SourceQuestion& question, Terms& terms) {
  terms.add(Reason::kSameProvider, points_of(cell, question) - cell.source_points);
}

}  // namespace syncline::routing
