// A set of units as one value: equal sets have equal fingerprints, and changing one unit costs
// O(1). The sum, modulo 2^256, of SHA-256(key ‖ hash) of every unit, with their count.
//
// Order-free by construction. Not for adversaries (sums of hashes can be forged with effort);
// between nodes of one fleet it tells accidents, which is what it is for.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/ids.hpp"

namespace syncline::reconcile {

struct Fingerprint {
  std::array<std::uint64_t, 4> sum{};  // little end first
  std::uint64_t count = 0;

  void add(std::string_view key, const core::Digest256& hash);
  void remove(std::string_view key, const core::Digest256& hash);
  void add(const Fingerprint& other);  // of a set that has no unit in common with this one
  bool operator==(const Fingerprint&) const = default;
};

std::string to_string(const Fingerprint& fingerprint);  // "<count>-<64 hex digits>"
bool parse_fingerprint(std::string_view text, Fingerprint& out);

}  // namespace syncline::reconcile
