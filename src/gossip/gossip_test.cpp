#include "gossip/gossip.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <memory>

namespace syncline::gossip {
namespace {

using core::Instant;
using core::NodeId;

NodeId name(std::size_t i) {
  return NodeId("n" + std::to_string(i));
}

// A fleet on virtual time in which each message may be lost, doubled or overtaken.
struct Net {
  struct Letter {
    std::size_t from;
    std::size_t to;
    std::variant<core::DigestMessage, core::DeltaMessage> message;
  };
  std::vector<std::unique_ptr<Gossip>> nodes;
  std::vector<std::set<std::size_t>> links;
  std::deque<Letter> letters;
  std::uint64_t dice;
  int loss_percent;
  Instant now;

  Net(std::size_t count, std::uint64_t seed, int loss) : dice(seed), loss_percent(loss) {
    links.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      nodes.push_back(std::make_unique<Gossip>(name(i), 1, core::GossipConfig{}, seed + i));
    }
  }
  std::uint64_t roll(std::uint64_t below) {
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (dice >> 33) % below;
  }
  void connect(std::size_t a, std::size_t b) {
    if (a == b || links[a].count(b) > 0) return;
    links[a].insert(b);
    links[b].insert(a);
    step(a, LinkUp{name(b)});
    step(b, LinkUp{name(a)});
  }
  void step(std::size_t i, const Event& event) {
    Actions actions;
    nodes[i]->step(event, now, actions);
    for (Action& action : actions) {
      if (auto* send = std::get_if<Send>(&action)) {
        const std::size_t to = std::stoul(send->peer.text.substr(1));
        if (roll(100) < static_cast<std::uint64_t>(loss_percent)) continue;
        const int copies = roll(10) == 0 ? 2 : 1;
        for (int c = 0; c < copies; ++c) letters.push_back({i, to, send->message});
      }
    }
  }
  void deliver_all() {
    for (int i = 0; i < 100000 && !letters.empty(); ++i) {
      const std::size_t pick = roll(std::min<std::size_t>(letters.size(), 4));
      const Letter letter = letters[pick];
      letters.erase(letters.begin() + static_cast<std::ptrdiff_t>(pick));
      step(letter.to, Received{name(letter.from), letter.message});
    }
  }
  void second() {
    for (int i = 0; i < 10; ++i) {
      now = now + core::milliseconds(100);
      for (std::size_t n = 0; n < nodes.size(); ++n) step(n, Tick{});
      deliver_all();
    }
  }
  bool is_equal() const {
    for (const auto& node : nodes) {
      if (!(node->catalog().digest() == nodes[0]->catalog().digest())) return false;
    }
    return true;
  }
};

TEST(Gossip, tells_fresh_facts_to_linked_nodes_at_once) {
  Net net(3, 1, 0);
  net.connect(0, 1);
  net.connect(1, 2);
  net.deliver_all();
  net.now = net.now + core::milliseconds(100);
  net.nodes[0]->assert_own("self", "here");
  for (int hop = 0; hop < 3; ++hop) {
    net.now = net.now + core::milliseconds(25);
    for (std::size_t n = 0; n < 3; ++n) net.step(n, Tick{});
    net.deliver_all();
  }
  EXPECT_NE(net.nodes[2]->catalog().find(name(0), "self"), nullptr);
}

TEST(Gossip, fifty_nodes_agree_under_loss_within_few_rounds) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Net net(50, seed, 20);
    for (std::size_t i = 1; i < 50; ++i) {  // a random tree and as many chords
      net.connect(i, net.roll(i));
      net.connect(i, net.roll(50));
    }
    for (std::size_t i = 0; i < 50; ++i) net.nodes[i]->assert_own("self", std::to_string(i));
    int rounds = 0;
    while (!net.is_equal() && rounds < 60) {
      net.second();
      ++rounds;
    }
    EXPECT_LE(rounds, 16) << "seed " << seed;
  }
}

TEST(Gossip, the_peer_that_differs_most_is_spoken_to_first_and_each_one_once_a_round) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Gossip gossip(NodeId("me"), 1, core::GossipConfig{}, seed);
    Actions ignored;
    // All say that they have what we have, but for one, which knows of two nodes more.
    for (std::size_t i = 0; i < 6; ++i) {
      gossip.step(LinkUp{name(i)}, {}, ignored);
      core::CatalogDigest digest = gossip.catalog().digest();
      if (i == 4) digest.marks[NodeId("x")] = digest.marks[NodeId("y")] = {1, 7};
      gossip.step(Received{name(i), core::DigestMessage{digest, false}}, {}, ignored);
    }
    std::vector<NodeId> order;
    for (int tick = 1; tick <= 6; ++tick) {
      Actions actions;
      gossip.step(Tick{}, core::Instant{core::seconds(100 * tick)}, actions);
      for (const Action& action : actions) {
        if (const auto* send = std::get_if<Send>(&action)) order.push_back(send->peer);
      }
    }
    ASSERT_EQ(order.size(), 6u);
    EXPECT_EQ(order.front(), name(4)) << seed;
    EXPECT_EQ(std::set<NodeId>(order.begin(), order.end()).size(), 6u) << seed;
  }
}

TEST(Gossip, a_node_that_lost_its_disk_is_heard_again) {
  Net net(2, 7, 0);
  net.nodes[0] = std::make_unique<Gossip>(name(0), 500, core::GossipConfig{}, 1);
  net.connect(0, 1);
  for (int i = 0; i < 5; ++i) net.nodes[0]->assert_own("k" + std::to_string(i), "old");
  net.second();
  net.step(1, LinkDown{name(0)});
  net.links[0].clear();
  net.links[1].clear();
  net.letters.clear();
  net.nodes[0] = std::make_unique<Gossip>(name(0), 3, core::GossipConfig{}, 2);  // clock went back
  net.nodes[0]->assert_own("self", "new life");
  net.connect(0, 1);
  for (int i = 0; i < 3; ++i) net.second();
  ASSERT_NE(net.nodes[1]->catalog().find(name(0), "self"), nullptr);
  EXPECT_EQ(net.nodes[1]->catalog().find(name(0), "k0"), nullptr);
}

TEST(Gossip, is_silent_but_for_digests_when_all_agree) {
  Net net(4, 3, 0);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < i; ++j) net.connect(i, j);
  }
  for (int i = 0; i < 5; ++i) net.second();
  std::size_t letters = 0;
  for (int i = 0; i < 10; ++i) {
    net.now = net.now + core::milliseconds(100);
    for (std::size_t n = 0; n < 4; ++n) net.step(n, Tick{});
    letters += net.letters.size();
    net.deliver_all();
  }
  EXPECT_EQ(letters, 4u);  // one digest each, no answers
}

}  // namespace
}  // namespace syncline::gossip
