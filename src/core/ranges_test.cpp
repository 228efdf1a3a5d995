#include "core/ranges.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace syncline::core {
namespace {

SeqSet from(const std::set<std::uint64_t>& values) {
  SeqSet set;
  for (std::uint64_t v : values) set.insert(v, v);
  return set;
}

std::set<std::uint64_t> small_values() {
  auto list =
      *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(1, 40));
  return {list.begin(), list.end()};
}

TEST(SeqSet, joins_adjacent_ranges) {
  SeqSet set;
  set.insert(1, 3);
  set.insert(7, 9);
  set.insert(4, 6);
  EXPECT_EQ(to_string(set), "1-9");
  EXPECT_EQ(set.watermark(), 9u);
}

TEST(SeqSet, has_no_watermark_while_its_first_is_missing) {
  SeqSet set;
  set.insert(2, 9);
  EXPECT_EQ(set.watermark(), 0u);
}

TEST(SeqSet, refuses_text_it_would_not_write) {
  for (const char* text : {"0", "3-2", "1-4,4-5", "5,3", "1-", ",", "1,", "a", "-1", "1 2"}) {
    EXPECT_FALSE(parse_seq_set(text).has_value()) << text;
  }
  EXPECT_FALSE(parse_seq_set("1,3,5", 2).has_value());
}

RC_GTEST_PROP(SeqSetProperty, behaves_like_a_set_of_numbers, ()) {
  const auto a = small_values();
  const auto b = small_values();
  SeqSet united = from(a);
  united.insert(from(b));
  std::set<std::uint64_t> both = a;
  both.insert(b.begin(), b.end());
  RC_ASSERT(united == from(both));

  std::set<std::uint64_t> only_a;
  std::set<std::uint64_t> common;
  for (auto v : a) (b.count(v) ? common : only_a).insert(v);
  RC_ASSERT(from(a).minus(from(b)) == from(only_a));
  RC_ASSERT(from(a).intersect(from(b)) == from(common));
  RC_ASSERT(from(a).count() == a.size());
  RC_ASSERT(parse_seq_set(to_string(from(a))) == from(a));
  for (std::uint64_t v = 1; v < 41; ++v) RC_ASSERT(from(a).contains(v) == (a.count(v) > 0));
}

}  // namespace
}  // namespace syncline::core
