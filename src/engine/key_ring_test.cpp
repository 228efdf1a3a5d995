#include "engine/key_ring.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::engine {
namespace {

using core::FleetKey;
using core::Instant;
using core::NodeId;
using core::seconds;

FleetKey key(std::uint64_t epoch, char byte) {
  return {epoch, std::string(core::kFleetKeyBytes, byte)};
}

// Nodes whose links always stand; what one asks is carried out at once, or later.
struct Fleet {
  explicit Fleet(int count) {
    for (int i = 0; i < count; ++i) {
      const NodeId id("n" + std::to_string(i));
      rings.emplace(id, KeyRing({key(0, 'a')}));
      told[id] = parse_key_ids(rings.at(id).fact());
      sealing[id] = key(0, 'a');
      opening[id] = {key(0, 'a')};
    }
  }
  void carry_out(const NodeId& id, const Actions& actions) {
    for (const Action& action : actions) {
      if (const auto* send = std::get_if<Send>(&action)) {
        if (away.count(send->peer) > 0) continue;
        Actions out;
        rings.at(send->peer).received(std::get<FleetKey>(send->message), out);
        carry_out(send->peer, out);
      } else if (const auto* keep = std::get_if<KeepKeys>(&action)) {
        sealing[id] = keep->keys.at(keep->sealing);
        opening[id] = keep->keys;
        rings.at(id).kept({keep->keys});
        told[id] = parse_key_ids(rings.at(id).fact());
      }
    }
  }
  void plan(const NodeId& id) {
    std::set<NodeId> live;
    std::set<NodeId> linked;
    for (const auto& [node, ring] : rings) {
      if (away.count(node) > 0) continue;
      live.insert(node);
      if (node != id) linked.insert(node);
    }
    Actions out;
    rings.at(id).plan(told, live, linked, now, out);
    carry_out(id, out);
  }
  void plan_all() {
    for (const auto& [id, ring] : rings) {
      if (away.count(id) == 0) plan(id);
    }
    now = now + seconds(6);
  }
  bool can_all_open_each_other() const {
    for (const auto& [from, seals] : sealing) {
      for (const auto& [to, opens] : opening) {
        if (away.count(from) + away.count(to) > 0) continue;
        if (std::find(opens.begin(), opens.end(), seals) == opens.end()) return false;
      }
    }
    return true;
  }
  std::map<NodeId, KeyRing> rings;
  std::map<NodeId, std::set<std::string>> told;
  std::map<NodeId, FleetKey> sealing;
  std::map<NodeId, std::vector<FleetKey>> opening;
  std::set<NodeId> away;
  Instant now;
};

TEST(KeyRing, a_new_key_seals_once_every_live_node_has_it) {
  Fleet fleet(4);
  const NodeId first("n0");
  Actions out;
  fleet.rings.at(first).made(key(7, 'b'), out);
  fleet.carry_out(first, out);
  EXPECT_EQ(fleet.sealing.at(first), key(0, 'a')) << "the others cannot open it yet";
  fleet.plan_all();
  EXPECT_TRUE(fleet.can_all_open_each_other());
  fleet.plan_all();
  for (const auto& [id, seals] : fleet.sealing) EXPECT_EQ(seals, key(7, 'b')) << id.text;
  EXPECT_TRUE(fleet.can_all_open_each_other());
}

TEST(KeyRing, waits_for_a_live_node_and_not_for_one_that_is_gone) {
  Fleet fleet(3);
  const NodeId first("n0");
  const NodeId last("n2");
  fleet.away = {last};
  Actions out;
  fleet.rings.at(first).made(key(7, 'b'), out);
  fleet.carry_out(first, out);
  fleet.plan_all();
  fleet.plan_all();
  EXPECT_EQ(fleet.sealing.at(first), key(7, 'b'));
  fleet.away.clear();  // it is back, with the older key only
  EXPECT_TRUE(fleet.can_all_open_each_other() || fleet.opening.at(first).back() == key(0, 'a'));
  fleet.plan_all();
  fleet.plan_all();
  EXPECT_EQ(fleet.sealing.at(last), key(7, 'b'));
  EXPECT_TRUE(fleet.can_all_open_each_other());
}

// Whoever makes keys, however many, in whatever order nodes get their turn: at every moment each
// can open what the others seal, and in the end all seal with one key.
RC_GTEST_PROP(KeyRing, nobody_is_ever_shut_out, ()) {
  const int count = *rc::gen::inRange(2, 6);
  Fleet fleet(count);
  const auto turns = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, count * 4));
  char byte = 'b';
  for (const int turn : turns) {
    const NodeId id("n" + std::to_string(turn % count));
    if (turn < count && byte < 'h') {
      // A person waits until the last rotation is over before the next.
      bool is_rotating = false;
      for (const auto& [node, ring] : fleet.rings) is_rotating |= ring.is_rotating();
      if (is_rotating) continue;
      Actions out;
      fleet.rings.at(id).made(key(5, byte++), out);
      fleet.carry_out(id, out);
    } else {
      fleet.plan(id);
      fleet.now = fleet.now + seconds(6);
    }
    RC_ASSERT(fleet.can_all_open_each_other());
  }
  for (int i = 0; i < 4; ++i) fleet.plan_all();
  const FleetKey one = fleet.sealing.begin()->second;
  for (const auto& [id, seals] : fleet.sealing) RC_ASSERT(seals == one);
}

TEST(KeyRing, two_keys_made_at_once_end_in_one) {
  Fleet fleet(4);
  for (const auto& [id, byte] : {std::pair(NodeId("n0"), 'b'), std::pair(NodeId("n3"), 'c')}) {
    Actions out;
    fleet.rings.at(id).made(key(7, byte), out);
    fleet.carry_out(id, out);
  }
  for (int i = 0; i < 4; ++i) fleet.plan_all();
  for (const auto& [id, seals] : fleet.sealing) EXPECT_EQ(seals, key(7, 'c')) << id.text;
}

TEST(KeyRing, of_an_engine_without_keys_does_nothing) {
  KeyRing ring({});
  Actions out;
  ring.received(key(3, 'x'), out);
  ring.made(key(3, 'x'), out);
  ring.plan({}, {NodeId("n0")}, {NodeId("n0")}, {}, out);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(ring.fact(), "");
}

}  // namespace
}  // namespace syncline::engine
