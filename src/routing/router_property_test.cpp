#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "routing/router.hpp"
#include "routing/test_fleet.hpp"

namespace syncline::routing {
namespace {

Job drawn_job(const std::vector<NodeView>& nodes) {
  Job job = games_job();
  job.bytes = static_cast<std::uint64_t>(*rc::gen::inRange(0, 4)) * 100 * kGb;
  if (*rc::gen::arbitrary<bool>()) job.from = (*rc::gen::elementOf(nodes)).id;
  job.is_link_required = *rc::gen::arbitrary<bool>();
  job.is_placement_waived = *rc::gen::arbitrary<bool>();
  if (*rc::gen::inRange(0, 4) == 0) job.exclude = {"*5"};
  return job;
}

RC_GTEST_PROP(Router, never_names_an_ineligible_target, ()) {
  const auto nodes = *drawn_fleets();
  const Router router = router_of(nodes);
  const Job job = drawn_job(nodes);
  for (const core::NodeId& id : router.target_ids(job)) {
    const NodeView& node = *router.find(id);
    RC_ASSERT(node.liveness == Liveness::kAlive);
    RC_ASSERT(node.receives && !node.is_draining && node.has_daemon);
    RC_ASSERT(job.is_placement_waived || node.roles[0] != "selfplay");
    RC_ASSERT(node.disk.used_percent_with(job.bytes) <= 70.0 + 1e-9);
    RC_ASSERT(node.is_linked || !job.is_link_required);
    RC_ASSERT(job.exclude.empty() || id.text.back() != '5');
    RC_ASSERT(id != job.from);
  }
}

RC_GTEST_PROP(Router, tells_the_same_in_the_route_and_in_words, ()) {
  const auto nodes = *drawn_fleets();
  const Router router = router_of(nodes);
  const Job job = drawn_job(nodes);
  const auto verdicts = router.explain_targets(job);
  RC_ASSERT(verdicts.size() == nodes.size());
  const Route route = router.targets(job);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    RC_ASSERT(verdicts[i].is_chosen == (i < route.size()));
    RC_ASSERT(!verdicts[i].reason.empty());
    if (i >= route.size()) continue;
    RC_ASSERT(verdicts[i].node == router.id_of(route[i].node).text);
    // The terms in the sentence add up to the score.
    double sum = 0;
    const std::string& said = verdicts[i].reason;
    for (std::size_t comma = 0; comma != std::string::npos;) {
      const std::size_t end = said.find(", ", comma + 1);
      const std::string term = said.substr(comma, end == std::string::npos ? end : end - comma);
      sum += std::stod(term.substr(term.rfind(' ') + 1));
      comma = end;
    }
    RC_ASSERT(std::abs(sum - verdicts[i].score) < 0.02 * 12);
  }
}

// One property of a node made better, all else equal.
void improve(NodeView& node) {
  CollectionView& games = node.collections[core::CollectionName("games")];
  switch (*rc::gen::inRange(0, 10)) {
    case 0:
      node.is_training = true;
      break;
    case 1:
      node.roles.push_back("training");
      break;
    case 2:
      node.is_priority_host = true;
      break;
    case 3:
      node.disk.free_bytes = std::min(node.disk.total_bytes, node.disk.free_bytes + 100 * kGb);
      break;
    case 4:
      games.synced_at.reset();
      break;
    case 5:
      games.quality += 0.1;
      break;
    case 6:
      node.is_ephemeral = false;
      break;
    case 7:
      if (node.bandwidth_mbps > 0) node.bandwidth_mbps += 20;
      break;
    case 8:
      node.history.successes += 5;
      break;
    default:
      node.history.failures = 0;
      break;
  }
}

RC_GTEST_PROP(Router, a_better_node_never_ranks_lower, ()) {
  const auto nodes = *drawn_fleets();
  Router router = router_of(nodes);
  const Job job = drawn_job(nodes);
  const auto rank = [&](const core::NodeId& id) {
    const auto ids = router.target_ids(job);
    return static_cast<std::size_t>(std::find(ids.begin(), ids.end(), id) - ids.begin());
  };
  const auto before = router.target_ids(job);
  NodeView node = *rc::gen::elementOf(nodes);
  if (node.id == job.from) return;
  const std::size_t old_rank = rank(node.id);
  improve(node);
  router.put(node);
  const std::size_t new_rank = rank(node.id);
  RC_ASSERT(new_rank <= old_rank || old_rank == before.size());
}

RC_GTEST_PROP(Router, removing_one_node_changes_the_route_for_itself_only, ()) {
  const auto nodes = *drawn_fleets();
  Router router = router_of(nodes);
  const Job job = drawn_job(nodes);
  auto expected = router.target_ids(job);
  const NodeView gone = *rc::gen::elementOf(nodes);
  if (gone.id == job.from) return;
  if (*rc::gen::arbitrary<bool>()) {
    router.remove(gone.id);
  } else {
    NodeView full = gone;
    full.disk.free_bytes = 0;
    router.put(full);
  }
  expected.erase(std::remove(expected.begin(), expected.end(), gone.id), expected.end());
  RC_ASSERT(router.target_ids(job) == expected);
}

RC_GTEST_PROP(Router, does_not_depend_on_the_order_in_which_it_was_told, ()) {
  const auto nodes = *drawn_fleets();
  auto shuffled = nodes;
  std::reverse(shuffled.begin(), shuffled.end());
  const Job job = drawn_job(nodes);
  const Router forward = router_of(nodes);
  const Router backward = router_of(shuffled);
  RC_ASSERT(forward.target_ids(job) == backward.target_ids(job));
  RC_ASSERT(forward.choose_receivers(job, 2, 1).nodes ==
            backward.choose_receivers(job, 2, 1).nodes);
}

}  // namespace
}  // namespace syncline::routing
