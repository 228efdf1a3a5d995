// Conversations about everything but probes.
#include "membership/test_script.hpp"

namespace syncline::membership {
namespace {

using namespace script;

TEST(Membership, a_replayed_packet_changes_nothing) {
  Script script({"b", "c", "d"});
  const SendPacket ping = script.next_probe();
  const std::string target = ping.node.text;
  script.says(target, PacketAck{number_of(ping)});
  script.hears({claim("c", MemberState::kSuspect, 1, "b")}, "b");
  script.hears({alive("c", 2), claim("d", MemberState::kDead, 1, "b")}, "b");
  const auto standing = [&](const char* node) { return script.member(node).standing; };
  const Standing c = standing("c");
  const Standing d = standing("d");
  const int score = script.a.awareness().score();
  const std::size_t news = script.a.news();
  script.out.clear();
  for (int i = 0; i < 3; ++i) {
    script.says(target, PacketAck{number_of(ping)});
    script.hears({claim("c", MemberState::kSuspect, 1, "b")}, "b");
    script.hears({alive("c", 2), claim("d", MemberState::kDead, 1, "b"), alive("d", 1)}, "b");
  }
  EXPECT_EQ(standing("c"), c);
  EXPECT_EQ(standing("d"), d);
  EXPECT_EQ(script.a.awareness().score(), score);
  EXPECT_EQ(script.a.news(), news);
  EXPECT_TRUE(script.out.empty());
  script.hears({claim("c", MemberState::kSuspect, core::kIncarnationMax + 1, "b")}, "b");
  EXPECT_EQ(standing("c"), c);
}

TEST(Membership, time_that_runs_backwards_stands_still) {
  Script script({"b", "c"});
  script.hears({claim("c", MemberState::kSuspect, 1, "b")}, "b");
  const Instant wake = *script.a.next_wake();
  script.a.step(Tick{}, Instant{seconds(1)}, script.out);
  EXPECT_GE(*script.a.next_wake(), wake);
  EXPECT_EQ(script.member("c").changed_at, script.now);
}

TEST(Membership, a_stranger_is_asked_for_what_it_knows_but_not_for_each_packet) {
  Script script({"b"});
  for (int i = 0; i < 5; ++i) script.says("stranger", PacketPing{1, NodeId("a")});
  EXPECT_EQ(script.sent<PacketAck>().size(), 5u);
  const auto exchanges = script.all<ExchangeState>();
  ASSERT_EQ(exchanges.size(), 1u);
  EXPECT_EQ(exchanges[0].node, NodeId("stranger"));
  EXPECT_EQ(exchanges[0].address, address_of("stranger"));
  EXPECT_TRUE(exchanges[0].state.wants_answer);
  EXPECT_EQ(exchanges[0].state.members.size(), 2u);
  script.out.clear();
  script.does(StateReceived{NodeId("stranger"), {false, {alive("stranger", 7)}}});
  EXPECT_EQ(script.all<MemberChanged>().at(0).why, "joined");
  EXPECT_TRUE(script.all<ExchangeState>().empty());  // it was the answer
}

TEST(Membership, in_an_exchange_the_dead_are_doubted_and_the_left_believed) {
  Script script({"b", "c", "d"});
  script.does(StateReceived{
      NodeId("b"),
      {true,
       {alive("b", 1), claim("c", MemberState::kDead, 1, "b"),
        claim("d", MemberState::kLeft, 1, "d"), claim("x", MemberState::kDead, 1, "b")}}});
  EXPECT_EQ(script.member("c").standing.state, MemberState::kSuspect);
  EXPECT_EQ(script.member("d").standing.state, MemberState::kLeft);
  EXPECT_EQ(script.member("x").standing.state, MemberState::kDead);  // a tombstone it lacked
  const auto answers = script.all<ExchangeState>();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_FALSE(answers[0].state.wants_answer);
  EXPECT_EQ(answers[0].state.members.size(), 5u);
}

TEST(Membership, a_member_taken_for_dead_that_speaks_is_told_and_both_catch_up) {
  Script script({"b", "c"});
  script.hears({claim("c", MemberState::kDead, 1, "b")}, "b");
  script.out.clear();
  script.says("c", PacketPing{9, NodeId("a")});
  EXPECT_EQ(script.sent<PacketAck>().at(0).packet.rumours.at(0).state, MemberState::kDead);
  EXPECT_TRUE(script.all<ExchangeState>().empty());
  script.says("c", PacketPing{10, NodeId("a")}, {alive("c", 2)});
  EXPECT_EQ(script.all<MemberChanged>().at(0).why, "is back, with a new incarnation");
  ASSERT_EQ(script.all<ExchangeState>().size(), 1u);
  EXPECT_EQ(script.all<ExchangeState>()[0].node, NodeId("c"));
}

TEST(Membership, alone_it_knocks_at_its_contacts_ever_more_slowly) {
  Membership a(NodeId("a"), 1, {}, Settings{}, 3);
  Actions out;
  Instant now{};
  a.step(AddressLearned{{}, "seed:1"}, now, out);
  a.step(AddressLearned{{}, "seed:1"}, now, out);
  std::vector<double> knocks;
  while (knocks.size() < 8) {
    now = std::max(now, *a.next_wake());
    a.step(Tick{}, now, out);
    for (const Action& action : out) {
      if (std::holds_alternative<ExchangeState>(action))
        knocks.push_back(core::to_seconds(now.since_start));
    }
    out.clear();
  }
  EXPECT_EQ(knocks, (std::vector<double>{0, 1, 3, 7, 15, 31, 61, 91}));
  a.step(StateReceived{NodeId("b"), {false, {alive("b", 1)}}}, now, out);
  out.clear();
  a.step(Tick{}, *a.next_wake(), out);
  for (const Action& action : out) {
    const auto* exchange = std::get_if<ExchangeState>(&action);
    if (exchange != nullptr) {
      EXPECT_EQ(exchange->node, NodeId("b"));
    }
  }
}

TEST(Membership, leaving_it_insists_and_then_may_stop) {
  Script script({"b", "c", "d"});
  script.does(Leave{});
  script.hears({claim("a", MemberState::kSuspect, 12, "b")}, "b");
  script.says("c", PacketPing{1, NodeId("a")});
  const Packet packet = script.sent<PacketAck>().at(0).packet;
  EXPECT_EQ(packet.rumours.at(0), claim("a", MemberState::kLeft, 13, "a"));
  script.pass(seconds(5));
  EXPECT_EQ(script.all<LeaveTold>().size(), 1u);
  EXPECT_FALSE(script.a.next_wake().has_value());
  script.out.clear();
  script.says("c", PacketPing{1, NodeId("a")});
  EXPECT_TRUE(script.out.empty());
}

TEST(Membership, a_leave_with_nobody_there_is_told_at_once) {
  Membership a(NodeId("a"), 1, {}, Settings{}, 3);
  Actions out;
  a.step(Leave{}, Instant{}, out);
  a.step(Tick{}, *a.next_wake(), out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<LeaveTold>(out[0]));
}

TEST(Membership, a_member_that_moved_is_asked_at_its_new_address) {
  Script script({"b"});
  Rumour moved = alive("b", 2);
  core::MemberProfile profile = *moved.profile;
  profile.address = "elsewhere:1";
  moved.profile = profile;
  script.hears({moved}, "b");
  const SendPacket ping = script.next_probe();
  EXPECT_EQ(ping.address, "elsewhere:1");
  script.says("b", PacketAck{number_of(ping)});
  // Behind NAT it says none: it is asked where its packets come from.
  moved.incarnation = 3;
  profile.address.clear();
  moved.profile = profile;
  script.does(PacketReceived{"nat:4242", {NodeId("b"), PacketNews{}, {moved}}});
  EXPECT_EQ(script.next_probe().address, "nat:4242");
}

}  // namespace
}  // namespace syncline::membership
