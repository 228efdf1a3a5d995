#include "replication/holdings.hpp"

#include <gtest/gtest.h>

namespace syncline::replication {
namespace {

using core::SeqSet;
const core::LogId kLog{core::CollectionName("games"), core::NodeId("a"), {1}};

SeqSet set(const char* text) {
  return *core::parse_seq_set(text);
}

TEST(Holdings, takes_each_record_once_however_often_it_arrives) {
  Holdings holdings;
  EXPECT_EQ(holdings.begin_append(kLog, set("1-5")), set("1-5"));
  EXPECT_EQ(holdings.begin_append(kLog, set("3-7")), set("6-7"));
  holdings.appended(kLog, set("1-5"));
  EXPECT_EQ(holdings.begin_append(kLog, set("1-7")), SeqSet());
  EXPECT_EQ(holdings.held(kLog), set("1-5"));
}

TEST(Holdings, takes_a_record_again_after_its_append_failed) {
  Holdings holdings;
  holdings.begin_append(kLog, set("1-3"));
  holdings.append_failed(kLog, set("1-3"));
  EXPECT_TRUE(holdings.held(kLog).empty());
  EXPECT_EQ(holdings.begin_append(kLog, set("1-3")), set("1-3"));
}

TEST(Holdings, merges_in_order_one_batch_at_a_time) {
  Holdings holdings;
  holdings.restore(kLog, set("1-10"), set("1-2"), {});
  EXPECT_EQ(holdings.begin_merge(kLog, 4), set("3-6"));
  EXPECT_EQ(holdings.begin_merge(kLog, 4), SeqSet());
  holdings.merge_failed(kLog, set("3-6"));
  EXPECT_EQ(holdings.begin_merge(kLog, 4), set("3-6"));
  holdings.merged(kLog, set("3-6"));
  EXPECT_EQ(holdings.begin_merge(kLog, 4), set("7-10"));
}

TEST(Holdings, a_merge_that_left_records_out_does_not_block_the_log) {
  Holdings holdings;
  holdings.restore(kLog, set("1-4"), {}, {});
  EXPECT_EQ(holdings.begin_merge(kLog, 9), set("1-4"));
  holdings.merged(kLog, set("1-2"));
  EXPECT_EQ(holdings.begin_merge(kLog, 9), set("3-4"));
}

}  // namespace
}  // namespace syncline::replication
