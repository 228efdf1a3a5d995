#include "core/text.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace syncline::core {
namespace {

TEST(Text, says_numbers_without_needless_zeros) {
  EXPECT_EQ(say_number(3.0), "3");
  EXPECT_EQ(say_number(12.50, 2), "12.5");
  EXPECT_EQ(say_number(-0.01), "0");
  EXPECT_EQ(say_number(100, 0), "100");
  EXPECT_EQ(say_number(std::numeric_limits<double>::quiet_NaN()), "unknown");
}

TEST(Text, says_bytes_in_the_unit_people_use) {
  EXPECT_EQ(say_bytes(0), "0 bytes");
  EXPECT_EQ(say_bytes(999), "999 bytes");
  EXPECT_EQ(say_bytes(2048), "2 KB");
  EXPECT_EQ(say_bytes(999'600), "1 MB");
  EXPECT_EQ(say_bytes(4'250'000'000), "4.2 GB");
  EXPECT_EQ(say_bytes(300e9), "300 GB");
  EXPECT_EQ(say_bytes(5e16), "50000 TB");
}

TEST(Text, says_times_as_short_as_they_are_useful) {
  EXPECT_EQ(say_seconds(0.42), "0.4 s");
  EXPECT_EQ(say_seconds(42), "42 s");
  EXPECT_EQ(say_seconds(99.4), "99 s");
  EXPECT_EQ(say_seconds(180), "3 min");
  EXPECT_EQ(say_seconds(9000), "2.5 h");
  EXPECT_EQ(say_seconds(5 * 86400), "5 days");
}

TEST(Text, says_percents_lists_and_counts) {
  EXPECT_EQ(say_percent(41.4), "41 %");
  EXPECT_EQ(say_percent(0.31), "0.3 %");
  EXPECT_EQ(say_list({}), "");
  EXPECT_EQ(say_list({"a"}), "a");
  EXPECT_EQ(say_list({"a", "b", "c"}), "a, b and c");
  EXPECT_EQ(say_list({"a", "b"}, 0, "or"), "a or b");
  EXPECT_EQ(say_list({"a", "b", "c", "d"}, 2), "a, b and 2 more");
  EXPECT_EQ(say_count(1, "node"), "1 node");
  EXPECT_EQ(say_count(2, "copy", "copies"), "2 copies");
}

}  // namespace
}  // namespace syncline::core
