#include "node/agentless_targets.hpp"

#include <gtest/gtest.h>

namespace syncline::node {
namespace {

using core::CollectionName;
using core::NodeId;

core::Config config() {
  core::Config config;
  core::CollectionConfig games;
  games.name = CollectionName("games");
  games.kind = core::Kind::kSqlite;
  core::CollectionConfig models;
  models.name = CollectionName("models");
  models.kind = core::Kind::kFiles;
  config.collections = {games, models};
  core::AgentlessConfig far;
  far.name = NodeId("far");
  far.deliver = {{"models", "/srv/models"}};
  config.agentless = {far};
  return config;
}

facade::SyncRequest request(const std::string& type, std::vector<std::string> targets) {
  facade::SyncRequest out;
  out.data_type = type;
  out.targets = std::move(targets);
  return out;
}

TEST(AgentlessTargets, are_taken_out_of_what_the_engine_is_asked_for) {
  facade::SyncRequest asked = request("models", {"a", "far"});
  const auto taken = take_agentless_targets(config(), {}, asked);
  EXPECT_EQ(asked.targets, (std::vector<std::string>{"a"}));
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_TRUE(taken[0].refusal.empty()) << taken[0].refusal;
  EXPECT_EQ(collections_of(taken), (std::set<CollectionName>{CollectionName("models")}));
}

TEST(AgentlessTargets, stay_where_their_own_daemon_is_linked) {
  facade::SyncRequest asked = request("models", {"far"});
  EXPECT_TRUE(take_agentless_targets(config(), {NodeId("far")}, asked).empty());
  EXPECT_EQ(asked.targets.size(), 1u);
}

TEST(AgentlessTargets, are_refused_with_the_reason_what_they_cannot_be_given) {
  const struct {
    const char* type;
    const char* transport;
    double limit;
    const char* words;
  } kTable[] = {
      {"games", "", 0, "no daemon to merge records"},
      {"npz", "", 0, "name a folder for them in `deliver`"},
      {"models", "p2p", 0, "only ssh reaches it, not p2p"},
      {"models", "", 5, "bandwidth_mbps of its [[agentless]]"},
  };
  for (const auto& row : kTable) {
    facade::SyncRequest asked = request(row.type, {"far"});
    asked.transport = row.transport;
    asked.bandwidth_limit_mbps = row.limit;
    const auto taken = take_agentless_targets(config(), {}, asked);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_NE(taken[0].refusal.find(row.words), std::string::npos) << taken[0].refusal;
    EXPECT_TRUE(collections_of(taken).empty());
    facade::SyncResponse answer = answer_without_engine(asked);
    add_outcomes(taken, {}, answer);
    EXPECT_FALSE(answer.success);
    EXPECT_EQ(answer.nodes.at(0).outcome, facade::NodeOutcome::kNotEligible);
  }
}

TEST(AgentlessTargets, count_as_synced_only_after_a_look_that_found_nothing_to_complain_of) {
  facade::SyncRequest asked = request("models", {"far"});
  const auto taken = take_agentless_targets(config(), {}, asked);
  const struct {
    CollectOutcome outcome;
    facade::NodeOutcome wanted;
  } kTable[] = {
      {CollectOutcome{std::in_place}, facade::NodeOutcome::kVerified},
      {std::nullopt, facade::NodeOutcome::kPending},
      {{{{NodeId("far"), {"m.pth: no room"}}}}, facade::NodeOutcome::kFailed},
  };
  for (const auto& row : kTable) {
    facade::SyncResponse answer = answer_without_engine(asked);
    add_outcomes(taken, row.outcome, answer);
    EXPECT_EQ(answer.nodes.at(0).outcome, row.wanted);
    EXPECT_EQ(answer.success, row.wanted == facade::NodeOutcome::kVerified);
    EXPECT_EQ(answer.nodes_synced.size(), answer.success ? 1u : 0u);
    EXPECT_EQ(answer.errors.empty(), answer.success);
  }
}

TEST(AgentlessTargets, stand_in_the_route_with_the_way_to_them) {
  facade::SyncRequest asked = request("models", {"far"});
  facade::RouteReport route;
  add_verdicts(take_agentless_targets(config(), {}, asked), route);
  ASSERT_EQ(route.verdicts.size(), 1u);
  EXPECT_TRUE(route.verdicts[0].is_chosen);
  EXPECT_EQ(route.verdicts[0].transport, "ssh");
}

}  // namespace
}  // namespace syncline::node
