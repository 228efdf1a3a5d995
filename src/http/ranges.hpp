// Byte ranges of a request (RFC 9110, section 14) against the size of what is there. Pure.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace syncline::http {

// As parsed from the header: {first, last}, with -1 where the text had none: {500, -1} is
// "500-", {-1, 500} is the last 500 bytes.
using ByteRanges = std::vector<std::pair<ssize_t, ssize_t>>;

// Turns each into {first, last} with first <= last < size, and drops those wholly beyond the end.
// False when none is left of some: 416.
bool clamp_ranges(ByteRanges& ranges, std::uint64_t size);

}  // namespace syncline::http
