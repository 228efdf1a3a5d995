#include "core/ids.hpp"

#include <algorithm>

namespace syncline::core {

std::ostream& operator<<(std::ostream& out, const LogId& log) {
  return out << log.collection << '/' << log.origin << '/' << log.epoch;
}

bool Digest256::is_zero() const {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

std::string to_hex(const Digest256& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(64);
  for (std::uint8_t b : digest.bytes) {
    hex.push_back(kDigits[b >> 4]);
    hex.push_back(kDigits[b & 15]);
  }
  return hex;
}

namespace {
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace

bool from_hex(std::string_view hex, Digest256& out) {
  if (hex.size() != 64) return false;
  Digest256 parsed;
  for (std::size_t i = 0; i < 32; ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    parsed.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  out = parsed;
  return true;
}

std::ostream& operator<<(std::ostream& out, const Digest256& digest) {
  return out << to_hex(digest).substr(0, 12);
}

}  // namespace syncline::core
