#include "membership/dissemination.hpp"

#include <gtest/gtest.h>

#include <set>

namespace syncline::membership {
namespace {

using core::MemberState;
using core::NodeId;
using core::Packet;
using core::Rumour;

Rumour rumour(const char* node, MemberState state, std::uint64_t incarnation, const char* from) {
  return {NodeId(node), state, incarnation, NodeId(from), 0, {}};
}
Packet filled(Dissemination& queue, int limit = 100, std::size_t bytes = core::kPacketBytesMax,
              const char* receiver = "receiver") {
  Packet packet{NodeId("me"), core::PacketNews{}, {}};
  queue.fill(packet, NodeId(receiver), bytes, limit);
  return packet;
}

TEST(Dissemination, tells_each_rumour_lambda_times_the_logarithm_of_the_fleet) {
  const struct {
    std::size_t members;
    int limit;
  } kTable[] = {{1, 4},  {2, 4},    {9, 4},    {10, 8},   {50, 8},
                {99, 8}, {100, 12}, {999, 12}, {1000, 16}};
  for (const auto& row : kTable)
    EXPECT_EQ(retransmit_limit(4, row.members), row.limit) << row.members;
  Dissemination queue;
  queue.add(rumour("a", MemberState::kDead, 1, "b"));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(filled(queue, 8).rumours.size(), 1u);
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(filled(queue, 8).rumours.empty());
}

TEST(Dissemination, a_later_rumour_replaces_what_it_overtakes) {
  Dissemination queue;
  queue.add(rumour("a", MemberState::kSuspect, 1, "x"));
  queue.add(rumour("a", MemberState::kSuspect, 1, "y"));  // another voice: both count
  EXPECT_EQ(queue.size(), 2u);
  queue.add(rumour("a", MemberState::kSuspect, 1, "y"));
  EXPECT_EQ(queue.size(), 2u);
  queue.add(rumour("a", MemberState::kAlive, 2, "a"));
  ASSERT_EQ(queue.size(), 1u);
  EXPECT_EQ(filled(queue).rumours[0].state, MemberState::kAlive);
  queue.drop(NodeId("a"));
  EXPECT_TRUE(queue.empty());
}

TEST(Dissemination, those_told_least_go_first_then_the_newest) {
  Dissemination queue;
  queue.add(rumour("old", MemberState::kDead, 1, "x"));
  const std::size_t room_for_one = 1 + 1 + 1 + 2 + 1 + wire_bytes_max(rumour("old", {}, 1, "x"));
  EXPECT_EQ(filled(queue, 9, room_for_one).rumours.at(0).node, NodeId("old"));
  queue.add(rumour("mid", MemberState::kDead, 1, "x"));
  queue.add(rumour("new", MemberState::kDead, 1, "x"));
  EXPECT_EQ(filled(queue, 9, room_for_one).rumours.at(0).node, NodeId("new"));
  EXPECT_EQ(filled(queue, 9, room_for_one).rumours.at(0).node, NodeId("mid"));
  EXPECT_EQ(filled(queue, 9, room_for_one).rumours.at(0).node, NodeId("new"));
}

TEST(Dissemination, a_packet_keeps_its_bound_and_the_rest_waits) {
  Dissemination queue;
  for (int i = 0; i < 500; ++i) {
    queue.add(rumour(("node-" + std::to_string(i)).c_str(), MemberState::kDead, 1, "x"));
  }
  std::set<NodeId> told;
  for (int i = 0; i < 20; ++i) {
    const Packet packet = filled(queue);
    EXPECT_LE(wire_bytes_max(packet), core::kPacketBytesMax);
    EXPECT_LE(packet.rumours.size(), core::kPacketRumoursMax);
    for (const Rumour& each : packet.rumours) told.insert(each.node);
  }
  EXPECT_EQ(told.size(), 500u);
}

TEST(Dissemination, nobody_is_told_of_itself) {
  Dissemination queue;
  queue.add(rumour("receiver", MemberState::kAlive, 1, "receiver"));
  EXPECT_TRUE(filled(queue).rumours.empty());
  EXPECT_EQ(filled(queue, 9, core::kPacketBytesMax, "other").rumours.size(), 1u);
}

}  // namespace
}  // namespace syncline::membership
