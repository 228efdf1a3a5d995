#include "strategy/auto_choice.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace syncline::strategy {
namespace {

using core::StrategyName;

struct Case {
  const char* name;
  std::function<void(core::CollectionConfig&, routing::NodeView&)> change;
  StrategyName strategy;
  const char* why;
};

TEST(AutoChoice, follows_node_and_collection) {
  using Collection = core::CollectionConfig;
  using Node = routing::NodeView;
  const std::vector<Case> cases = {
      {"a permanent generator", [](Collection&, Node& n) { n.roles = {"selfplay"}; },
       StrategyName::kHybrid,
       "n1 is permanent: push to a few at once, gossip brings it to the rest"},
      {"a spot node",
       [](Collection&, Node& n) {
         n.roles = {"selfplay"};
         n.is_ephemeral = true;
       },
       StrategyName::kEphemeral, "n1 is a spot node: what it makes must leave at once"},
      {"a coordinator",
       [](Collection&, Node& n) {
         n.roles = {"coordinator", "voter"};
       },
       StrategyName::kPull, "n1 is a coordinator and makes no data: it fetches what it lacks"},
      {"a backup", [](Collection&, Node& n) { n.roles = {"backup"}; }, StrategyName::kPull,
       "n1 is a backup and makes no data: it fetches what it lacks"},
      {"a coordinator that plays",
       [](Collection&, Node& n) {
         n.roles = {"coordinator", "selfplay"};
       },
       StrategyName::kHybrid,
       "n1 is permanent: push to a few at once, gossip brings it to the rest"},
      {"models for everybody",
       [](Collection& c, Node& n) {
         n.roles = {"training"};
         c.name = core::CollectionName("models");
         c.kind = core::Kind::kFiles;
         c.priority = core::Priority::kHigh;
         c.placement.roles = {};
       },
       StrategyName::kBroadcast, "models is wanted by every node and its priority is high"},
      {"the collection's own word",
       [](Collection& c, Node& n) {
         n.is_ephemeral = true;
         c.strategy = StrategyName::kPull;
       },
       StrategyName::kPull, "games is configured for it"},
  };
  for (const Case& c : cases) {
    core::CollectionConfig collection;
    collection.name = core::CollectionName("games");
    collection.kind = core::Kind::kSqlite;
    collection.placement.roles = {"training"};
    routing::NodeView node;
    node.id = core::NodeId("n1");
    c.change(collection, node);
    const StrategyChoice choice = choose_strategy(collection, node);
    EXPECT_EQ(choice.strategy, c.strategy) << c.name;
    EXPECT_EQ(choice.why, c.why) << c.name;
  }
}

TEST(AutoChoice, bytes_at_risk_are_half_of_what_the_notice_lets_through) {
  // uplink MB/s, notice s, poll s -> bytes
  const std::vector<std::array<double, 4>> cases = {
      {100, 120, 5, 0.5 * 100e6 * 110},
      {50, 30, 5, 0.5 * 50e6 * 20},
      {100, 10, 5, 0},
      {100, 0, 5, 0},
      {0, 120, 5, 0},
      {100, 10.5, 5, 25e6},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(bytes_at_risk_max({c[0], c[1], c[2]}), static_cast<std::int64_t>(c[3]))
        << c[0] << " MB/s, notice " << c[1];
  }
}

}  // namespace
}  // namespace syncline::strategy
