#include "scheduling/recommend.hpp"

#include <gtest/gtest.h>

namespace syncline::scheduling {
namespace {

using core::Priority;

TEST(Recommend, is_silent_when_all_is_well) {
  Situation well;
  well.freshness = {{"games", "hex8_2p", 60, 60, std::nullopt, ""}};
  well.spots = {{"spot-1", 1000, 1000}};
  well.disks = {{"gpu-1", 60, 60, 70}};
  well.copies = {{"games", 3, 3}};
  EXPECT_TRUE(recommend(well).empty());
}

TEST(Recommend, says_what_to_do_most_urgent_first) {
  Situation bad;
  bad.freshness = {{"games", "square_19_4p", 90, 60, std::nullopt, ""},
                   {"models", "", 500, 200, std::nullopt, "no connection to b"},
                   {"npz", "odd", 9000, 60, std::nullopt, ""}};
  bad.spots = {{"spot-1", 5'000'000, 0}};
  bad.disks = {{"gpu-1", 83, 60, 70}, {"gpu-2", 65, 60, 70}};
  bad.copies = {{"games", 1, 3}, {"elo", 2, 3}};
  const std::vector<Recommendation> expected = {
      {Priority::kCritical, "spot-1",
       "5 MB are on this spot node only; 0 bytes could leave it after a notice",
       "syncline flush   (on spot-1)"},
      {Priority::kCritical, "games", "1 copy in distinct failure domains instead of 3",
       "syncline route games --explain"},
      {Priority::kCritical, "npz/odd", "its oldest data waits for 2.5 h, the target is 60 s",
       "syncline sync npz --priority critical"},
      {Priority::kHigh, "elo", "2 copies in distinct failure domains instead of 3",
       "syncline route elo --explain"},
      {Priority::kHigh, "models",
       "its oldest data waits for 8 min, the target is 3 min; no connection to b",
       "syncline sync models --priority high"},
      {Priority::kHigh, "gpu-1", "its disk is 83 % full; beyond 70 % it takes nothing more",
       "free some space on gpu-1"},
      {Priority::kNormal, "games/square_19_4p",
       "its oldest data waits for 90 s, the target is 60 s",
       "syncline sync games --board-type square_19 --num-players 4"},
      {Priority::kLow, "gpu-2", "its disk is 65 % full; the target is 60 %",
       "free some space on gpu-2"},
  };
  const auto found = recommend(bad);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].priority, expected[i].priority) << i;
    EXPECT_EQ(found[i].subject, expected[i].subject) << i;
    EXPECT_EQ(found[i].why, expected[i].why) << i;
    EXPECT_EQ(found[i].command, expected[i].command) << i;
  }
}

}  // namespace
}  // namespace syncline::scheduling
