// What membership says, as values: datagrams, the rumours that ride on them, and the full exchange
// that goes over a link. wire/packet.hpp turns them into bytes and back.
//
// An incarnation numbers what a node says of itself; only the node raises its own. Of two
// rumours about one node the one with the higher (incarnation, state) holds, in that order, so the
// order of arrival, doubles and losses do not matter.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/ids.hpp"

namespace syncline::core {

// At one incarnation, later in this list wins over earlier. The numbers are on the wire.
enum class MemberState : std::uint8_t {
  kAlive = 0,
  kSuspect = 1,  // somebody got no answer; the node may still refute it
  kDead = 2,     // nobody refuted in time
  kLeft = 3,     // it said so itself
};
inline const char* to_string(MemberState state) {
  constexpr const char* kNames[] = {"alive", "suspect", "dead", "left"};
  return kNames[static_cast<std::size_t>(state)];
}

// What others want to know before they talk to a node. The catalog has more of it, and fresher.
struct NodeMeta {
  std::vector<std::string> roles;
  std::string provider;
  std::string storage_domain;
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::uint32_t load_permille = 0;  // load average per processor; 1000 = all are busy
  bool operator==(const NodeMeta&) const = default;
};

// What a node says of itself under one incarnation.
struct MemberProfile {
  std::string address;  // "host:port" of its peer port; empty: reached over its links only
  NodeMeta meta;
  bool operator==(const MemberProfile&) const = default;
};

// A profile that many hold and nobody changes: each table of members has it, and each packet that
// tells of it. Threads: copies may be used on different ones.
class SharedProfile {
 public:
  SharedProfile() = default;            // none
  SharedProfile(MemberProfile profile)  // NOLINT: one is the other
      : profile_(std::make_shared<const MemberProfile>(std::move(profile))) {}
  explicit operator bool() const { return profile_ != nullptr; }
  const MemberProfile& operator*() const { return *profile_; }
  const MemberProfile* operator->() const { return profile_.get(); }
  void reset() { profile_.reset(); }
  bool operator==(const SharedProfile& other) const {
    if (profile_ == other.profile_) return true;
    return profile_ && other.profile_ && *profile_ == *other.profile_;
  }

 private:
  std::shared_ptr<const MemberProfile> profile_;
};
// Of a node that nobody has told anything about but its name.
inline const SharedProfile& empty_profile() {
  static const SharedProfile kEmpty{MemberProfile{}};
  return kEmpty;
}

struct Rumour {
  NodeId node;
  MemberState state = MemberState::kAlive;
  std::uint64_t incarnation = 0;
  NodeId from;              // who suspects or buried it; the node itself for alive and left
  std::uint32_t age_s = 0;  // dead, left: for so long already, so that tombstones expire together
  SharedProfile profile;    // always with alive
  bool operator==(const Rumour&) const = default;
};

// "Are you there?" `target` is who the sender thinks it talks to: somebody else does not answer.
struct PacketPing {
  std::uint64_t number = 0;
  NodeId target;
  bool operator==(const PacketPing&) const = default;
};
// "I got no answer from target: try for me."
struct PacketPingRequest {
  std::uint64_t number = 0;
  NodeId target;
  std::string address;
  bool operator==(const PacketPingRequest&) const = default;
};
struct PacketAck {
  std::uint64_t number = 0;
  bool operator==(const PacketAck&) const = default;
};
// "I am here, but the target has not answered me either." (Lifeguard: tells a slow asker from a
// dead target.)
struct PacketNack {
  std::uint64_t number = 0;
  bool operator==(const PacketNack&) const = default;
};
struct PacketNews {  // only rumours
  bool operator==(const PacketNews&) const = default;
};
using PacketBody = std::variant<PacketPing, PacketPingRequest, PacketAck, PacketNack, PacketNews>;

struct Packet {
  NodeId from;
  PacketBody body;
  std::vector<Rumour> rumours;
  bool operator==(const Packet&) const = default;
};

// Everything one node knows of members, to be joined by another. Over a link, never a datagram.
struct PushPull {
  bool wants_answer = false;
  std::vector<Rumour> members;
  bool operator==(const PushPull&) const = default;
};

// ── bounds: on the wire and in memory ──
// An IPv6 path carries 1280 bytes for certain, and so do the usual overlay networks: less 48 of IP
// and UDP, less what sealing adds (net/sealed_udp.hpp), nothing is ever cut into fragments.
inline constexpr std::size_t kPacketBytesMax = 1190;
inline constexpr std::size_t kPacketRumoursMax = 64;
inline constexpr std::size_t kPushPullBytesMax = 4u << 20;
inline constexpr std::size_t kMembersMax = 10'000;
// They begin at the wall clock in milliseconds (2^41) and rise by one: no honest one gets here.
inline constexpr std::uint64_t kIncarnationMax = std::uint64_t{1} << 62;
inline constexpr std::size_t kNodeIdBytesMax = 64;
inline constexpr std::size_t kMemberAddressBytesMax = 200;
inline constexpr std::size_t kMetaRolesMax = 8;
inline constexpr std::size_t kMetaRoleBytesMax = 32;
inline constexpr std::size_t kMetaProviderBytesMax = 32;
inline constexpr std::size_t kMetaDomainBytesMax = 128;

// Upper bounds of what wire/packet.cpp makes of them; its test holds them to it.
inline std::size_t wire_bytes_max(const Rumour& rumour) {
  std::size_t bytes = 1 + 1 + rumour.node.text.size() + 10 + 1 + rumour.from.text.size() + 5;
  if (rumour.profile) {
    const MemberProfile& profile = *rumour.profile;
    bytes += 2 + profile.address.size() + 1 + 2 + profile.meta.provider.size() + 2 +
             profile.meta.storage_domain.size() + 10 + 10 + 5;
    for (const std::string& role : profile.meta.roles) bytes += 1 + role.size();
  }
  return bytes;
}
inline std::size_t wire_bytes_max(const Packet& packet) {
  std::size_t bytes = 1 + 1 + 1 + packet.from.text.size() + 1;
  if (const auto* ping = std::get_if<PacketPing>(&packet.body)) {
    bytes += 10 + 1 + ping->target.text.size();
  } else if (const auto* request = std::get_if<PacketPingRequest>(&packet.body)) {
    bytes += 10 + 1 + request->target.text.size() + 2 + request->address.size();
  } else if (!std::holds_alternative<PacketNews>(packet.body)) {
    bytes += 10;
  }
  for (const Rumour& rumour : packet.rumours) bytes += wire_bytes_max(rumour);
  return bytes;
}

inline bool is_node_id(std::string_view text) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.size() <= kNodeIdBytesMax &&
         text.find_first_not_of(kLetters) == std::string_view::npos;
}
// Printable, without spaces: what may stand in a log line. Empty is allowed.
inline bool is_member_address(std::string_view text) {
  if (text.size() > kMemberAddressBytesMax) return false;
  for (char c : text) {
    if (c <= ' ' || c > '~') return false;
  }
  return true;
}

// Without control characters: fit for a terminal.
inline bool is_meta_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) return false;
  for (char c : text) {
    if ((c >= 0 && c < ' ') || c == '\x7f') return false;
  }
  return true;
}
inline void bound_meta_text(std::string& text, std::size_t bytes_max) {
  if (text.size() > bytes_max) text.resize(bytes_max);
  for (char& c : text) {
    if (!is_meta_text({&c, 1}, 1)) c = '?';
  }
}

// Cut to the bounds above. A storage domain that had to be cut may equal another one: then two
// nodes count as one copy too few, never as one too many. An address is whole or not there.
inline MemberProfile bounded(MemberProfile profile) {
  if (!is_member_address(profile.address)) profile.address.clear();
  NodeMeta& meta = profile.meta;
  if (meta.roles.size() > kMetaRolesMax) meta.roles.resize(kMetaRolesMax);
  for (std::string& role : meta.roles) bound_meta_text(role, kMetaRoleBytesMax);
  bound_meta_text(meta.provider, kMetaProviderBytesMax);
  bound_meta_text(meta.storage_domain, kMetaDomainBytesMax);
  return profile;
}

}  // namespace syncline::core
