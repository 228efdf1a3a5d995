// Between messages and protobuf headers. Private to the room: no protobuf in a header file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "wire/messages.hpp"

namespace syncline::wire {

// The header's bytes; what is large goes to `payload`.
std::string encode_header(WireMessage message, std::string& payload);
core::Result<WireMessage> decode_header(std::string_view header, std::string payload);

// zstd, where it pays; false: left as it is.
bool compress(std::string& bytes);
// False: no zstd, or not exactly so many bytes.
bool decompress(std::string& bytes, std::uint64_t raw_bytes);

}  // namespace syncline::wire
