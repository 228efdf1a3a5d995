#include "scheduling/token_bucket.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::scheduling {
namespace {

using core::Instant;
using core::milliseconds;

Instant at_ms(std::int64_t ms) {
  return {milliseconds(ms)};
}

TEST(TokenBucket, starts_with_one_burst_and_refills_at_its_rate) {
  TokenBucket bucket(1e6, at_ms(0));
  EXPECT_DOUBLE_EQ(bucket.burst(), 50'000);
  EXPECT_DOUBLE_EQ(bucket.available(at_ms(0)), 50'000);
  bucket.take(50'000, at_ms(0));
  EXPECT_DOUBLE_EQ(bucket.available(at_ms(20)), 20'000);
  EXPECT_DOUBLE_EQ(bucket.available(at_ms(10'000)), 50'000);
}

TEST(TokenBucket, says_when_it_will_have_enough) {
  TokenBucket bucket(1e6, at_ms(0));
  bucket.take(50'000, at_ms(0));
  const Instant ready = bucket.ready_at(10'000, at_ms(0));
  EXPECT_GE(bucket.available(ready), 10'000 - 1e-6);
  EXPECT_NEAR(core::to_seconds(ready.since_start), 0.010, 1e-6);
  EXPECT_EQ(bucket.ready_at(10'000, at_ms(500)), at_ms(500));
  // More than a burst is never there at once: then a full burst is enough to begin.
  EXPECT_NEAR(core::to_seconds(bucket.ready_at(1e9, at_ms(0)).since_start), 0.050, 1e-6);
}

TEST(TokenBucket, a_debt_is_waited_for) {
  TokenBucket bucket(1e6, at_ms(0));
  bucket.take(1'050'000, at_ms(0));
  EXPECT_DOUBLE_EQ(bucket.available(at_ms(0)), -1'000'000);
  EXPECT_NEAR(core::to_seconds(bucket.ready_at(1, at_ms(0)).since_start), 1.0, 1e-5);
}

TEST(TokenBucket, a_clock_that_stands_still_or_goes_back_gives_nothing) {
  TokenBucket bucket(1e6, at_ms(1000));
  bucket.take(50'000, at_ms(1000));
  EXPECT_DOUBLE_EQ(bucket.available(at_ms(1000)), 0);
  EXPECT_DOUBLE_EQ(bucket.available(at_ms(0)), 0);
  bucket.take(0, at_ms(0));
  EXPECT_DOUBLE_EQ(bucket.available(at_ms(1001)), 1000);
}

RC_GTEST_PROP(TokenBucket, lets_through_its_rate_within_one_percent_over_ten_seconds, ()) {
  const double rate = *rc::gen::element(3e3, 1e5, 1e6, 12.5e6, 1.25e9);
  const double portion = rate * *rc::gen::inRange(1, 30) / 1000.0;
  TokenBucket bucket(rate, at_ms(0));
  bucket.take(bucket.burst(), at_ms(0));  // the steady state is what counts
  double taken = 0;
  Instant now = at_ms(0);
  const Instant end = at_ms(10'000);
  while (true) {
    now = bucket.ready_at(portion, now);
    if (now > end) break;
    const double bytes = std::min(portion, bucket.burst());
    RC_ASSERT(bucket.available(now) >= bytes - 1e-3);
    bucket.take(bytes, now);
    taken += bytes;
  }
  RC_ASSERT(taken <= rate * 10 * 1.01);
  RC_ASSERT(taken >= rate * 10 * 0.99);
}

RC_GTEST_PROP(TokenBucket, never_lets_through_more_than_rate_and_one_burst, ()) {
  const double rate = 1e6;
  TokenBucket bucket(rate, at_ms(0));
  std::int64_t now = 0;
  double taken = 0;
  for (int i = 0; i < 100; ++i) {
    now += *rc::gen::inRange(0, 200);
    const double wanted = *rc::gen::inRange(1, 100'000);
    if (bucket.available(at_ms(now)) < wanted) continue;
    bucket.take(wanted, at_ms(now));
    taken += wanted;
    RC_ASSERT(taken <= rate * static_cast<double>(now) / 1000 + bucket.burst() + 1e-3);
  }
}

}  // namespace
}  // namespace syncline::scheduling
