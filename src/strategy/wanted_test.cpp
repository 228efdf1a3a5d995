#include "strategy/wanted.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "routing/test_fleet.hpp"

namespace syncline::strategy {
namespace {

using routing::Liveness;
using routing::NodeView;
using routing::plain_node;
using routing::router_of;
using Ids = std::set<core::NodeId>;

const core::CollectionName kGames("games");
constexpr core::Instant kNow{core::seconds(100'000)};

Ids ids(std::initializer_list<const char*> names) {
  Ids set;
  for (const char* name : names) set.insert(core::NodeId(name));
  return set;
}

TEST(Wanted, is_what_the_placement_names_when_that_is_enough) {
  const auto router = router_of({plain_node("t1"), plain_node("t2"), plain_node("b", {"backup"}),
                                 plain_node("p", {"selfplay"})});
  const Wanted wanted = wanted_by(router, kGames, kNow);
  EXPECT_EQ(wanted.placed, ids({"b", "t1", "t2"}));
  EXPECT_TRUE(wanted.added.empty());
  EXPECT_EQ(wanted.copies, 3);
  EXPECT_EQ(wanted.why, "placement names b, t1 and t2");
}

TEST(Wanted, adds_others_by_score_until_there_are_enough_copies) {
  auto busy = plain_node("p3", {"selfplay"});
  busy.is_training = true;
  const auto router = router_of(
      {plain_node("t1"), plain_node("p1", {"selfplay"}), plain_node("p2", {"selfplay"}), busy});
  const Wanted wanted = wanted_by(router, kGames, kNow);
  EXPECT_EQ(wanted.placed, ids({"t1"}));
  EXPECT_EQ(wanted.added, ids({"p1", "p3"}));
  EXPECT_EQ(wanted.copies, 3);
  EXPECT_EQ(wanted.why, "placement names t1; p1 and p3 stand in to make 3 copies");
}

TEST(Wanted, counts_copies_in_failure_domains_and_not_in_nodes) {
  auto t1 = plain_node("t1"), t2 = plain_node("t2"), t3 = plain_node("t3");
  t1.domain.storage = t2.domain.storage = t3.domain.storage = "nfs";
  auto also_nfs = plain_node("p0", {"selfplay"});
  also_nfs.domain.storage = "nfs";
  const auto router = router_of({t1, t2, t3, also_nfs, plain_node("p1", {"selfplay"})});
  const Wanted wanted = wanted_by(router, kGames, kNow);
  EXPECT_EQ(wanted.placed.size(), 3u);
  EXPECT_EQ(wanted.added, ids({"p1"}));
  EXPECT_EQ(wanted.copies, 2);
  EXPECT_NE(wanted.why.find("only 2 copies can be made of the 3 wanted"), std::string::npos)
      << wanted.why;
}

TEST(Wanted, replaces_who_is_dead_or_stops_soon_but_not_who_is_only_suspected) {
  auto t1 = plain_node("t1"), t2 = plain_node("t2"), t3 = plain_node("t3");
  std::vector<NodeView> nodes = {t1, t2, t3, plain_node("p1", {"selfplay"})};
  nodes[0].liveness = Liveness::kSuspect;
  EXPECT_TRUE(wanted_by(router_of(nodes), kGames, kNow).added.empty());
  nodes[0].liveness = Liveness::kDead;
  const Wanted wanted = wanted_by(router_of(nodes), kGames, kNow);
  EXPECT_EQ(wanted.absent, ids({"t1"}));
  EXPECT_EQ(wanted.added, ids({"p1"}));
  EXPECT_EQ(wanted.why, "placement names t2 and t3; t1 is away; p1 stands in to make 3 copies");
  nodes[0].liveness = Liveness::kAlive;
  nodes[0].is_draining = true;
  EXPECT_EQ(wanted_by(router_of(nodes), kGames, kNow).added, ids({"p1"}));
}

TEST(Wanted, prefers_permanent_stand_ins_to_spot_nodes) {
  auto spot = plain_node("a", {"selfplay"});
  spot.is_ephemeral = true;
  spot.is_training = true;  // ranks higher as a target of a push
  const auto router =
      router_of({plain_node("t1"), plain_node("t2"), spot, plain_node("z", {"selfplay"})});
  EXPECT_EQ(wanted_by(router, kGames, kNow).added, ids({"z"}));
}

TEST(Wanted, names_nobody_for_a_collection_it_does_not_know) {
  const Wanted wanted = wanted_by(router_of({plain_node("a")}), core::CollectionName("x"), kNow);
  EXPECT_TRUE(wanted.all().empty());
}

TEST(Wanted, placement_obeys_roles_globs_and_exclusions) {
  core::Placement placement;
  placement.roles = {"training"};
  placement.nodes = {"gpu-*"};
  placement.exclude_nodes = {"*-9"};
  EXPECT_TRUE(is_placed_on(placement, core::NodeId("gpu-1"), {"voter", "training"}));
  EXPECT_FALSE(is_placed_on(placement, core::NodeId("gpu-1"), {"voter"}));
  EXPECT_FALSE(is_placed_on(placement, core::NodeId("cpu-1"), {"training"}));
  EXPECT_FALSE(is_placed_on(placement, core::NodeId("gpu-9"), {"training"}));
  placement.roles = {};
  EXPECT_TRUE(is_placed_on(placement, core::NodeId("gpu-1"), {}));
}

RC_GTEST_PROP(Wanted, reaches_its_copies_whenever_the_fleet_can, ()) {
  const auto nodes = *routing::drawn_fleets(30);
  const auto router = router_of(nodes);
  const Wanted wanted = wanted_by(router, kGames, kNow);
  routing::Job job = routing::games_job();
  job.is_placement_waived = true;
  Ids possible;
  for (const core::NodeId& id : router.target_ids(job)) possible.insert(id);
  for (const core::NodeId& id : wanted.placed) {
    if (!router.find(id)->is_draining) possible.insert(id);
  }
  const int most = router.distinct_domains(possible, core::NodeId());
  RC_ASSERT(wanted.copies >= std::min(most, 3));
  for (const core::NodeId& id : wanted.added) RC_ASSERT(possible.count(id) == 1u);
  for (const core::NodeId& id : wanted.placed) {
    RC_ASSERT(router.find(id)->liveness != Liveness::kDead);
  }
}

}  // namespace
}  // namespace syncline::strategy
