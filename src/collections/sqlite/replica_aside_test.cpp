// Records that cannot be merged: kept, told, tried again, dropped.
#include <gtest/gtest.h>

#include "collections/sqlite/replica_test_support.hpp"

namespace syncline::collections::sqlite {
namespace {

using namespace testing;  // NOLINT: a test's own vocabulary

const reconcile::Schema kGames = games_schema();

// Rules that no schema fits: as a mistake in the configuration makes them.
core::CollectionConfig wrong(const std::string& path) {
  return collection(path, "gamez");
}

class Aside : public ::testing::Test {
 protected:
  std::unique_ptr<Replica> with_two_aside() {
    auto replica = open(wrong(path_));
    const auto report = merge(*replica, {first_, second_});
    EXPECT_EQ(report.problems.size(), 2u);
    return replica;
  }
  const Folder folder_;
  const std::string path_ = folder_.path + "/games.db";
  const RecordBatchPtr first_ = batch("a", 1, game("g1", 3), kGames);
  const RecordBatchPtr second_ = batch("b", 7, game("g2", 2), kGames);
};

TEST_F(Aside, are_listed_with_their_reason_and_survive_a_restart) {
  { with_two_aside(); }
  const auto replica = open(wrong(path_));
  EXPECT_EQ(replica->aside_count(), 2u);
  const auto listed = *replica->aside(100);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].log, log_of("a"));
  EXPECT_EQ(listed[0].seq.value, 1u);
  EXPECT_EQ(listed[0].key, "games:g1");
  EXPECT_NE(listed[0].reason.find("no table 'gamez'"), std::string::npos) << listed[0].reason;
  EXPECT_GT(listed[0].bytes, 0u);
  EXPECT_EQ(replica->aside(1)->size(), 1u);
}

TEST_F(Aside, are_merged_once_the_rules_are_mended_and_are_then_as_if_nothing_had_been) {
  { with_two_aside(); }
  const auto replica = open(collection(path_));
  const auto report = replica->retry_aside({});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->merged, 2u);
  EXPECT_EQ(replica->aside_count(), 0u);
  const auto other = open(collection(folder_.path + "/other.db"));
  merge(*other, {first_, second_});
  EXPECT_EQ(replica->fingerprint(), other->fingerprint());
  EXPECT_EQ(replica->merged_all(), other->merged_all());
  EXPECT_EQ(*replica->read(log_of("a"), SeqSet::up_to(9), 1 << 20), *first_);
  EXPECT_EQ(merge(*replica, first_).repeated, 1u);
}

TEST_F(Aside, that_still_cannot_be_merged_stay_and_are_given_to_others_as_they_came) {
  const auto replica = with_two_aside();
  const auto report = replica->retry_aside({});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->merged, 0u);
  EXPECT_EQ(report->problems.size(), 2u);
  EXPECT_EQ(replica->aside_count(), 2u);
  EXPECT_EQ(*replica->read(log_of("b"), SeqSet::up_to(9), 1 << 20), *second_);
}

TEST_F(Aside, only_those_that_are_named_are_tried_or_dropped) {
  { with_two_aside(); }
  const auto replica = open(collection(path_));
  EXPECT_EQ(replica->retry_aside({{log_of("b"), {7}}})->merged, 1u);
  EXPECT_EQ(replica->aside_count(), 1u);
  EXPECT_EQ(*replica->drop_aside({{log_of("nobody"), {1}}}), 0u);
  EXPECT_EQ(*replica->drop_aside({{log_of("a"), {1}}}), 1u);
  EXPECT_EQ(replica->aside_count(), 0u);
  EXPECT_EQ(count(path_, "games"), 1);
  EXPECT_EQ(merge(*replica, first_).repeated, 1u) << "dropped is not wanted again";
}

}  // namespace
}  // namespace syncline::collections::sqlite
