#include "transfer/breaker.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::transfer {
namespace {

using core::Instant;
using core::NodeId;
using core::seconds;

Instant at(int s) {
  return {seconds(s)};
}

Breaker opened_at(int s) {
  Breaker breaker;
  for (int i = 0; i < 5; ++i) breaker.failed(at(s), "refused");
  return breaker;
}

TEST(Breaker, opens_after_five_failures_in_a_row_and_not_before) {
  Breaker breaker;
  for (int i = 0; i < 4; ++i) breaker.failed(at(i), "refused");
  EXPECT_EQ(breaker.state(at(4)), Circuit::kClosed);
  breaker.failed(at(4), "refused");
  EXPECT_EQ(breaker.state(at(4)), Circuit::kOpen);
  EXPECT_FALSE(breaker.allows(at(63)));
  EXPECT_EQ(breaker.tries_again_at(), at(64));
}

TEST(Breaker, a_success_between_failures_starts_the_count_anew) {
  Breaker breaker;
  for (int i = 0; i < 4; ++i) breaker.failed(at(0), "refused");
  breaker.succeeded(at(1));
  for (int i = 0; i < 4; ++i) breaker.failed(at(2), "refused");
  EXPECT_EQ(breaker.state(at(2)), Circuit::kClosed);
}

TEST(Breaker, lets_one_attempt_through_after_a_minute_and_closes_when_it_succeeds) {
  Breaker breaker = opened_at(0);
  EXPECT_EQ(breaker.state(at(60)), Circuit::kHalfOpen);
  ASSERT_TRUE(breaker.allows(at(60)));
  breaker.begun(at(60));
  EXPECT_FALSE(breaker.allows(at(61)));
  breaker.succeeded(at(62));
  EXPECT_EQ(breaker.state(at(62)), Circuit::kClosed);
  EXPECT_EQ(breaker.failures(), 0);
}

TEST(Breaker, opens_for_another_minute_when_the_attempt_fails) {
  Breaker breaker = opened_at(0);
  breaker.begun(at(60));
  breaker.failed(at(70), "timed out");
  EXPECT_EQ(breaker.state(at(129)), Circuit::kOpen);
  EXPECT_TRUE(breaker.allows(at(130)));
  EXPECT_EQ(breaker.failures(), 6);
  EXPECT_EQ(breaker.last_failure(), "timed out");
}

TEST(Breaker, an_attempt_whose_outcome_is_never_told_does_not_block_for_ever) {
  Breaker breaker = opened_at(0);
  breaker.begun(at(60));
  EXPECT_FALSE(breaker.allows(at(119)));
  EXPECT_TRUE(breaker.allows(at(120)));
}

TEST(Breaker, late_failures_of_attempts_begun_before_do_not_prolong_the_pause) {
  Breaker breaker = opened_at(0);
  breaker.failed(at(50), "refused");
  EXPECT_EQ(breaker.tries_again_at(), at(60));
}

TEST(BreakerDeathTest, refuses_an_attempt_while_open) {
  Breaker breaker = opened_at(0);
  EXPECT_DEATH(breaker.begun(at(1)), "circuit open failures 5");
}

TEST(Breakers, one_transport_to_one_node_does_not_stop_another) {
  Breakers breakers;
  const NodeId a("a"), b("b");
  for (int i = 0; i < 5; ++i) breakers.failed(a, Transport::kSsh, at(0), "no route to host");
  EXPECT_FALSE(breakers.allows(a, Transport::kSsh, at(1)));
  EXPECT_TRUE(breakers.allows(a, Transport::kP2p, at(1)));
  EXPECT_TRUE(breakers.allows(b, Transport::kSsh, at(1)));
  EXPECT_EQ(breakers.open_circuits(a, at(18)),
            (std::vector<std::string>{
                "ssh: 5 failures in a row (no route to host), tried again in 42 s"}));
  EXPECT_EQ(breakers.open_circuits(a, at(60)),
            (std::vector<std::string>{
                "ssh: 5 failures in a row (no route to host), the next try decides"}));
  EXPECT_TRUE(breakers.open_circuits(b, at(1)).empty());
  EXPECT_EQ(breakers.next_wake(at(1)), at(60));
  EXPECT_EQ(breakers.next_wake(at(60)), std::nullopt);
}

TEST(Breakers, what_works_again_costs_nothing) {
  Breakers breakers;
  breakers.failed(NodeId("a"), Transport::kP2p, at(0), "reset");
  EXPECT_EQ(breakers.size(), 1u);
  breakers.begun(NodeId("a"), Transport::kP2p, at(1));
  breakers.succeeded(NodeId("a"), Transport::kP2p, at(2));
  EXPECT_EQ(breakers.size(), 0u);
  breakers.failed(NodeId("a"), Transport::kP2p, at(3), "reset");
  breakers.failed(NodeId("a"), Transport::kSsh, at(3), "reset");
  breakers.failed(NodeId("b"), Transport::kSsh, at(3), "reset");
  breakers.forget(NodeId("a"));
  EXPECT_EQ(breakers.size(), 1u);
}

TEST(Breakers, remember_a_bounded_number_of_pairs) {
  Breakers breakers({}, 3);
  for (int i = 0; i < 5; ++i) breakers.failed(NodeId("bad"), Transport::kP2p, at(0), "refused");
  for (int i = 0; i < 10; ++i) {
    breakers.failed(NodeId("n" + std::to_string(i)), Transport::kP2p, at(i), "refused");
  }
  EXPECT_EQ(breakers.size(), 3u);
  EXPECT_FALSE(breakers.allows(NodeId("bad"), Transport::kP2p, at(10)));
}

TEST(Breakers, limits_come_from_the_configuration) {
  core::TransportLimits limits;
  limits.breaker_failures = 2;
  limits.breaker_open_ms = 1500;
  const BreakerLimits own = breaker_limits(limits);
  EXPECT_EQ(own.failures, 2);
  EXPECT_EQ(own.open_for, core::milliseconds(1500));
}

TEST(Transport, is_read_by_name_and_a_mistyped_one_is_refused) {
  for (const Transport transport : kTransports) {
    EXPECT_EQ(*parse_transport(to_string(transport)), transport);
  }
  EXPECT_EQ(parse_transport("aria").error().what,
            "there is no transport 'aria'; did you mean 'aria2'? "
            "(nfs, p2p, swarm, aria2 and ssh exist)");
}

// Whatever happens, in any open minute at most one attempt gets through, and an attempt is always
// possible again within a minute of the last one.
RC_GTEST_PROP(Breaker, never_blocks_for_longer_than_a_minute, ()) {
  Breaker breaker;
  int now = 0;
  for (int i = 0; i < 60; ++i) {
    now += *rc::gen::inRange(0, 40);
    if (breaker.allows(at(now)) && *rc::gen::arbitrary<bool>()) breaker.begun(at(now));
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        breaker.succeeded(at(now));
        break;
      case 1:
      case 2:
        breaker.failed(at(now), "x");
        break;
      default:
        break;
    }
    RC_ASSERT(breaker.allows(at(now + 60)));
  }
}

}  // namespace
}  // namespace syncline::transfer
