#include "membership/members.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "membership/probe_ring.hpp"

namespace syncline::membership {
namespace {

using core::Instant;
using core::MemberState;
using core::NodeId;
using core::Rumour;

Rumour rumour(const std::string& node, MemberState state, std::uint64_t incarnation) {
  return {NodeId(node), state, incarnation, NodeId(node), 0, core::MemberProfile{}};
}

TEST(Members, of_two_rumours_the_higher_incarnation_holds_then_the_worse_state) {
  const MemberState alive = MemberState::kAlive;
  const MemberState suspect = MemberState::kSuspect;
  const MemberState dead = MemberState::kDead;
  const MemberState left = MemberState::kLeft;
  const struct {
    Standing known;
    Standing heard;
    bool takes;
  } kTable[] = {
      {{5, alive}, {5, alive}, false},  {{5, alive}, {5, suspect}, true},
      {{5, alive}, {4, dead}, false},   {{5, suspect}, {5, alive}, false},
      {{5, suspect}, {6, alive}, true}, {{5, suspect}, {5, dead}, true},
      {{5, dead}, {5, alive}, false},   {{5, dead}, {5, suspect}, false},
      {{5, dead}, {6, alive}, true},    {{5, dead}, {5, left}, true},
      {{5, left}, {5, dead}, false},    {{5, left}, {6, alive}, true},
  };
  for (const auto& row : kTable) {
    Members members;
    members.raise(rumour("a", row.known.state, row.known.incarnation), {});
    const Member* taken = members.raise(rumour("a", row.heard.state, row.heard.incarnation), {});
    EXPECT_EQ(taken != nullptr, row.takes)
        << to_string(row.known.state) << " then " << to_string(row.heard.state);
    EXPECT_EQ(members.find(NodeId("a"))->standing, row.takes ? row.heard : row.known);
  }
}

TEST(Members, a_tombstone_is_as_old_as_the_death) {
  Members members;
  Rumour death = rumour("a", MemberState::kDead, 1);
  death.age_s = 3600;
  const Instant now{core::seconds(10)};
  members.raise(death, now);
  EXPECT_EQ(members.find(NodeId("a"))->changed_at, Instant{core::seconds(10 - 3600)});
  EXPECT_EQ(rumour_of(*members.find(NodeId("a")), now + core::seconds(60)).age_s, 3660u);
}

TEST(Members, a_full_table_takes_no_new_node_but_news_of_those_it_has) {
  Members members;
  for (std::size_t i = 0; i < core::kMembersMax; ++i) {
    members.raise(rumour("n" + std::to_string(i), MemberState::kAlive, 1), {});
  }
  EXPECT_EQ(members.raise(rumour("one-more", MemberState::kAlive, 1), {}), nullptr);
  EXPECT_EQ(members.refused(), 1u);
  EXPECT_NE(members.raise(rumour("n7", MemberState::kDead, 1), {}), nullptr);
  EXPECT_EQ(members.here(), core::kMembersMax - 1);
}

// Whatever is heard in whatever order, and however often: the same table.
RC_GTEST_PROP(MembersProperty, the_order_of_rumours_does_not_matter, ()) {
  std::vector<Rumour> heard;
  const int count = *rc::gen::inRange(1, 30);
  for (int i = 0; i < count; ++i) {
    heard.push_back(rumour("n" + std::to_string(*rc::gen::inRange(0, 4)),
                           static_cast<MemberState>(*rc::gen::inRange(0, 4)),
                           *rc::gen::inRange<std::uint64_t>(1, 4)));
  }
  Members one;
  for (const Rumour& each : heard) one.raise(each, {});
  std::vector<Rumour> again = heard;
  again.insert(again.end(), heard.begin(), heard.end());
  Dice(*rc::gen::arbitrary<std::uint64_t>()).shuffle(again);
  Members other;
  for (const Rumour& each : again) other.raise(each, {});

  RC_ASSERT(one.all().size() == other.all().size());
  std::size_t here = 0;
  for (const Member* member : one.all()) {
    const NodeId& node = member->node;
    RC_ASSERT(other.find(node)->standing == member->standing);
    RC_ASSERT((one.gone().count(node) == 1) == member->is_gone());
    RC_ASSERT((one.suspects().count(node) == 1) ==
              (member->standing.state == MemberState::kSuspect));
    here += member->is_here() ? 1 : 0;
  }
  RC_ASSERT(one.here() == here);
  for (const Member* member : one.those_here()) RC_ASSERT(member->is_here());
}

TEST(ProbeRing, asks_each_member_once_per_round_in_an_order_of_its_own) {
  Members members;
  for (int i = 0; i < 20; ++i) members.raise(rumour("n" + std::to_string(i), {}, 1), {});
  Dice dice(7);
  ProbeRing ring(NodeId("n0"));
  std::vector<std::vector<NodeId>> rounds;
  for (int round = 0; round < 3; ++round) {
    std::vector<NodeId> asked;
    for (int i = 1; i < 20; ++i) asked.push_back(*ring.next(members, dice));
    rounds.push_back(asked);
    std::sort(asked.begin(), asked.end());
    EXPECT_EQ(std::unique(asked.begin(), asked.end()), asked.end());
    EXPECT_EQ(std::count(asked.begin(), asked.end(), NodeId("n0")), 0);
  }
  EXPECT_NE(rounds[0], rounds[1]);
}

TEST(ProbeRing, leaves_out_the_gone_and_takes_in_the_new_within_the_round) {
  Members members;
  for (int i = 0; i < 5; ++i) members.raise(rumour("n" + std::to_string(i), {}, 1), {});
  Dice dice(1);
  ProbeRing ring(NodeId("n0"));
  ring.next(members, dice);
  members.raise(rumour("n1", MemberState::kDead, 1), {});
  members.raise(rumour("new", {}, 1), {});
  ring.came(*members.find(NodeId("new")), dice);
  std::set<NodeId> asked;
  for (int i = 0; i < 4; ++i) asked.insert(*ring.next(members, dice));
  EXPECT_EQ(asked.count(NodeId("new")), 1u);
  EXPECT_EQ(asked.count(NodeId("n1")), 0u);
  Members nobody;
  EXPECT_FALSE(ProbeRing(NodeId("n0")).next(nobody, dice).has_value());
}

}  // namespace
}  // namespace syncline::membership
