// Bytes of any length as lower-case hex digits, and back. For digests see ids.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace syncline::core {

std::string hex_of(std::string_view bytes);
// Nothing for an odd number of digits, or what is none of 0-9 and a-f.
std::optional<std::string> bytes_of_hex(std::string_view hex);

}  // namespace syncline::core
