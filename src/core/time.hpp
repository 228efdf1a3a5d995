// Time as the cores see it: told from outside, never asked for.
//
// Instant is monotonic within one run of one node (or of one simulation); WallMs is what people
// and other nodes read, and may jump. Cores compute timeouts from Instants only.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace syncline::core {

using Duration = std::chrono::nanoseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Instant {
  Duration since_start{0};

  auto operator<=>(const Instant&) const = default;
  friend Instant operator+(Instant at, Duration d) { return {at.since_start + d}; }
  friend Instant operator-(Instant at, Duration d) { return {at.since_start - d}; }
  friend Duration operator-(Instant a, Instant b) { return a.since_start - b.since_start; }
};

// Milliseconds since 1970-01-01T00:00Z.
struct WallMs {
  std::int64_t ms = 0;
  auto operator<=>(const WallMs&) const = default;
};

inline double to_seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}
inline Duration from_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

}  // namespace syncline::core
