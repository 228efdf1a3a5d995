// Conversations about who is there.
#include "membership/test_script.hpp"

namespace syncline::membership {
namespace {

using namespace script;

TEST(Membership, a_member_that_answers_is_left_in_peace) {
  Script script({"b", "c", "d"});
  const SendPacket ping = script.next_probe();
  EXPECT_EQ(ping.address, address_of(ping.node.text));
  script.says(ping.node.text, PacketAck{number_of(ping)});
  script.out.clear();
  script.pass(milliseconds(900));
  EXPECT_TRUE(script.sent<PacketPingRequest>().empty());
  EXPECT_TRUE(script.all<MemberChanged>().empty());
}

TEST(Membership, without_an_answer_others_are_asked_and_the_link_then_it_is_suspect) {
  Script script({"b", "c", "d", "e", "f"});
  const SendPacket ping = script.next_probe();
  const std::string target = ping.node.text;
  script.out.clear();
  script.pass(milliseconds(499));
  EXPECT_TRUE(script.out.empty());
  script.pass(milliseconds(1));
  const auto requests = script.sent<PacketPingRequest>();
  ASSERT_EQ(requests.size(), 3u);
  std::set<NodeId> helpers;
  for (const SendPacket& request : requests) {
    helpers.insert(request.node);
    const auto& body = std::get<PacketPingRequest>(request.packet.body);
    EXPECT_EQ(body.target, ping.node);
    EXPECT_EQ(body.number, number_of(ping));
    EXPECT_EQ(body.address, address_of(target));
  }
  EXPECT_EQ(helpers.size(), 3u);
  EXPECT_EQ(helpers.count(ping.node), 0u);
  ASSERT_EQ(script.sent<PacketPing>().size(), 1u);  // over the link
  EXPECT_EQ(script.sent<PacketPing>()[0].address, "");

  script.out.clear();
  script.pass(milliseconds(501));
  const auto changes = script.all<MemberChanged>();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].node, ping.node);
  EXPECT_EQ(changes[0].state, MemberState::kSuspect);
  EXPECT_EQ(changes[0].why, "gives no answer");
  EXPECT_EQ(script.a.counts().accusations, 1u);
}

TEST(Membership, an_ack_through_a_helper_is_an_answer) {
  Script script({"b", "c", "d"});
  const SendPacket ping = script.next_probe();
  script.pass(milliseconds(500));
  const NodeId helper = script.sent<PacketPingRequest>().at(0).node;
  script.says(helper.text, PacketAck{number_of(ping)});
  script.pass(milliseconds(600));
  EXPECT_EQ(script.member(ping.node.text).standing.state, MemberState::kAlive);
  EXPECT_EQ(script.a.awareness().score(), 0);
}

TEST(Membership, missing_nacks_make_it_doubt_itself_more) {
  for (const bool do_helpers_answer : {true, false}) {
    Script script({"b", "c", "d", "e"});
    const SendPacket ping = script.next_probe();
    script.pass(milliseconds(500));
    for (const SendPacket& request : script.sent<PacketPingRequest>()) {
      if (do_helpers_answer) script.says(request.node.text, PacketNack{number_of(ping)});
    }
    script.pass(milliseconds(501));
    EXPECT_EQ(script.a.awareness().score(), do_helpers_answer ? 1 : 2);
  }
}

TEST(Membership, the_suspect_hears_it_first_of_all_and_its_refutation_ends_it) {
  Script script({"b", "c", "d"});
  script.hears({claim("c", MemberState::kSuspect, 1, "b")}, "b");
  script.out.clear();
  script.says("c", PacketPing{77, NodeId("a")});
  const auto acks = script.sent<PacketAck>();
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].packet.rumours.at(0), claim("c", MemberState::kSuspect, 1, "b"));
  script.out.clear();
  script.hears({alive("c", 2)}, "d");
  ASSERT_EQ(script.all<MemberChanged>().size(), 1u);
  EXPECT_EQ(script.all<MemberChanged>()[0].why, "refuted the suspicion");
  script.hears({claim("c", MemberState::kSuspect, 1, "d"), claim("c", MemberState::kDead, 1, "d")},
               "d");
  EXPECT_EQ(script.member("c").standing.state, MemberState::kAlive);
}

TEST(Membership, an_unanswered_suspicion_becomes_a_death_sooner_with_confirmations) {
  const auto dies_after = [](int confirmations) {
    Script script({"b", "c", "d", "e", "f", "g", "h", "i", "j"});
    script.hears({claim("c", MemberState::kSuspect, 1, "b")}, "b");
    const std::vector<std::string> voices = {"d", "e", "f"};
    for (int i = 0; i < confirmations; ++i) {
      const std::string& voice = voices[static_cast<std::size_t>(i)];
      script.hears({claim("c", MemberState::kSuspect, 1, voice)}, voice);
    }
    const Instant began = script.now;
    while (script.member("c").standing.state == MemberState::kSuspect) {
      script.pass(milliseconds(1));
      const auto pings = script.sent<PacketPing>();
      for (const SendPacket& ping : pings) {  // all but c answer, so that a does not confirm
        script.says(ping.node.text, PacketAck{number_of(ping)});
      }
      script.out.clear();
    }
    return core::to_seconds(script.now - began);
  };
  EXPECT_NEAR(dies_after(0), 24, 0.01);
  EXPECT_NEAR(dies_after(1), 14, 0.01);  // 24 − 20 · log4(2)
  EXPECT_NEAR(dies_after(3), 4, 0.01);
}

// The refutation reached everybody but this one.
TEST(Membership, before_it_buries_a_suspect_it_asks_it_once_more) {
  Script script({"b", "c", "d"});
  script.hears({claim("c", MemberState::kSuspect, 1, "b")}, "b");
  const auto pings_to_c = [&] {
    std::vector<SendPacket> pings;
    for (const SendPacket& ping : script.sent<PacketPing>()) {
      if (ping.node == NodeId("c") && !ping.address.empty()) pings.push_back(ping);
    }
    return pings;
  };
  while (!script.member("c").suspicion->is_asked()) {
    script.out.clear();
    script.pass(milliseconds(50));
    ASSERT_EQ(script.member("c").standing.state, MemberState::kSuspect);
  }
  EXPECT_GE(script.member("c").suspicion->deadline() - script.now, milliseconds(900));
  ASSERT_GE(pings_to_c().size(), 1u);
  EXPECT_EQ(pings_to_c()[0].packet.rumours.at(0).state, MemberState::kSuspect) << "with the charge";
  script.says("c", PacketAck{number_of(pings_to_c()[0])}, {alive("c", 2)});
  script.pass(seconds(2));
  EXPECT_NE(script.member("c").standing.state, MemberState::kDead);
  EXPECT_EQ(script.member("c").standing.incarnation, 2u);
}

TEST(Membership, accused_itself_it_answers_with_a_higher_incarnation_in_the_same_packet) {
  for (const MemberState accused :
       {MemberState::kSuspect, MemberState::kDead, MemberState::kLeft}) {
    Script script({"b", "c"});
    script.says("b", PacketPing{5, NodeId("a")}, {claim("a", accused, 10, "c")});
    const auto acks = script.sent<PacketAck>();
    ASSERT_EQ(acks.size(), 1u);
    EXPECT_EQ(std::get<PacketAck>(acks[0].packet.body).number, 5u);
    ASSERT_EQ(acks[0].packet.rumours.size(), 1u);
    EXPECT_EQ(acks[0].packet.rumours[0], alive("a", 11));
    EXPECT_EQ(script.a.awareness().score(), 1);
    EXPECT_EQ(script.a.counts().refutations, 1u);
  }
}

TEST(Membership, accused_of_an_earlier_life_it_tells_of_this_one_again) {
  Script script({"b", "c"});
  script.says("b", PacketPing{1, NodeId("a")}, {claim("a", MemberState::kDead, 9, "c")});
  EXPECT_EQ(script.a.self().standing.incarnation, 10u);  // nothing is to be outbid
  EXPECT_EQ(script.a.awareness().score(), 0);
  const auto acks = script.sent<PacketAck>();
  ASSERT_EQ(acks.size(), 1u);
  ASSERT_EQ(acks[0].packet.rumours.size(), 1u);
  EXPECT_EQ(acks[0].packet.rumours[0].node, NodeId("a"));
  EXPECT_EQ(acks[0].packet.rumours[0].state, MemberState::kAlive);
  EXPECT_EQ(acks[0].packet.rumours[0].incarnation, 10u);
}

TEST(Membership, a_suspect_whose_link_came_up_is_asked_at_once) {
  Script script({"b", "c"});
  script.hears({claim("c", MemberState::kSuspect, 1, "b")}, "b");
  script.out.clear();
  script.does(AddressLearned{NodeId("c"), address_of("c")});
  const auto pings = script.sent<PacketPing>();
  ASSERT_EQ(pings.size(), 1u);
  ASSERT_EQ(pings[0].packet.rumours.size(), 1u);
  EXPECT_EQ(pings[0].packet.rumours[0].state, MemberState::kSuspect);
}

TEST(Membership, a_later_life_of_its_own_is_outbid) {
  Script script({"b", "c"});
  script.hears({alive("a", 500)}, "b");
  EXPECT_EQ(script.a.self().standing.incarnation, 501u);
  EXPECT_EQ(script.a.awareness().score(), 0);  // nobody accused it
}

TEST(Membership, asked_to_try_it_tries_and_passes_the_answer_on) {
  Script script({"b", "c", "d"});
  script.says("b", PacketPingRequest{42, NodeId("c"), "stale:1"});
  const auto pings = script.sent<PacketPing>();
  ASSERT_EQ(pings.size(), 1u);
  EXPECT_EQ(pings[0].address, address_of("c"));  // it knows better
  script.out.clear();
  script.says("c", PacketAck{number_of(pings[0])});
  const auto acks = script.sent<PacketAck>();
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].node, NodeId("b"));
  EXPECT_EQ(std::get<PacketAck>(acks[0].packet.body).number, 42u);
}

TEST(Membership, asked_to_try_in_vain_it_says_so_in_time) {
  Script script({"b", "c", "d"});
  const Instant asked = script.now;
  script.says("b", PacketPingRequest{42, NodeId("x"), "host-x:1"});
  EXPECT_EQ(script.sent<PacketPing>().at(0).address, "host-x:1");
  while (script.sent<PacketNack>().empty()) script.pass(milliseconds(1));
  EXPECT_EQ(script.now - asked, milliseconds(400));
  EXPECT_EQ(script.sent<PacketNack>()[0].node, NodeId("b"));
  // A late answer still goes on.
  const std::uint64_t number = number_of(script.sent<PacketPing>()[0]);
  script.out.clear();
  script.says("x", PacketAck{number});
  EXPECT_EQ(script.sent<PacketAck>().size(), 1u);
}

TEST(Membership, a_ping_for_somebody_else_gets_no_answer) {
  Script script({"b", "c"});
  script.says("b", PacketPing{5, NodeId("previous-owner")});
  EXPECT_TRUE(script.sent<PacketAck>().empty());
}

}  // namespace
}  // namespace syncline::membership
