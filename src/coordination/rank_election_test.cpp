#include "coordination/rank_election.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace syncline::coordination {
namespace {

using core::NodeId;

const NodeId kA("a");
const NodeId kB("b");
const NodeId kC("c");

TEST(RankElection, the_first_live_voter_leads) {
  struct Case {
    const char* what;
    std::vector<Voter> voters;
    bool are_by_role;
    NodeId leader;
  };
  const Case cases[] = {
      {"all alive", {{kB, true}, {kA, true}, {kC, true}}, true, kA},
      {"the first is dead", {{kA, false}, {kB, true}, {kC, true}}, true, kB},
      {"no majority", {{kA, false}, {kB, false}, {kC, true}}, true, NodeId()},
      {"half is no majority", {{kA, true}, {kB, false}}, true, NodeId()},
      {"without the role nobody is counted", {{kA, false}, {kB, false}, {kC, true}}, false, kC},
      {"nobody", {}, false, NodeId()},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    RankElection election(kC);
    const Leadership& now = election.look(c.voters, c.are_by_role, {});
    EXPECT_EQ(now.leader, c.leader);
    EXPECT_FALSE(now.why.empty());
  }
}

TEST(RankElection, a_new_leader_claims_an_epoch_above_all_it_knows_of) {
  RankElection election(kB);
  const std::vector<Voter> all = {{kA, true}, {kB, true}, {kC, true}};
  EXPECT_EQ(election.look(all, true, {{kA, 4}}).epoch, 4u) << "the leader's own word";
  const std::vector<Voter> without_a = {{kA, false}, {kB, true}, {kC, true}};
  EXPECT_EQ(election.look(without_a, true, {{kA, 4}}).epoch, 5u);
  EXPECT_EQ(election.claim(), 5u);
  EXPECT_EQ(election.look(without_a, true, {{kA, 4}, {kB, 5}}).epoch, 5u) << "it stays";
  EXPECT_EQ(election.look(without_a, true, {{kA, 4}, {kB, 5}, {kC, 9}}).epoch, 10u)
      << "somebody led on the other side of a cut";
  EXPECT_EQ(election.look(all, true, {{kA, 11}, {kB, 10}}).leader, kA);
  EXPECT_EQ(election.look(without_a, true, {{kA, 11}, {kB, 10}}).epoch, 12u) << "and again";
}

// Nodes that see the same voters and claims agree, and no two leaders ever have one epoch.
RC_GTEST_PROP(RankElection, nodes_of_one_view_agree_and_epochs_are_never_shared, ()) {
  std::vector<NodeId> ids = {kA, kB, kC, NodeId("d"), NodeId("e")};
  std::map<NodeId, RankElection> nodes;
  for (const NodeId& id : ids) nodes.emplace(id, RankElection(id));
  std::map<NodeId, std::uint64_t> claims;
  std::map<std::uint64_t, NodeId> led;
  const auto rounds = *rc::gen::inRange(1, 30);
  for (int round = 0; round < rounds; ++round) {
    std::vector<Voter> voters;
    for (const NodeId& id : ids) voters.push_back({id, *rc::gen::arbitrary<bool>()});
    // Two looks: a leader's claim is known to the others only after the first.
    for (int look = 0; look < 2; ++look) {
      for (auto& [id, node] : nodes) {
        node.look(voters, true, claims);
      }
      for (auto& [id, node] : nodes) {
        if (node.claim() > 0) claims[id] = node.claim();
      }
    }
    std::set<std::pair<NodeId, std::uint64_t>> seen;
    for (auto& [id, node] : nodes) {
      const Leadership& now = node.leadership();
      if (!now.leader.empty()) seen.emplace(now.leader, now.epoch);
    }
    RC_ASSERT(seen.size() <= 1u);
    for (const auto& [leader, epoch] : seen) {
      const auto [at, is_new] = led.try_emplace(epoch, leader);
      RC_ASSERT(at->second == leader);
    }
  }
}

}  // namespace
}  // namespace syncline::coordination
