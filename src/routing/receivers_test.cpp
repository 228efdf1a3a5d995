#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "routing/test_fleet.hpp"

namespace syncline::routing {
namespace {

std::vector<std::string> texts(const Receivers& receivers) {
  std::vector<std::string> ids;
  for (const core::NodeId& id : receivers.nodes) ids.push_back(id.text);
  return ids;
}
using Ids = std::vector<std::string>;

TEST(Receivers, are_the_best_in_distinct_failure_domains) {
  auto first = plain_node("a");
  auto same_export = plain_node("b");
  first.domain.storage = same_export.domain.storage = "nfs1";
  first.is_training = same_export.is_training = true;
  const Router router = router_of({first, same_export, plain_node("c"), plain_node("d")});
  const Receivers chosen = router.choose_receivers(games_job(), 2, 1);
  EXPECT_EQ(texts(chosen), (Ids{"a", "c", "d"}));
  EXPECT_EQ(chosen.domains, 3);
  EXPECT_EQ(chosen.why, "3 receivers in 3 failure domains");
}

TEST(Receivers, leave_out_whoever_fails_with_the_origin) {
  auto beside = plain_node("b");
  beside.domain.host = "host-a";
  Job job = games_job();
  job.from = core::NodeId("a");
  const Router router = router_of({plain_node("a"), beside, plain_node("c")});
  EXPECT_EQ(texts(router.choose_receivers(job, 2, 1)), (Ids{"c"}));
}

TEST(Receivers, hold_a_permanent_node_whenever_one_is_eligible) {
  std::vector<NodeView> nodes;
  for (const char* id : {"a", "b", "c"}) {
    nodes.push_back(plain_node(id));
    nodes.back().is_ephemeral = true;
    nodes.back().is_training = true;
  }
  const Receivers only_spots = router_of(nodes).choose_receivers(games_job(), 2, 0);
  EXPECT_FALSE(only_spots.has_permanent);
  EXPECT_NE(only_spots.why.find("all of them spot nodes"), std::string::npos) << only_spots.why;

  nodes.push_back(plain_node("z", {"backup"}));
  const Receivers chosen = router_of(nodes).choose_receivers(games_job(), 2, 0);
  EXPECT_EQ(texts(chosen), (Ids{"a", "z"}));
  EXPECT_TRUE(chosen.has_permanent);
}

TEST(Receivers, prefer_another_zone_between_nodes_that_are_about_as_good) {
  auto a = plain_node("a"), b = plain_node("b"), c = plain_node("c", {"backup"});
  a.domain.zone = b.domain.zone = "eu-1";
  c.domain.zone = "eu-2";
  c.is_priority_host = true;  // 20 instead of 30 for training: ten points behind
  EXPECT_EQ(texts(router_of({a, b, c}).choose_receivers(games_job(), 2, 0)), (Ids{"a", "c"}));
  b.is_training = true;  // 60 ahead: the zone does not matter any more
  EXPECT_EQ(texts(router_of({a, b, c}).choose_receivers(games_job(), 2, 0)), (Ids{"b", "c"}));
  a.is_training = true;
  EXPECT_EQ(texts(router_of({a, b, c}).choose_receivers(games_job(), 2, 0)), (Ids{"a", "b"}));
}

TEST(Receivers, take_a_slow_node_only_when_too_few_are_left) {
  auto best = plain_node("a");
  best.is_training = true;
  const Router router = router_of({best, plain_node("b"), plain_node("c")});
  const std::set<core::NodeId> slow = {core::NodeId("a")};
  EXPECT_EQ(texts(router.choose_receivers(games_job(), 2, 0, slow)), (Ids{"b", "c"}));
  EXPECT_EQ(texts(router.choose_receivers(games_job(), 2, 1, slow)), (Ids{"b", "c", "a"}));
}

TEST(Receivers, say_so_when_they_are_too_few) {
  const Router nobody = router_of({});
  EXPECT_EQ(nobody.choose_receivers(games_job(), 2, 1).why, "no node can take it now");
  auto a = plain_node("a"), b = plain_node("b");
  a.domain.storage = b.domain.storage = "nfs1";
  const Receivers one = router_of({a, b}).choose_receivers(games_job(), 2, 1);
  EXPECT_EQ(one.why,
            "1 receiver in 1 failure domain, fewer than the 2 that must have it: the other 1 "
            "eligible node would not be further copies");
}

TEST(Receivers, never_count_a_node_that_has_not_told_its_domain) {
  auto unknown = plain_node("a");
  unknown.domain = {};
  EXPECT_EQ(texts(router_of({unknown, plain_node("b")}).choose_receivers(games_job(), 2, 0)),
            (Ids{"b"}));
}

TEST(Receivers, copies_are_counted_beside_the_origin) {
  auto beside = plain_node("b");
  beside.domain.host = "host-a";
  const Router router = router_of({plain_node("a"), beside, plain_node("c")});
  const std::set<core::NodeId> all = {core::NodeId("a"), core::NodeId("b"), core::NodeId("c"),
                                      core::NodeId("nobody")};
  EXPECT_EQ(router.distinct_domains(all, core::NodeId("a")), 1);
  EXPECT_EQ(router.distinct_domains(all, core::NodeId()), 2);
}

RC_GTEST_PROP(Receivers, are_eligible_independent_and_as_many_as_possible, ()) {
  const auto nodes = *drawn_fleets(25);
  const Router router = router_of(nodes);
  Job job = games_job();
  job.from = nodes.front().id;
  job.is_link_required = true;
  const int acks = *rc::gen::inRange(0, 4);
  const int extra = *rc::gen::inRange(0, 3);
  const Receivers chosen = router.choose_receivers(job, acks, extra);

  const auto eligible = router.target_ids(job);
  std::set<core::NodeId> all(eligible.begin(), eligible.end());
  bool is_permanent_possible = false;
  for (const core::NodeId& id : chosen.nodes) {
    RC_ASSERT(all.count(id) == 1u);
    RC_ASSERT(!share_failure(router.find(id)->domain, nodes.front().domain));
    for (const core::NodeId& other : chosen.nodes) {
      RC_ASSERT(id == other || !share_failure(router.find(id)->domain, router.find(other)->domain));
    }
  }
  for (const core::NodeId& id : eligible) {
    const NodeView* node = router.find(id);
    if (!node->is_ephemeral && !share_failure(node->domain, nodes.front().domain)) {
      is_permanent_possible = true;
    }
  }
  const int possible = router.distinct_domains(all, job.from);
  const int wanted = std::min(acks + extra, possible);
  if (wanted > 0) RC_ASSERT(chosen.has_permanent == is_permanent_possible);
  RC_ASSERT(chosen.domains <= wanted);
  // Only the one that must be permanent can cost a copy, and never more than one.
  RC_ASSERT(chosen.domains >= wanted - (is_permanent_possible ? 1 : 0));
}

}  // namespace
}  // namespace syncline::routing
