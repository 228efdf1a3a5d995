#include "http/ranges.hpp"

#include <algorithm>

namespace syncline::http {

bool clamp_ranges(ByteRanges& ranges, std::uint64_t size) {
  if (ranges.empty()) return true;
  const auto end = static_cast<ssize_t>(size);
  ByteRanges kept;
  for (auto [first, last] : ranges) {
    if (first < 0 && last <= 0) continue;  // the last zero bytes: nothing
    if (first < 0) {
      first = std::max<ssize_t>(0, end - last);
      last = end - 1;
    }
    if (last < 0 || last >= end) last = end - 1;
    if (first <= last && first < end) kept.emplace_back(first, last);
  }
  ranges = std::move(kept);
  return !ranges.empty();
}

}  // namespace syncline::http
