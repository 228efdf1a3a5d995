#include "strategy/plan.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "core/test_alternatives.hpp"
#include "routing/test_fleet.hpp"

namespace syncline::strategy {
namespace {

using core::CollectionName;
using core::NodeId;
using core::SeqSet;
using routing::NodeView;
using routing::plain_node;

const CollectionName kGames("games"), kModels("models");

core::CollectionConfig games_config() {
  core::CollectionConfig games;
  games.name = kGames;
  games.kind = core::Kind::kSqlite;
  games.placement.roles = {"training", "backup"};
  return games;
}
core::CollectionConfig models_config() {
  core::CollectionConfig models;
  models.name = kModels;
  models.priority = core::Priority::kHigh;
  return models;
}

struct Fleet {
  std::vector<core::CollectionConfig> collections = {games_config(), models_config()};
  routing::Router router;
  std::vector<LogHoldings> logs;
  std::vector<ObjectHoldings> objects;
  View view;

  explicit Fleet(const std::vector<NodeView>& nodes, const char* self) {
    for (const auto& config : collections) {
      router.set_policy(routing::policy_of(config, core::DiskLimits{}));
    }
    for (const NodeView& node : nodes) router.put(node);
    view.self = NodeId(self);
    view.now = {core::seconds(1000)};
  }
  Plan plan_for(const Event& event) {
    view.router = &router;
    view.collections = &collections;
    view.logs = &logs;
    view.objects = &objects;
    return plan(event, view);
  }
  void add_log(const char* origin, std::map<NodeId, SeqSet> holders) {
    logs.push_back({{kGames, NodeId(origin), core::Epoch{1}}, std::move(holders), 2048});
  }
  void add_model(const char* path, std::uint64_t hlc, std::set<NodeId> holders) {
    ObjectHoldings object{kModels, path, {}, {}, 100'000'000, hlc, std::move(holders)};
    object.root.bytes[0] = static_cast<std::uint8_t>(hlc);
    objects.push_back(std::move(object));
  }
};

std::set<NodeId> ids(std::initializer_list<const char*> names) {
  std::set<NodeId> set;
  for (const char* name : names) set.insert(NodeId(name));
  return set;
}
std::vector<NodeId> list(std::initializer_list<const char*> names) {
  std::vector<NodeId> nodes;
  for (const char* name : names) nodes.emplace_back(name);
  return nodes;
}
template <typename T>
std::vector<T> all_of_type(const Plan& plan) {
  return core::all_of_type<T>(plan.intents);
}
NodeView player(const char* id) {
  return plain_node(id, {"selfplay"});
}

const core::LogId kLog{kGames, NodeId("p"), core::Epoch{1}};

TEST(Plan, pushes_new_records_at_once_to_enough_receivers_in_distinct_domains) {
  Fleet fleet({player("p"), plain_node("t1"), plain_node("t2"), plain_node("t3"), plain_node("t4")},
              "p");
  const Plan made = fleet.plan_for(RecordsWritten{kLog, SeqSet::up_to(10), 20'000});
  ASSERT_EQ(made.intents.size(), 1u);
  const auto& push = std::get<PushRecords>(made.intents[0]);
  EXPECT_EQ(push.to, list({"t1", "t2", "t3"}));
  EXPECT_EQ(push.acks, 2);
  EXPECT_EQ(push.seqs, SeqSet::up_to(10));
  EXPECT_EQ(push.why,
            "hybrid (p is permanent: push to a few at once, gossip brings it to the rest): "
            "3 receivers in 3 failure domains");
  EXPECT_TRUE(made.problems.empty());
}

TEST(Plan, safety_goes_before_placement) {
  Fleet fleet({player("p"), player("p2"), player("p3"), plain_node("t1")}, "p");
  const Plan made = fleet.plan_for(RecordsWritten{kLog, SeqSet::up_to(1), 2048});
  const auto& push = std::get<PushRecords>(made.intents.at(0));
  EXPECT_EQ(push.to.size(), 3u);
  EXPECT_EQ(push.to[0], NodeId("t1"));
  EXPECT_NE(push.why.find("safety goes first"), std::string::npos);
}

TEST(Plan, says_so_when_new_data_cannot_be_durable) {
  Fleet fleet({player("p"), plain_node("t1")}, "p");
  const Plan made = fleet.plan_for(RecordsWritten{kLog, SeqSet::up_to(1), 2048});
  EXPECT_EQ(std::get<PushRecords>(made.intents.at(0)).to, list({"t1"}));
  ASSERT_EQ(made.problems.size(), 1u);
  EXPECT_EQ(made.problems[0].rfind("games is not durable yet: 1 receiver", 0), 0u);
  Fleet alone({player("p")}, "p");
  EXPECT_TRUE(alone.plan_for(RecordsWritten{kLog, SeqSet::up_to(1), 2048}).intents.empty());
}

TEST(Plan, only_the_leader_broadcasts_to_all_others_push_for_safety) {
  std::vector<NodeView> nodes;
  for (const char* id : {"a", "b", "c", "d", "e", "f"}) nodes.push_back(plain_node(id));
  Fleet fleet(nodes, "a");
  const ObjectPublished published{kModels, "m.pth", {}, 100'000'000};
  EXPECT_EQ(std::get<PushObject>(fleet.plan_for(published).intents.at(0)).to.size(), 3u);
  fleet.view.leader = NodeId("a");
  const auto push = std::get<PushObject>(fleet.plan_for(published).intents.at(0));
  EXPECT_EQ(push.to.size(), 5u);
  EXPECT_NE(push.why.find("as the leader, to all 5 eligible nodes"), std::string::npos);
}

TEST(Plan, fetches_what_is_wanted_here_and_missing_from_whoever_has_it) {
  Fleet fleet({player("p"), plain_node("t1"), plain_node("t2"), plain_node("me")}, "me");
  SeqSet later;
  later.insert(50, 80);
  fleet.add_log(
      "p",
      {{NodeId("p"), SeqSet::up_to(60)}, {NodeId("t1"), later}, {NodeId("me"), SeqSet::up_to(20)}});
  const auto pulls = all_of_type<PullRecords>(fleet.plan_for(FleetChanged{}));
  SeqSet pulled;
  for (const PullRecords& pull : pulls) {
    EXPECT_TRUE(pulled.intersect(pull.seqs).empty()) << "asked twice";
    pulled.insert(pull.seqs);
  }
  SeqSet expected;
  expected.insert(21, 80);
  EXPECT_EQ(pulled, expected);
  EXPECT_EQ(pulls.size(), 2u);
}

TEST(Plan, does_not_fetch_what_is_not_wanted_here) {
  Fleet fleet({player("me"), plain_node("t1"), plain_node("t2"), plain_node("t3")}, "me");
  fleet.add_log("t1", {{NodeId("t1"), SeqSet::up_to(60)}});
  EXPECT_TRUE(all_of_type<PullRecords>(fleet.plan_for(FleetChanged{})).empty());
}

TEST(Plan, a_stand_in_fetches_when_a_copy_is_lost_without_being_asked) {
  std::vector<NodeView> nodes = {player("me"), plain_node("t1"), plain_node("t2"),
                                 plain_node("t3")};
  Fleet well(nodes, "me");
  well.add_log("t1", {{NodeId("t1"), SeqSet::up_to(60)}, {NodeId("t3"), SeqSet::up_to(60)}});
  EXPECT_TRUE(well.plan_for(FleetChanged{}).intents.empty());
  nodes[3].liveness = routing::Liveness::kDead;
  Fleet hurt(nodes, "me");
  hurt.logs = well.logs;
  const auto pulls = all_of_type<PullRecords>(hurt.plan_for(FleetChanged{}));
  ASSERT_EQ(pulls.size(), 1u);
  EXPECT_EQ(pulls[0].from, NodeId("t1"));
}

TEST(Plan, reports_collections_that_cannot_have_their_copies) {
  Fleet fleet({plain_node("t1"), plain_node("me")}, "me");
  const auto problems = fleet.plan_for(FleetChanged{}).problems;
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].rfind("games: placement names me and t1; only 2 copies", 0), 0u);
}

TEST(Plan, fetches_the_newest_model_first_and_not_what_its_disk_cannot_take) {
  std::vector<NodeView> nodes = {plain_node("me"), plain_node("t1")};
  Fleet fleet(nodes, "me");
  fleet.add_model("old.pth", 5, ids({"t1"}));
  fleet.add_model("new.pth", 9, ids({"t1"}));
  fleet.add_model("have.pth", 7, ids({"t1", "me"}));
  auto pulls = all_of_type<PullObject>(fleet.plan_for(TrainingStarted{NodeId("me")}));
  ASSERT_EQ(pulls.size(), 2u);
  EXPECT_EQ(pulls[0].path, "new.pth");
  EXPECT_EQ(pulls[1].path, "old.pth");
  nodes[0].disk.free_bytes = 170 * routing::kGb;
  Fleet full(nodes, "me");
  full.objects = fleet.objects;
  EXPECT_TRUE(all_of_type<PullObject>(full.plan_for(FleetChanged{})).empty());
}

TEST(Plan, nodes_that_lack_the_same_spread_over_its_holders) {
  std::vector<NodeView> nodes;
  std::set<NodeId> holders;
  for (int i = 0; i < 5; ++i) {
    nodes.push_back(plain_node("h" + std::to_string(i)));
    holders.insert(nodes.back().id);
  }
  for (int i = 0; i < 50; ++i) nodes.push_back(plain_node("n" + std::to_string(i)));
  std::map<NodeId, int> asked;
  for (int i = 0; i < 50; ++i) {
    Fleet fleet(nodes, ("n" + std::to_string(i)).c_str());
    fleet.add_model("m.pth", 1, holders);
    const auto pulls = all_of_type<PullObject>(fleet.plan_for(PeriodPassed{}));
    ASSERT_EQ(pulls.size(), 1u);
    EXPECT_EQ(pulls[0].from.size(), 5u);
    ++asked[pulls[0].from.front()];
  }
  EXPECT_EQ(asked.size(), 5u);
  for (const auto& [holder, times] : asked) EXPECT_LE(times, 20) << holder;
}

TEST(Plan, the_leader_brings_to_each_node_what_it_lacks_of_what_is_broadcast) {
  Fleet fleet({plain_node("a"), plain_node("b"), plain_node("c")}, "a");
  fleet.view.leader = NodeId("a");
  fleet.add_model("m.pth", 1, ids({"a", "b"}));
  fleet.add_log("a", {{NodeId("a"), SeqSet::up_to(5)}});  // games are not broadcast
  const Plan made = fleet.plan_for(PeriodPassed{});
  ASSERT_EQ(made.intents.size(), 1u);
  const auto& push = std::get<PushObject>(made.intents[0]);
  EXPECT_EQ(push.to, list({"c"}));
  EXPECT_EQ(push.why, "broadcast by the leader: c lacks it");
  fleet.view.leader = NodeId("b");
  EXPECT_TRUE(fleet.plan_for(PeriodPassed{}).intents.empty());
}

TEST(Plan, the_first_holder_serves_nodes_without_a_daemon) {
  auto bare = plain_node("bare");
  bare.has_daemon = bare.is_linked = false;
  const std::vector<NodeView> nodes = {plain_node("a"), plain_node("b"), bare, plain_node("c")};
  for (const char* self : {"a", "b", "c"}) {
    Fleet fleet(nodes, self);
    fleet.add_model("m.pth", 1, ids({"b", "c"}));
    const auto pushes = all_of_type<PushObject>(fleet.plan_for(FleetChanged{}));
    EXPECT_EQ(pushes.size(), std::string(self) == "b" ? 1u : 0u) << self;
  }
}

TEST(Plan, a_node_that_stops_sends_records_first_then_the_newest_models) {
  auto spot = player("p");
  spot.is_ephemeral = true;
  Fleet fleet({spot, plain_node("t1"), plain_node("t2"), plain_node("t3")}, "p");
  fleet.add_log("p", {{NodeId("p"), SeqSet::up_to(100)},
                      {NodeId("t1"), SeqSet::up_to(90)},
                      {NodeId("t2"), SeqSet::up_to(60)}});
  fleet.add_log("t1", {{NodeId("t1"), SeqSet::up_to(9)}, {NodeId("p"), SeqSet::up_to(9)}});
  fleet.add_model("old.pth", 1, ids({"p"}));
  fleet.add_model("new.pth", 2, ids({"p", "t1"}));
  fleet.add_model("safe.pth", 3, ids({"p", "t1", "t2"}));
  const Plan made = fleet.plan_for(DrainBegan{{core::seconds(1030)}});
  ASSERT_EQ(made.intents.size(), 4u);
  EXPECT_EQ(std::get<StopIntake>(made.intents[0]).why,
            "this node stops in 30 s: nothing new is begun");
  const auto& records = std::get<PushRecords>(made.intents[1]);
  SeqSet open;
  open.insert(61, 100);
  EXPECT_EQ(records.seqs, open);
  EXPECT_EQ(records.why, "this node stops and 40 records would be lost with it");
  EXPECT_EQ(std::get<PushObject>(made.intents[2]).path, "new.pth");
  EXPECT_EQ(std::get<PushObject>(made.intents[3]).path, "old.pth");
}

TEST(Plan, does_nothing_for_a_collection_that_is_not_configured) {
  Fleet fleet({plain_node("a"), plain_node("b")}, "a");
  const core::LogId unknown{CollectionName("x"), NodeId("a"), core::Epoch{1}};
  EXPECT_TRUE(fleet.plan_for(RecordsWritten{unknown, SeqSet::up_to(1), 1}).intents.empty());
}

// Everybody who wants a log and is there follows its own plan until nothing changes any more.
RC_GTEST_PROP(Plan, when_everybody_follows_it_all_wanted_nodes_have_everything, ()) {
  std::vector<NodeView> nodes;
  const int count = *rc::gen::inRange(2, 8);
  for (int i = 0; i < count; ++i) {
    nodes.push_back(plain_node("n" + std::to_string(i),
                               {*rc::gen::element<std::string>("training", "selfplay")}));
  }
  std::map<NodeId, SeqSet> holders;
  for (const NodeView& node : nodes) {
    const auto first = static_cast<std::uint64_t>(*rc::gen::inRange(1, 20));
    if (*rc::gen::arbitrary<bool>()) holders[node.id].insert(first, first + 10);
  }
  for (int round = 0; round < 3; ++round) {
    std::map<NodeId, SeqSet> after = holders;
    for (const NodeView& node : nodes) {
      Fleet fleet(nodes, node.id.text.c_str());
      fleet.add_log("n0", holders);
      for (const auto& pull : all_of_type<PullRecords>(fleet.plan_for(FleetChanged{}))) {
        RC_ASSERT(pull.seqs.minus(holders.at(pull.from)).empty());
        after[node.id].insert(pull.seqs);
      }
    }
    holders = std::move(after);
  }
  SeqSet everything;
  for (const auto& [node, held] : holders) everything.insert(held);
  Fleet fleet(nodes, "n0");
  const Wanted wanted = wanted_by(fleet.router, kGames, {});
  for (const NodeId& node : wanted.all()) RC_ASSERT(holders[node] == everything);
}

}  // namespace
}  // namespace syncline::strategy
