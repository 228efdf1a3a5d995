#include "core/nearest.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::core {
namespace {

TEST(Nearest, finds_the_name_that_was_mistyped) {
  const std::vector<std::string> known = {"targets", "timeout_s", "transport", "priority"};
  EXPECT_EQ(nearest("target", known), "targets");
  EXPECT_EQ(nearest("timeout", known), "timeout_s");
  EXPECT_EQ(nearest("tarnsport", known), "transport");
  EXPECT_EQ(nearest("colour", known), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
}

TEST(Nearest, counts_a_swap_of_neighbours_once) {
  EXPECT_EQ(edit_distance("sycn", "sync"), 1u);
  EXPECT_EQ(edit_distance("", "sync"), 4u);
  EXPECT_EQ(edit_distance("status", "stats"), 1u);
}

RC_GTEST_PROP(NearestProperty, distance_is_symmetric_and_zero_only_for_equal_texts, ()) {
  const auto a = *rc::gen::container<std::string>(rc::gen::inRange('a', 'e'));
  const auto b = *rc::gen::container<std::string>(rc::gen::inRange('a', 'e'));
  RC_PRE(a.size() <= 64u && b.size() <= 64u);
  RC_ASSERT(edit_distance(a, b) == edit_distance(b, a));
  RC_ASSERT((edit_distance(a, b) == 0u) == (a == b));
  RC_ASSERT(edit_distance(a, b) <= std::max(a.size(), b.size()));
}

}  // namespace
}  // namespace syncline::core
