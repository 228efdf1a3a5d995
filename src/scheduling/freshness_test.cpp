#include "scheduling/freshness.hpp"

#include <gtest/gtest.h>

namespace syncline::scheduling {
namespace {

using core::CollectionName;
using core::ConfigKey;
using core::Instant;
using core::seconds;

const CollectionName kGames("games"), kModels("models");
Instant at(int s) {
  return {seconds(s)};
}

TEST(Freshness, is_the_age_of_the_oldest_that_is_not_where_it_is_wanted) {
  Freshness freshness;
  freshness.set_target(kGames, seconds(60));
  const FreshnessKey hex{kGames, ConfigKey("hex8_2p")};
  EXPECT_EQ(freshness.age(hex, at(100)), core::Duration(0));
  freshness.told_oldest(hex, at(40));
  EXPECT_EQ(freshness.age(hex, at(100)), core::Duration(seconds(60)));
  EXPECT_FALSE(freshness.is_over_target(hex, at(100)));
  EXPECT_TRUE(freshness.is_over_target(hex, at(101)));
  EXPECT_EQ(freshness.age(hex, at(10)), core::Duration(0));
  freshness.told_oldest(hex, std::nullopt);
  EXPECT_FALSE(freshness.is_over_target(hex, at(10'000)));
}

TEST(Freshness, shows_what_is_furthest_over_its_target_first) {
  Freshness freshness;
  freshness.set_target(kGames, seconds(60));
  freshness.set_target(kModels, seconds(600));
  freshness.set_target(CollectionName("elo"), seconds(300));
  freshness.told_oldest({kModels, ConfigKey()}, at(0));
  freshness.told_oldest({kGames, ConfigKey("hex8_2p")}, at(50));
  freshness.told_oldest({kGames, ConfigKey("hex8_4p")}, std::nullopt);
  freshness.told_next_run({kGames, ConfigKey("hex8_2p")}, at(165), "no connection to b");
  freshness.told_next_run({kModels, ConfigKey()}, at(10), "");
  const auto rows = freshness.rows(at(150));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].collection, "games");
  EXPECT_EQ(rows[0].config_key, "hex8_2p");
  EXPECT_DOUBLE_EQ(rows[0].age_s, 100);
  EXPECT_DOUBLE_EQ(rows[0].target_s, 60);
  EXPECT_DOUBLE_EQ(*rows[0].next_run_s, 15);
  EXPECT_EQ(rows[0].waiting_for, "no connection to b");
  EXPECT_EQ(rows[1].collection, "models");
  EXPECT_DOUBLE_EQ(*rows[1].next_run_s, 0) << "it is due";
  EXPECT_EQ(rows[2].age_s, 0);
  EXPECT_EQ(rows[3].age_s, 0);
  EXPECT_EQ(rows[2].next_run_s, std::nullopt);
}

TEST(Freshness, says_when_the_next_one_will_be_late) {
  Freshness freshness;
  freshness.set_target(kGames, seconds(60));
  EXPECT_EQ(freshness.next_wake(at(0)), std::nullopt);
  freshness.told_oldest({kGames, ConfigKey("a_2p")}, at(0));
  freshness.told_oldest({kGames, ConfigKey("b_2p")}, at(10));
  const Instant first = *freshness.next_wake(at(5));
  EXPECT_TRUE(freshness.is_over_target({kGames, ConfigKey("a_2p")}, first));
  EXPECT_FALSE(freshness.is_over_target({kGames, ConfigKey("b_2p")}, first));
  EXPECT_GT(*freshness.next_wake(first), first);
}

TEST(Freshness, forgets_a_collection_with_all_its_keys) {
  Freshness freshness;
  freshness.told_oldest({kGames, ConfigKey("a_2p")}, at(0));
  freshness.told_oldest({kGames, ConfigKey("b_2p")}, at(0));
  freshness.told_oldest({kModels, ConfigKey()}, at(0));
  freshness.forget(kGames);
  EXPECT_EQ(freshness.rows(at(1)).size(), 1u);
}

}  // namespace
}  // namespace syncline::scheduling
