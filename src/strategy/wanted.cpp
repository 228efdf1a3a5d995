#include "strategy/wanted.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace syncline::strategy {

namespace {

bool is_gone(routing::Liveness liveness) {
  return liveness == routing::Liveness::kDead || liveness == routing::Liveness::kLeft;
}

// Those that the placement names. One that is only suspected is not replaced yet: copying
// terabytes because of a lost packet would be the greater harm.
void add_placed(const routing::Router& router, const routing::Policy& policy, Wanted& wanted) {
  for (const routing::NodeView& node : router.nodes()) {
    if (!node.receives || !is_placed_on(policy.placement, node.id, node.roles)) continue;
    if (!node.has_daemon && policy.kind != core::Kind::kFiles) continue;
    if (is_gone(node.liveness)) {
      wanted.absent.insert(node.id);
    } else {
      wanted.placed.insert(node.id);
    }
  }
}

void add_stand_ins(const routing::Router& router, const routing::Policy& policy, core::Instant now,
                   Wanted& wanted) {
  routing::Job job;
  job.collection = policy.collection;
  job.is_placement_waived = true;
  job.now = now;
  std::vector<const routing::NodeView*> others;
  for (const routing::Ranked& ranked : router.targets(job)) {
    const routing::NodeView& node = router.nodes()[ranked.node];
    if (wanted.placed.count(node.id) == 0) others.push_back(&node);
  }
  // Permanent ones first: a stand-in that vanishes is work done twice.
  std::stable_partition(others.begin(), others.end(),
                        [](const routing::NodeView* node) { return !node->is_ephemeral; });
  routing::CopyCounter counter;
  for (const core::NodeId& id : wanted.placed) {
    const routing::NodeView& node = *router.find(id);
    // A node that stops soon is no copy to count on.
    counter.add(node.is_draining ? routing::Domain{} : node.domain);
  }
  std::size_t asked = 0;
  while (asked < others.size() && counter.copies() < policy.copies) {
    counter.add(others[asked++]->domain);
  }
  // Only those that make up the copies: some that were asked share their failure with others.
  for (const std::size_t position : counter.chosen()) {
    if (position >= wanted.placed.size()) {
      wanted.added.insert(others[position - wanted.placed.size()]->id);
    }
  }
  wanted.copies = counter.copies();
}

std::vector<std::string> texts(const std::set<core::NodeId>& nodes) {
  std::vector<std::string> ids;
  for (const core::NodeId& node : nodes) ids.push_back(node.text);
  return ids;
}

std::string why_of(const Wanted& wanted, const routing::Policy& policy) {
  std::string said = wanted.placed.empty()
                         ? "no live node is named by its placement"
                         : "placement names " + core::say_list(texts(wanted.placed), 8);
  if (!wanted.absent.empty()) {
    said += "; " + core::say_list(texts(wanted.absent), 8) +
            (wanted.absent.size() == 1 ? " is away" : " are away");
  }
  if (!wanted.added.empty()) {
    said += "; " + core::say_list(texts(wanted.added), 8) +
            (wanted.added.size() == 1 ? " stands in" : " stand in") + " to make " +
            core::say_count(static_cast<std::uint64_t>(policy.copies), "copy", "copies");
  }
  if (wanted.copies < policy.copies) {
    said += "; only " +
            core::say_count(static_cast<std::uint64_t>(wanted.copies), "copy", "copies") +
            " can be made of the " + std::to_string(policy.copies) +
            " wanted: no other node that fails independently can take it";
  }
  return said;
}

}  // namespace

bool is_placed_on(const core::Placement& placement, const core::NodeId& node,
                  const std::vector<std::string>& roles) {
  if (core::any_glob_matches(placement.exclude_nodes, node.text)) return false;
  if (!core::any_glob_matches(placement.nodes, node.text)) return false;
  if (placement.roles.empty()) return true;
  return std::any_of(roles.begin(), roles.end(), [&](const std::string& role) {
    return std::find(placement.roles.begin(), placement.roles.end(), role) != placement.roles.end();
  });
}

std::set<core::NodeId> Wanted::all() const {
  std::set<core::NodeId> nodes = placed;
  nodes.insert(added.begin(), added.end());
  return nodes;
}

Wanted wanted_by(const routing::Router& router, const core::CollectionName& collection,
                 core::Instant now) {
  Wanted wanted;
  const routing::Policy* policy = router.policy(collection);
  if (policy == nullptr) {
    wanted.why = "the collection is not configured here";
    return wanted;
  }
  add_placed(router, *policy, wanted);
  add_stand_ins(router, *policy, now, wanted);
  wanted.why = why_of(wanted, *policy);
  return wanted;
}

}  // namespace syncline::strategy
