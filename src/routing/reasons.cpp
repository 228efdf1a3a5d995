#include "routing/reasons.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace syncline::routing {

namespace {

using core::say_bytes;
using core::say_list;
using core::say_number;
using core::say_percent;
using core::say_seconds;

std::string say_age(const NodeView& node, const core::CollectionName& collection,
                    core::Instant now) {
  const auto view = node.collections.find(collection);
  if (view == node.collections.end() || !view->second.synced_at) return "never synced";
  const double age = core::to_seconds(now - *view->second.synced_at);
  return "last synced " + say_seconds(std::max(age, 0.0)) + " ago";
}

double quality_of(const NodeView& node, const core::CollectionName& collection) {
  const auto view = node.collections.find(collection);
  return view == node.collections.end() ? 0 : view->second.quality;
}

struct Context {
  const NodeView& node;
  const Policy& policy;
  core::Instant now;
};

std::string words_of(Reason reason, const Context& context) {
  const NodeView& node = context.node;
  switch (reason) {
    case Reason::kBase:
      return "base";
    case Reason::kTrainingRuns:
      return "a training job runs there";
    case Reason::kTrainingRole:
      return "training role";
    case Reason::kPriorityHost:
      return "priority host";
    case Reason::kDiskRoomy:
      return "disk " + say_percent(node.disk.used_percent()) + " used";
    case Reason::kDiskAboveTarget:
      return "disk " + say_percent(node.disk.used_percent()) + " used (target " +
             say_percent(context.policy.disk.used_target_percent) + ")";
    case Reason::kQuality:
      return "quality " + say_number(quality_of(node, context.policy.collection), 2);
    case Reason::kSpot:
      return "spot node";
    case Reason::kStale:
    case Reason::kNeverSynced:
      return say_age(node, context.policy.collection, context.now);
    case Reason::kHoldsNewest:
      return "holds the newest data";
    case Reason::kSelfplayRuns:
      return "a self-play job runs there";
    case Reason::kSpotUrgent:
      return "spot node: fetch before it is gone";
    case Reason::kDrainingUrgent:
      return "about to stop: fetch before it is gone";
    case Reason::kSuspect:
      return "did not answer lately";
    case Reason::kBandwidth:
      return say_number(node.bandwidth_mbps, 0) + " MB/s";
    case Reason::kBandwidthOfProvider:
      return say_number(bandwidth_of_provider(node.domain.provider), 0) + " MB/s assumed";
    case Reason::kSameProvider:
      return "same provider (" + node.domain.provider + ")";
    case Reason::kFailures:
      return std::to_string(node.history.failures) + " of its last " +
             std::to_string(node.history.failures + node.history.successes) + " transfers failed";
  }
  return "?";
}

std::string say_terms(const Terms& terms, const Context& context) {
  std::string said;
  for (const Term& term : terms) {
    if (!said.empty()) said += ", ";
    said +=
        words_of(term.reason, context) + (term.points > 0 ? " +" : " ") + say_points(term.points);
  }
  return said.empty() ? "no points" : said;
}

std::string say_disk_full(const NodeView& node, std::uint64_t bytes,
                          const core::DiskLimits& limits) {
  const double used = node.disk.used_percent();
  const double used_with = node.disk.used_percent_with(bytes);
  const std::string limit = "; the limit is " + say_number(limits.used_max_percent) + " %";
  const std::string these = " with these " + say_bytes(static_cast<double>(bytes));
  if (used > limits.used_max_percent) {
    return "its disk is " + say_number(used) + " % full" + limit;
  }
  if (used_with > limits.used_max_percent) {
    return "its disk would be " + say_number(used_with) + " % full" + these + limit;
  }
  const double free = static_cast<double>(node.disk.free_bytes) - static_cast<double>(bytes);
  const double by_percent =
      static_cast<double>(node.disk.total_bytes) * limits.free_min_percent / 100.0;
  const double least = std::max(by_percent, static_cast<double>(limits.free_min_bytes));
  return "its disk would have " + say_bytes(std::max(free, 0.0)) + " free" + these + "; " +
         say_bytes(least) + " must stay free";
}

std::string say_roles(const NodeView& node, const Policy& policy) {
  const std::string has =
      node.roles.empty() ? "it has no role" : "its role is " + say_list(node.roles);
  return has + "; " + policy.collection.text + " is for " +
         say_list(policy.placement.roles, 0, "or");
}

std::string say_common(Block block, const NodeView& node) {
  switch (block) {
    case Block::kNone:
      return "eligible";
    case Block::kExcludedByRequest:
      return "excluded by the request";
    case Block::kDead:
      return "it is dead: nothing was heard from it for too long";
    case Block::kLeft:
      return "it has left the fleet";
    case Block::kSuspect:
      return "it did not answer lately and is suspected to be dead";
    case Block::kDraining:
      return "it is about to stop and takes nothing more";
    case Block::kReceivesNothing:
      return "it is configured to receive nothing";
    case Block::kAgentless:
      return "no daemon runs there, and only whole files can go over SSH";
    case Block::kNotLinked:
      return "there is no connection to it now";
    case Block::kHoldsNothing:
      return "it holds nothing of what is asked for";
    case Block::kSameStorage:
      return "it shares the storage " + node.domain.storage +
             " with the source: the data is there already";
    default:
      return "?";
  }
}

}  // namespace

std::string say_points(Points points) {
  return say_number(points / double{kPoint}, 2);
}

std::string reason_of(const NodeView& node, const Cell& cell, const TargetQuestion& question) {
  Terms terms = target_terms(node, *question.policy);
  add_terms(cell, question, terms);
  return say_terms(terms, {node, *question.policy, question.job->now});
}

std::string reason_of(const NodeView& node, const Cell& cell, const SourceQuestion& question) {
  Terms terms = source_terms(node, *question.policy);
  add_terms(cell, question, terms);
  return say_terms(terms, {node, *question.policy, question.pull->now});
}

std::string reason_of(Block block, const NodeView& node, const TargetQuestion& question) {
  const Policy& policy = *question.policy;
  switch (block) {
    case Block::kNotNamed:
      return "not among the targets of the request";
    case Block::kIsSource:
      return "the data comes from it";
    case Block::kNodeExcluded:
      return policy.collection.text + " is configured to exclude it (placement.exclude_nodes)";
    case Block::kNodeNotPlaced:
      return policy.collection.text + " is placed on " + say_list(policy.placement.nodes, 3, "or") +
             " only (placement.nodes)";
    case Block::kRoleNotWanted:
      return say_roles(node, policy);
    case Block::kConfigKeyNotPlaced:
      return policy.collection.text + " is placed for " +
             say_list(policy.placement.config_keys, 3, "or") + " only, not for " +
             question.job->config_key.text;
    case Block::kDiskFull:
      return say_disk_full(node, question.job->bytes, policy.disk);
    default:
      return say_common(block, node);
  }
}

std::string reason_of(Block block, const NodeView& node, const SourceQuestion&) {
  if (block == Block::kIsSource) return "it is the one that asks";
  return say_common(block, node);
}

}  // namespace syncline::routing
