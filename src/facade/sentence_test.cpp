#include "facade/sentence.hpp"

#include <gtest/gtest.h>

namespace syncline::facade {
namespace {

RouteReport report_on(std::vector<RouteVerdict> verdicts) {
  return {"games", "hybrid", "nothing special was asked for", std::move(verdicts)};
}

TEST(Sentence, reads_as_a_person_would_say_it) {
  const RouteReport report = report_on({
      {"trainer-1", true, 215, "base +50, a training job runs there +50", "p2p"},
      {"backup-1", true, 95.5, "base +50, never synced +30", "ssh"},
      {"spot-2", false, 0, "its disk is 83 % full; the limit is 70 %", ""},
      {"spot-3", false, 0, "its role is selfplay; games is for training or backup", ""},
      {"spot-4", false, 0, "its role is selfplay; games is for training or backup", ""},
  });
  EXPECT_EQ(sentence(report),
            "games is synced by hybrid, because nothing special was asked for. "
            "It goes to trainer-1 by p2p (215 points: base +50, a training job runs there +50) "
            "first, then to backup-1 by ssh (95.5 points: base +50, never synced +30). "
            "Left out: spot-2: its disk is 83 % full; the limit is 70 %; spot-3 and spot-4: "
            "its role is selfplay; games is for training or backup.");
}

TEST(Sentence, says_when_nobody_can_take_it) {
  EXPECT_EQ(sentence(report_on({{"a", false, 0, "it has left the fleet", ""}})),
            "games is synced by hybrid, because nothing special was asked for. "
            "No node can take it now. Left out: a: it has left the fleet.");
  EXPECT_EQ(sentence(report_on({})),
            "games is synced by hybrid, because nothing special was asked for. "
            "No node can take it now. No other node is known.");
}

TEST(Sentence, tells_no_points_of_a_host_that_only_this_node_sees_to) {
  EXPECT_EQ(
      sentence(
          report_on({{"far", true, 0, "it has no daemon: this node puts its files there", "ssh"}})),
      "games is synced by hybrid, because nothing special was asked for. It goes to far by ssh "
      "(it has no daemon: this node puts its files there).");
}

TEST(Sentence, names_a_single_target_without_an_order) {
  EXPECT_EQ(sentence(report_on({{"a", true, 50, "base +50", "p2p"}})),
            "games is synced by hybrid, because nothing special was asked for. "
            "It goes to a by p2p (50 points: base +50).");
}

TEST(Sentence, stays_short_in_a_large_fleet) {
  std::vector<RouteVerdict> verdicts;
  for (int i = 0; i < 500; ++i) {
    verdicts.push_back({"t" + std::to_string(i), true, 50, "base +50", "p2p"});
  }
  for (int i = 0; i < 500; ++i) {
    verdicts.push_back({"x" + std::to_string(i), false, 0, "reason " + std::to_string(i), ""});
  }
  const std::string said = sentence(report_on(std::move(verdicts)));
  EXPECT_LT(said.size(), 800u);
  EXPECT_NE(said.find("and 489 more"), std::string::npos) << said;
  EXPECT_NE(said.find("and 494 others"), std::string::npos) << said;
}

}  // namespace
}  // namespace syncline::facade
