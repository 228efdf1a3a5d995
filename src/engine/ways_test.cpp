#include "engine/ways.hpp"

#include <gtest/gtest.h>

namespace syncline::engine {
namespace {

using core::CollectionName;
using core::NodeId;
using transfer::Transport;

const CollectionName kModels("models");
constexpr std::uint64_t kBytes = 10'000'000;
constexpr int kFailuresMax = 5;  // TransportLimits::breaker_failures

core::Instant at(int s) {
  return core::Instant{} + core::seconds(s);
}

class WaysTest : public testing::Test {
 protected:
  WaysTest() {
    config_.node.id = NodeId("self");
    tells("self", "disk-self");
  }
  void tells(const std::string& node, const std::string& storage, const std::string& root = "/m") {
    catalog::NodeSelf self;
    self.host = "host-" + node;
    self.storage = storage;
    self.advertise = "10.0.0.7:8750";
    self.roots["models"] = root;
    view_.apply(NodeId(node), catalog::kSelfKey, catalog::encode(self), false);
  }
  void link(const std::string& node) { peers_.link_up({NodeId(node), {}, ""}, at(0)); }
  void allow_ssh() { config_.ssh.key_file = "/etc/key"; }
  std::vector<Transport> order(const std::set<NodeId>& holders, core::Instant now = at(0)) {
    const auto choice = ways_.choose(kModels, kBytes, holders, "", now);
    std::vector<Transport> out;
    if (!choice.ok()) return out;
    for (const auto& candidate : choice->order) out.push_back(candidate.transport);
    return out;
  }
  void fails(Transport transport, const std::string& node, core::ErrorKind kind, int times) {
    transfer::Attempt attempt;
    attempt.transport = transport;
    attempt.sources = {NodeId(node)};
    for (int i = 0; i < times; ++i) {
      ways_.begun(attempt, at(0));
      ways_.failed(attempt, NodeId(node), {kind, "it does not go", ""}, at(0));
    }
  }

  core::Config config_;
  FleetView view_{NodeId("self")};
  Peers peers_{NodeId("self"), {}, {}, 1};
  Ways ways_{config_, view_, peers_};
};

TEST_F(WaysTest, a_linked_holder_is_asked_by_p2p) {
  tells("a", "disk-a");
  link("a");
  EXPECT_EQ(order({NodeId("a")}), std::vector{Transport::kP2p});
}

TEST_F(WaysTest, a_holder_without_a_link_is_asked_by_ssh_where_we_may_log_in) {
  tells("a", "disk-a");
  EXPECT_TRUE(order({NodeId("a")}).empty());
  allow_ssh();
  EXPECT_EQ(order({NodeId("a")}), std::vector{Transport::kSsh});
  const Reach reach = ways_.reach(kModels, {NodeId("a")}).at(NodeId("a"));
  EXPECT_EQ(reach.host, "10.0.0.7");
  EXPECT_EQ(reach.root, "/m");
  EXPECT_FALSE(reach.is_shared);
}

TEST_F(WaysTest, what_lies_on_shared_storage_is_copied_first_and_all_else_follows) {
  tells("a", "disk-self");
  link("a");
  allow_ssh();
  EXPECT_EQ(order({NodeId("a")}), (std::vector{Transport::kNfs, Transport::kP2p, Transport::kSsh}));
  EXPECT_TRUE(ways_.reach(kModels, {NodeId("a")}).at(NodeId("a")).is_shared);
}

TEST_F(WaysTest, local_disks_of_two_hosts_are_not_shared_though_they_are_called_the_same) {
  tells("self", "local:0/42");
  tells("a", "local:0/42");
  link("a");
  EXPECT_EQ(order({NodeId("a")}), std::vector{Transport::kP2p});
}

TEST_F(WaysTest, a_transport_that_is_not_enabled_is_not_used) {
  tells("a", "disk-self");
  link("a");
  config_.transport.enabled = {"p2p"};
  EXPECT_EQ(order({NodeId("a")}), std::vector{Transport::kP2p});
}

TEST_F(WaysTest, a_forced_transport_is_used_or_refused) {
  tells("a", "disk-a");
  link("a");
  EXPECT_EQ(ways_.choose(kModels, kBytes, {NodeId("a")}, "p2p", at(0))->order.size(), 1u);
  const auto refused = ways_.choose(kModels, kBytes, {NodeId("a")}, "ssh", at(0));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, core::ErrorKind::kInvalid);
}

TEST_F(WaysTest, a_way_that_fails_in_a_row_is_left_alone_until_its_time_has_come) {
  tells("a", "disk-a");
  link("a");
  fails(Transport::kP2p, "a", core::ErrorKind::kUnreachable, kFailuresMax);
  EXPECT_TRUE(order({NodeId("a")}, at(1)).empty());
  EXPECT_EQ(ways_.open_circuits(NodeId("a"), at(1)).size(), 1u);
  EXPECT_EQ(ways_.next_wake(at(1)), at(60));
  EXPECT_EQ(order({NodeId("a")}, at(61)), std::vector{Transport::kP2p});
}

TEST_F(WaysTest, a_new_link_gives_p2p_its_chance_at_once) {
  tells("a", "disk-a");
  link("a");
  fails(Transport::kP2p, "a", core::ErrorKind::kUnreachable, kFailuresMax);
  ways_.link_up(NodeId("a"), at(1));
  EXPECT_EQ(order({NodeId("a")}, at(1)), std::vector{Transport::kP2p});
}

TEST_F(WaysTest, what_is_not_the_ways_fault_does_not_count_against_it) {
  tells("a", "disk-a");
  link("a");
  fails(Transport::kP2p, "a", core::ErrorKind::kExhausted, 10);
  fails(Transport::kP2p, "a", core::ErrorKind::kMissing, 10);
  EXPECT_EQ(order({NodeId("a")}), std::vector{Transport::kP2p});
}

TEST_F(WaysTest, the_faster_of_two_sources_comes_first_once_that_is_known) {
  for (const char* node : {"a", "b"}) {
    tells(node, std::string("disk-") + node);
    link(node);
    transfer::Attempt attempt;
    attempt.sources = {NodeId(node)};
    const core::Duration took = node[0] == 'a' ? core::seconds(10) : core::seconds(1);
    ways_.succeeded(attempt, NodeId(node), 100'000'000, took, at(0));
  }
  const auto choice = ways_.choose(kModels, kBytes, {NodeId("a"), NodeId("b")}, "", at(0));
  EXPECT_EQ(choice->order.front().sources.front(), NodeId("b"));
}

}  // namespace
}  // namespace syncline::engine
