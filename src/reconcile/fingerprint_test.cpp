#include "reconcile/fingerprint.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::reconcile {
namespace {

core::Digest256 digest(int n) {
  core::Digest256 d;
  d.bytes[0] = static_cast<std::uint8_t>(n);
  return d;
}

RC_GTEST_PROP(FingerprintProperty, does_not_depend_on_order_and_forgets_what_was_removed, ()) {
  auto keys = *rc::gen::unique<std::vector<int>>(rc::gen::inRange(0, 1000));
  Fingerprint forward;
  for (int k : keys) forward.add(std::to_string(k), digest(k % 251));
  Fingerprint backward;
  backward.add("extra", digest(1));
  for (auto it = keys.rbegin(); it != keys.rend(); ++it) {
    backward.add(std::to_string(*it), digest(*it % 251));
  }
  if (!keys.empty()) RC_ASSERT(!(forward == backward));
  backward.remove("extra", digest(1));
  RC_ASSERT(forward == backward);
  Fingerprint parsed;
  RC_ASSERT(parse_fingerprint(to_string(forward), parsed));
  RC_ASSERT(parsed == forward);
}

TEST(Fingerprint, of_two_sets_is_that_of_their_union) {
  Fingerprint a;
  Fingerprint b;
  Fingerprint both;
  for (int k = 0; k < 100; ++k) {
    (k % 3 == 0 ? a : b).add(std::to_string(k), digest(k));
    both.add(std::to_string(k), digest(k));
  }
  a.add(b);
  EXPECT_EQ(to_string(a), to_string(both));
}

TEST(Fingerprint, another_version_of_a_unit_is_another_fingerprint) {
  Fingerprint a;
  Fingerprint b;
  a.add("k", digest(1));
  b.add("k", digest(2));
  EXPECT_NE(to_string(a), to_string(b));
}

TEST(Fingerprint, refuses_text_that_is_none) {
  Fingerprint out;
  for (const char* text : {"", "3", "3-", "3-xyz", "-0"})
    EXPECT_FALSE(parse_fingerprint(text, out));
}

}  // namespace
}  // namespace syncline::reconcile
