#include "wire/packet.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::wire {
namespace {

using core::MemberState;
using core::NodeId;
using core::Packet;
using core::Rumour;

std::string any_text(std::string_view letters, std::size_t least, std::size_t most) {
  const auto size = *rc::gen::inRange(least, most + 1);
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += letters[*rc::gen::inRange<std::size_t>(0, letters.size())];
  }
  return text;
}
NodeId any_node() {
  return NodeId(any_text("abcXYZ019._-", 1, core::kNodeIdBytesMax));
}

core::MemberProfile any_profile() {
  core::MemberProfile profile;
  profile.address = any_text("0123456789.:[]abc", 0, core::kMemberAddressBytesMax);
  const auto roles = *rc::gen::inRange<std::size_t>(0, core::kMetaRolesMax + 1);
  for (std::size_t i = 0; i < roles; ++i) {
    profile.meta.roles.push_back(any_text("selfplay ", 0, core::kMetaRoleBytesMax));
  }
  profile.meta.provider = any_text("vast", 0, core::kMetaProviderBytesMax);
  profile.meta.storage_domain = any_text("nfs:/export\xc3\xa9", 0, core::kMetaDomainBytesMax);
  profile.meta.free_bytes = *rc::gen::arbitrary<std::uint64_t>();
  profile.meta.total_bytes = *rc::gen::arbitrary<std::uint64_t>();
  profile.meta.load_permille = *rc::gen::arbitrary<std::uint32_t>();
  return profile;
}

Rumour any_rumour() {
  Rumour rumour;
  rumour.node = any_node();
  rumour.state = static_cast<MemberState>(*rc::gen::inRange(0, 4));
  rumour.incarnation = *rc::gen::inRange<std::uint64_t>(0, core::kIncarnationMax + 1);
  rumour.from = *rc::gen::arbitrary<bool>() ? rumour.node : any_node();
  if (rumour.state >= MemberState::kDead) rumour.age_s = *rc::gen::arbitrary<std::uint32_t>();
  if (*rc::gen::arbitrary<bool>()) rumour.profile = any_profile();
  return rumour;
}

core::PacketBody any_body() {
  const auto number = *rc::gen::arbitrary<std::uint64_t>();
  switch (*rc::gen::inRange(0, 5)) {
    case 0:
      return core::PacketPing{number, any_node()};
    case 1:
      return core::PacketPingRequest{number, any_node(), any_text("1.:x", 0, 200)};
    case 2:
      return core::PacketAck{number};
    case 3:
      return core::PacketNack{number};
    default:
      return core::PacketNews{};
  }
}

// As membership fills one: as much as fits.
Packet any_packet() {
  Packet packet{any_node(), any_body(), {}};
  const auto wanted = *rc::gen::inRange(0, 8);
  for (int i = 0; i < wanted; ++i) {
    Rumour rumour = any_rumour();
    if (wire_bytes_max(packet) + wire_bytes_max(rumour) > core::kPacketBytesMax) break;
    packet.rumours.push_back(std::move(rumour));
  }
  return packet;
}

RC_GTEST_PROP(PacketProperty, comes_back_as_it_was_sent_and_keeps_its_bound, ()) {
  const Packet packet = any_packet();
  const std::string bytes = encode_packet(packet);
  RC_ASSERT(bytes.size() <= wire_bytes_max(packet));
  const auto back = decode_packet(bytes);
  RC_ASSERT(back.ok());
  RC_ASSERT(*back == packet);
}

RC_GTEST_PROP(PacketProperty, a_cut_packet_is_refused, ()) {
  const std::string bytes = encode_packet(any_packet());
  const auto cut = *rc::gen::inRange<std::size_t>(0, bytes.size());
  RC_ASSERT(!decode_packet(std::string_view(bytes).substr(0, cut)).ok());
  RC_ASSERT(!decode_packet(bytes + '\0').ok());
}

RC_GTEST_PROP(PacketProperty, no_bytes_crash_it_and_what_is_read_has_one_form, ()) {
  std::string bytes = encode_packet(any_packet());
  const int edits = *rc::gen::inRange(1, 6);
  for (int i = 0; i < edits; ++i) {
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  }
  const auto back = decode_packet(bytes);
  if (back.ok()) RC_ASSERT(encode_packet(*back) == bytes);
}

RC_GTEST_PROP(PushPullProperty, comes_back_as_it_was_sent, ()) {
  core::PushPull state;
  state.wants_answer = *rc::gen::arbitrary<bool>();
  const auto count = *rc::gen::inRange(0, 20);
  for (int i = 0; i < count; ++i) state.members.push_back(any_rumour());
  const std::string bytes = encode_push_pull(state);
  const auto back = decode_push_pull(bytes);
  RC_ASSERT(back.ok());
  RC_ASSERT(*back == state);
  const auto cut = *rc::gen::inRange<std::size_t>(0, bytes.size());
  RC_ASSERT(!decode_push_pull(std::string_view(bytes).substr(0, cut)).ok());
}

TEST(Packet, the_longest_news_of_one_node_fits_with_the_longest_question) {
  Rumour rumour;
  rumour.node = NodeId(std::string(core::kNodeIdBytesMax, 'n'));
  rumour.from = NodeId(std::string(core::kNodeIdBytesMax, 'f'));
  core::MemberProfile profile;
  profile.address = std::string(core::kMemberAddressBytesMax, '1');
  profile.meta.roles.assign(core::kMetaRolesMax, std::string(core::kMetaRoleBytesMax, 'r'));
  profile.meta.provider = std::string(core::kMetaProviderBytesMax, 'p');
  profile.meta.storage_domain = std::string(core::kMetaDomainBytesMax, 's');
  rumour.profile = profile;
  const Packet packet{rumour.node, core::PacketPing{1, rumour.node}, {rumour}};
  EXPECT_LE(wire_bytes_max(packet), core::kPacketBytesMax);
}

TEST(Packet, a_count_that_its_bytes_cannot_hold_is_refused_before_anything_is_allocated) {
  core::PushPull state;
  std::string bytes = encode_push_pull(state);
  bytes.back() = '\x7f';  // 127 rumours in no bytes
  EXPECT_FALSE(decode_push_pull(bytes).ok());
  EXPECT_FALSE(decode_packet(std::string(core::kPacketBytesMax + 1, '\1')).ok());
}

TEST(Packet, refuses_names_and_addresses_that_could_not_be_ours) {
  Packet packet{NodeId("a b"), core::PacketNews{}, {}};
  EXPECT_FALSE(decode_packet(encode_packet(packet)).ok());
  packet = {NodeId("a"), core::PacketPingRequest{1, NodeId("b"), "host\n:1"}, {}};
  EXPECT_FALSE(decode_packet(encode_packet(packet)).ok());
  packet = {NodeId("a"), core::PacketNews{}, {{NodeId("b"), {}, ~0ull, NodeId("b"), 0, {}}}};
  EXPECT_FALSE(decode_packet(encode_packet(packet)).ok());
}

}  // namespace
}  // namespace syncline::wire
