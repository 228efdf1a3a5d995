#include "membership/awareness.hpp"

#include <gtest/gtest.h>

namespace syncline::membership {
namespace {

TEST(Awareness, moves_as_table_one_of_the_paper_says) {
  const struct {
    HealthSign sign;
    int from;
    int to;
  } kTable[] = {
      {HealthSign::kProbeSucceeded, 3, 2}, {HealthSign::kProbeSucceeded, 0, 0},
      {HealthSign::kProbeFailed, 3, 4},    {HealthSign::kProbeFailed, 8, 8},
      {HealthSign::kRefuted, 0, 1},        {HealthSign::kRefuted, 8, 8},
      {HealthSign::kNackMissed, 0, 1},     {HealthSign::kNackMissed, 7, 8},
  };
  for (const auto& row : kTable) {
    Awareness awareness(8);
    for (int i = 0; i < row.from; ++i) awareness.note(HealthSign::kProbeFailed);
    ASSERT_EQ(awareness.score(), row.from);
    awareness.note(row.sign);
    EXPECT_EQ(awareness.score(), row.to) << static_cast<int>(row.sign) << " at " << row.from;
  }
}

TEST(Awareness, stretches_periods_up_to_nine_times) {
  Awareness awareness(8);
  EXPECT_EQ(awareness.scaled(core::seconds(1)), core::seconds(1));
  awareness.note(HealthSign::kProbeFailed);
  EXPECT_EQ(awareness.scaled(core::milliseconds(500)), core::seconds(1));
  for (int i = 0; i < 20; ++i) awareness.note(HealthSign::kProbeFailed);
  // The paper's numbers for S = 8: period 9 s, timeout 4.5 s.
  EXPECT_EQ(awareness.scaled(core::seconds(1)), core::seconds(9));
  EXPECT_EQ(awareness.scaled(core::milliseconds(500)), core::milliseconds(4500));
}

TEST(Awareness, turned_off_is_plain_swim) {
  Awareness awareness(0);
  awareness.note(HealthSign::kProbeFailed);
  EXPECT_EQ(awareness.scaled(core::seconds(1)), core::seconds(1));
}

}  // namespace
}  // namespace syncline::membership
