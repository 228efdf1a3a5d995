// Frames: a message as bytes on a connection, and back.
//
//   frame  = header_bytes(u32, little endian) payload_bytes(u32) header payload
//   header = protobuf wire.pb.Header, at most 4 MiB
//   payload = raw bytes that the header speaks of: an object's block, units of records; 68 MiB
//
// Both sizes are checked before anything is allocated. docs/formats/wire.md tells the rest.
// Threads: none of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "wire/messages.hpp"

namespace syncline::wire {

inline constexpr std::size_t kFramePrefixBytes = 8;
inline constexpr std::uint32_t kHeaderBytesMax = 4u << 20;
inline constexpr std::uint32_t kPayloadBytesMax = 68u << 20;

// Prefix and header in one string; the payload beside it, so that a block is never copied.
struct Frame {
  std::string head;
  std::string payload;
  std::size_t size() const { return head.size() + payload.size(); }
};
// REQUIRES: the message keeps the bounds above (kExhausted otherwise: split it).
core::Result<Frame> encode_frame(WireMessage message);

struct FrameSizes {
  std::uint32_t header_bytes = 0;
  std::uint32_t payload_bytes = 0;
};
// kCorrupt for sizes beyond the bounds. REQUIRES: 8 bytes.
core::Result<FrameSizes> decode_prefix(std::string_view prefix);
// kCorrupt for anything encode_frame() would not make.
core::Result<WireMessage> decode_frame(std::string_view header, std::string payload);

}  // namespace syncline::wire
