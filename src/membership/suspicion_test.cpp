#include "membership/suspicion.hpp"

#include <gtest/gtest.h>

namespace syncline::membership {
namespace {

using core::NodeId;
using core::to_seconds;

TEST(Suspicion, lasts_four_times_the_logarithm_of_the_fleet_at_least_and_six_times_that_at_most) {
  const struct {
    std::size_t members;
    double min_s;
    double max_s;
    int confirmations;
  } kTable[] = {
      {1, 4, 24, 0},   {2, 4, 24, 0},     {3, 4, 24, 1},
      {5, 4, 24, 3},   {10, 4, 24, 3},    {50, 6.795880, 40.775280, 3},
      {100, 8, 48, 3}, {1000, 12, 72, 3}, {10'000, 16, 96, 3},
  };
  for (const auto& row : kTable) {
    const SuspicionTimes times = suspicion_times(Settings{}, row.members);
    EXPECT_NEAR(to_seconds(times.min), row.min_s, 1e-5) << row.members;
    EXPECT_NEAR(to_seconds(times.max), row.max_s, 1e-5) << row.members;
    EXPECT_EQ(times.confirmations, row.confirmations) << row.members;
  }
}

TEST(Suspicion, shrinks_by_the_logarithm_of_the_confirmations) {
  // max − (max − min) · log(C+1)/log(K+1), computed by hand for 100 members: 48 − 40 · log4(C+1).
  const SuspicionTimes times = suspicion_times(Settings{}, 100);
  const double kTable[] = {48, 28, 16.300750, 8, 8};
  for (int c = 0; c < 5; ++c) {
    EXPECT_NEAR(to_seconds(suspicion_timeout(times, c)), kTable[c], 1e-5) << c;
  }
}

TEST(Suspicion, takes_the_least_time_where_nobody_could_confirm) {
  EXPECT_EQ(to_seconds(suspicion_timeout(suspicion_times(Settings{}, 2), 0)), 4);
}

TEST(Suspicion, counts_each_voice_once_and_no_more_than_it_needs) {
  const core::Instant start{core::seconds(100)};
  Suspicion suspicion(suspicion_times(Settings{}, 100), NodeId("a"), start);
  EXPECT_FALSE(suspicion.confirm(NodeId("a")));
  EXPECT_TRUE(suspicion.confirm(NodeId("b")));
  EXPECT_FALSE(suspicion.confirm(NodeId("b")));
  EXPECT_EQ(suspicion.deadline(), start + core::seconds(28));
  EXPECT_TRUE(suspicion.confirm(NodeId("c")));
  EXPECT_TRUE(suspicion.confirm(NodeId("d")));
  EXPECT_FALSE(suspicion.confirm(NodeId("e")));
  EXPECT_EQ(suspicion.deadline(), start + core::seconds(8));
  EXPECT_EQ(suspicion.accusers().size(), 4u);
}

}  // namespace
}  // namespace syncline::membership
