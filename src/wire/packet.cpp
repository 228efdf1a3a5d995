#include "wire/packet.hpp"

#include "core/bytes.hpp"

namespace syncline::wire {

using core::ByteReader;
using core::ByteWriter;
using core::MemberProfile;
using core::MemberState;
using core::NodeId;
using core::Rumour;

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kHasProfile = 4;
constexpr std::uint8_t kFromItself = 8;
// The least a rumour takes: bounds a count by what is left to read.
constexpr std::size_t kRumourBytesLeast = 4;

void write(ByteWriter& out, const MemberProfile& profile) {
  out.text(profile.address);
  out.varint(profile.meta.roles.size());
  for (const std::string& role : profile.meta.roles) out.text(role);
  out.text(profile.meta.provider);
  out.text(profile.meta.storage_domain);
  out.varint(profile.meta.free_bytes);
  out.varint(profile.meta.total_bytes);
  out.varint(profile.meta.load_permille);
}

void write(ByteWriter& out, const std::vector<Rumour>& rumours) {
  out.varint(rumours.size());
  for (const Rumour& rumour : rumours) {
    auto head = static_cast<std::uint8_t>(rumour.state);
    if (rumour.profile) head |= kHasProfile;
    if (rumour.from == rumour.node) head |= kFromItself;
    out.u8(head);
    out.text(rumour.node.text);
    out.varint(rumour.incarnation);
    if (rumour.from != rumour.node) out.text(rumour.from.text);
    if (rumour.state >= MemberState::kDead) out.varint(rumour.age_s);
    if (rumour.profile) write(out, *rumour.profile);
  }
}

std::uint32_t read_u32(ByteReader& in) {
  const std::uint64_t value = in.varint();
  if (value > UINT32_MAX) in.fail();
  return static_cast<std::uint32_t>(value);
}

NodeId read_node(ByteReader& in) {
  const std::string_view text = in.text(core::kNodeIdBytesMax);
  if (!core::is_node_id(text)) in.fail();
  return NodeId(text);
}

std::string read_address(ByteReader& in) {
  const std::string_view text = in.text(core::kMemberAddressBytesMax);
  if (!core::is_member_address(text)) in.fail();
  return std::string(text);
}

std::string read_meta_text(ByteReader& in, std::size_t bytes_max) {
  const std::string_view text = in.text(bytes_max);
  if (!core::is_meta_text(text, bytes_max)) in.fail();
  return std::string(text);
}

MemberProfile read_profile(ByteReader& in) {
  MemberProfile profile;
  profile.address = read_address(in);
  const std::uint64_t roles = in.varint();
  if (roles > core::kMetaRolesMax) in.fail();
  for (std::uint64_t i = 0; i < roles && in.ok(); ++i) {
    profile.meta.roles.push_back(read_meta_text(in, core::kMetaRoleBytesMax));
  }
  profile.meta.provider = read_meta_text(in, core::kMetaProviderBytesMax);
  profile.meta.storage_domain = read_meta_text(in, core::kMetaDomainBytesMax);
  profile.meta.free_bytes = in.varint();
  profile.meta.total_bytes = in.varint();
  profile.meta.load_permille = read_u32(in);
  return profile;
}

Rumour read_rumour(ByteReader& in) {
  Rumour rumour;
  const std::uint8_t head = in.u8();
  if (head > (3 | kHasProfile | kFromItself)) in.fail();
  rumour.state = static_cast<MemberState>(head & 3);
  rumour.node = read_node(in);
  rumour.incarnation = in.varint();
  if (rumour.incarnation > core::kIncarnationMax) in.fail();
  rumour.from = (head & kFromItself) != 0 ? rumour.node : read_node(in);
  if ((head & kFromItself) == 0 && rumour.from == rumour.node) in.fail();
  if (rumour.state >= MemberState::kDead) rumour.age_s = read_u32(in);
  if ((head & kHasProfile) != 0) rumour.profile = read_profile(in);
  return rumour;
}

std::vector<Rumour> read_rumours(ByteReader& in, std::size_t count_max) {
  const std::uint64_t count = in.varint();
  if (count > count_max || count > in.left() / kRumourBytesLeast) in.fail();
  std::vector<Rumour> rumours;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) rumours.push_back(read_rumour(in));
  return rumours;
}

struct WriteBody {
  ByteWriter& out;
  void operator()(const core::PacketPing& ping) {
    out.varint(ping.number);
    out.text(ping.target.text);
  }
  void operator()(const core::PacketPingRequest& request) {
    out.varint(request.number);
    out.text(request.target.text);
    out.text(request.address);
  }
  void operator()(const core::PacketAck& ack) { out.varint(ack.number); }
  void operator()(const core::PacketNack& nack) { out.varint(nack.number); }
  void operator()(const core::PacketNews&) {}
};

core::PacketBody read_body(ByteReader& in, std::uint8_t kind) {
  if (kind == 4) return core::PacketNews{};
  const std::uint64_t number = in.varint();
  if (kind == 2) return core::PacketAck{number};
  if (kind == 3) return core::PacketNack{number};
  NodeId target = read_node(in);
  if (kind == 0) return core::PacketPing{number, std::move(target)};
  if (kind != 1) in.fail();
  return core::PacketPingRequest{number, std::move(target), read_address(in)};
}

core::Error corrupt(const char* what) {
  return {core::ErrorKind::kCorrupt, what, ""};
}

}  // namespace

std::string encode_packet(const core::Packet& packet) {
  ByteWriter out;
  out.u8(kVersion);
  out.u8(static_cast<std::uint8_t>(packet.body.index()));
  out.text(packet.from.text);
  std::visit(WriteBody{out}, packet.body);
  write(out, packet.rumours);
  return out.take();
}

core::Result<core::Packet> decode_packet(std::string_view bytes) {
  if (bytes.size() > core::kPacketBytesMax) return corrupt("a membership packet is too long");
  ByteReader in(bytes);
  if (in.u8() != kVersion) return corrupt("a membership packet has an unknown version");
  const std::uint8_t kind = in.u8();
  core::Packet packet;
  packet.from = read_node(in);
  packet.body = read_body(in, kind);
  packet.rumours = read_rumours(in, core::kPacketRumoursMax);
  if (!in.at_end()) return corrupt("a membership packet is damaged");
  return packet;
}

std::string encode_push_pull(const core::PushPull& state) {
  ByteWriter out;
  out.u8(kVersion);
  out.u8(state.wants_answer ? 1 : 0);
  write(out, state.members);
  return out.take();
}

core::Result<core::PushPull> decode_push_pull(std::string_view bytes) {
  if (bytes.size() > core::kPushPullBytesMax) return corrupt("a membership state is too long");
  ByteReader in(bytes);
  if (in.u8() != kVersion) return corrupt("a membership state has an unknown version");
  const std::uint8_t wants_answer = in.u8();
  if (wants_answer > 1) in.fail();
  core::PushPull state;
  state.wants_answer = wants_answer == 1;
  state.members = read_rumours(in, core::kMembersMax);
  if (!in.at_end()) return corrupt("a membership state is damaged");
  return state;
}

}  // namespace syncline::wire
