#include "routing/rank.hpp"

#include <algorithm>
#include <array>

#include "core/check.hpp"

namespace syncline::routing {

namespace {

constexpr std::size_t kComparingIsFaster = 64;

// Descending points are ascending keys.
std::uint32_t key_of(const Ranked& ranked) {
  return static_cast<std::uint32_t>(kPointsMax - ranked.points);
}
static_assert(kPointsMax - kPointsMin < 65536, "two passes of eight bits");

void pass(const Route& in, Route& out, unsigned shift) {
  std::array<std::uint32_t, 257> starts{};
  for (const Ranked& ranked : in) ++starts[(key_of(ranked) >> shift & 0xff) + 1];
  for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  for (const Ranked& ranked : in) out[starts[key_of(ranked) >> shift & 0xff]++] = ranked;
}

}  // namespace

void order_by_points(Route& route) {
  for (const Ranked& ranked : route) {
    SYNCLINE_CHECK(ranked.points >= kPointsMin && ranked.points <= kPointsMax, "points",
                   ranked.points);
  }
  if (route.size() < kComparingIsFaster) {
    std::stable_sort(route.begin(), route.end(),
                     [](const Ranked& a, const Ranked& b) { return a.points > b.points; });
    return;
  }
  Route other(route.size());
  pass(route, other, 0);
  pass(other, route, 8);
}

}  // namespace syncline::routing
