// Membership's packets and full exchanges as bytes. All numbers are varints in their shortest form
// (core/bytes.hpp), all texts a length and bytes, so equal values are equal bytes and the other way
// round. DO NOT CHANGE; a new version gets a new first byte.
//
//   packet  = 0x01 kind from body rumours
//   kind    = 0 ping | 1 ping request | 2 ack | 3 nack | 4 news
//   body    = number target (ping) | number target address (ping request) | number (ack, nack) |
//             nothing (news)
//   rumours = count rumour…
//   rumour  = head node incarnation [from] [age_s] [profile]
//   head    = state (2 bits) | has profile (4) | from is the node itself (8, then no from)
//   age_s   : for dead and left only
//   profile = address count role… provider storage_domain free_bytes total_bytes load_permille
//   push pull = 0x01 wants_answer(0|1) rumours
//
// Every length and count is checked against core/packets.hpp before anything is allocated.
// Threads: none of its own.
#pragma once

#include <string>
#include <string_view>

#include "core/packets.hpp"
#include "core/result.hpp"

namespace syncline::wire {

// REQUIRES: values within the bounds of core/packets.hpp.
std::string encode_packet(const core::Packet& packet);
// kCorrupt for anything encode_packet() would not make, and for more than kPacketBytesMax.
core::Result<core::Packet> decode_packet(std::string_view bytes);

std::string encode_push_pull(const core::PushPull& state);
// kCorrupt for anything encode_push_pull() would not make, and for more than kPushPullBytesMax.
core::Result<core::PushPull> decode_push_pull(std::string_view bytes);

}  // namespace syncline::wire
