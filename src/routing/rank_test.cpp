#include "routing/rank.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace syncline::routing {
namespace {

TEST(Rank, orders_the_extremes_of_its_range) {
  Route route;
  for (NodeIndex i = 0; i < 100; ++i) route.push_back({i, i % 2 == 0 ? kPointsMin : kPointsMax});
  order_by_points(route);
  EXPECT_EQ(route.front(), (Ranked{1, kPointsMax}));
  EXPECT_EQ(route.back(), (Ranked{98, kPointsMin}));
}

TEST(RankDeathTest, refuses_points_outside_its_range) {
  Route route = {{0, kPointsMax + 1}};
  EXPECT_DEATH(order_by_points(route), "points 45001");
}

RC_GTEST_PROP(Rank, agrees_with_a_stable_comparing_sort, ()) {
  const auto points =
      *rc::gen::container<std::vector<Points>>(rc::gen::inRange(kPointsMin, kPointsMax + 1));
  Route route;
  for (int copies = 0; copies < 3; ++copies) {
    for (const Points p : points) route.push_back({static_cast<NodeIndex>(route.size()), p});
  }
  Route expected = route;
  std::stable_sort(expected.begin(), expected.end(),
                   [](const Ranked& a, const Ranked& b) { return a.points > b.points; });
  order_by_points(route);
  RC_ASSERT(route == expected);
}

}  // namespace
}  // namespace syncline::routing
