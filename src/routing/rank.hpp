// Many scored nodes in order, in linear time.
//
// Points fit in 16 bits once shifted, so two passes of a counting sort order a thousand nodes in a
// few microseconds, where a comparing sort takes most of the router's 20 µs.
#pragma once

#include <vector>

#include "routing/types.hpp"

namespace syncline::routing {

constexpr Points kPointsMin = -20'000;  // -200 points
constexpr Points kPointsMax = 45'000;   // 450 points

// Best first; equal points keep the order they came in (ascending by node).
// REQUIRES: all points lie in [kPointsMin, kPointsMax].
void order_by_points(Route& route);

}  // namespace syncline::routing
