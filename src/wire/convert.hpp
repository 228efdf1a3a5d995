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

}  // namespace syncline::wire
