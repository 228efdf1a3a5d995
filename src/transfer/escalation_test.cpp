#include "transfer/escalation.hpp"

#include <gtest/gtest.h>

namespace syncline::transfer {
namespace {

using core::ErrorKind;
using core::Instant;
using core::NodeId;
using core::seconds;

const NodeId kA("a"), kB("b");
Instant at(int s) {
  return {seconds(s)};
}
core::Error refused() {
  return {ErrorKind::kUnreachable, "connection refused", "a"};
}

Choice choice_of(std::vector<Transport> ways, std::vector<NodeId> sources = {kA, kB}) {
  Choice choice;
  for (const Transport way : ways) choice.order.push_back({way, sources, 1, ""});
  return choice;
}

TEST(Escalation, has_the_timeouts_and_tries_of_the_reference) {
  const core::TransportLimits limits;
  EXPECT_EQ(times_of(Transport::kP2p, limits), (Times{seconds(5), seconds(120), 2}));
  EXPECT_EQ(times_of(Transport::kSsh, limits), (Times{seconds(10), seconds(300), 3}));
}

TEST(Escalation, tries_again_after_a_pause_then_goes_on_to_the_next_way) {
  Escalation job(choice_of({Transport::kP2p, Transport::kSsh}), {}, at(0));
  ASSERT_TRUE(job.attempt());
  EXPECT_EQ(job.attempt()->transport, Transport::kP2p);
  EXPECT_EQ(job.attempt()->start_at, at(0));
  job.failed(refused(), kA, at(1));
  EXPECT_EQ(job.attempt()->number, 2);
  EXPECT_EQ(job.attempt()->start_at, at(2));
  EXPECT_EQ(job.attempt()->sources, (std::vector<NodeId>{kB, kA})) << "the other one first";
  EXPECT_EQ(job.say(at(1)), "p2p, try 2 of 2, in 1 s");
  job.failed(refused(), kB, at(3));
  EXPECT_EQ(job.attempt()->transport, Transport::kSsh);
  EXPECT_EQ(job.attempt()->number, 1);
  EXPECT_EQ(job.attempt()->start_at, at(3)) << "another way needs no pause";
  EXPECT_EQ(job.say(at(3)), "ssh; before that p2p: connection refused");
  job.failed(refused(), kA, at(4));
  job.failed(refused(), kA, at(6));
  EXPECT_EQ(job.attempt()->start_at, at(8)) << "the pause doubles";
  job.failed(refused(), kA, at(9));
  EXPECT_TRUE(job.is_over());
  EXPECT_FALSE(job.is_done());
  EXPECT_EQ(job.error().what,
            "every way failed (p2p: connection refused and ssh: connection refused)");
  EXPECT_EQ(job.error().kind, ErrorKind::kUnreachable);
}

TEST(Escalation, ends_when_an_attempt_succeeds) {
  Escalation job(choice_of({Transport::kP2p}), {}, at(0));
  job.failed(refused(), kA, at(1));
  job.succeeded();
  EXPECT_TRUE(job.is_over());
  EXPECT_TRUE(job.is_done());
  EXPECT_EQ(job.say(at(2)), "done");
}

struct Case {
  ErrorKind kind;
  bool is_over;
  Transport next;
  int number;
};

TEST(Escalation, lets_the_kind_of_error_decide) {
  const std::vector<Case> cases = {
      {ErrorKind::kUnreachable, false, Transport::kP2p, 2},
      {ErrorKind::kOverloaded, false, Transport::kP2p, 2},
      {ErrorKind::kCorrupt, false, Transport::kP2p, 2},
      {ErrorKind::kConflict, false, Transport::kP2p, 2},
      {ErrorKind::kInvalid, false, Transport::kSsh, 1},
      {ErrorKind::kMissing, false, Transport::kSsh, 1},
      {ErrorKind::kExhausted, true, {}, 0},
      {ErrorKind::kCancelled, true, {}, 0},
  };
  for (const Case& c : cases) {
    Escalation job(choice_of({Transport::kP2p, Transport::kSsh}), {}, at(0));
    job.failed({c.kind, "it failed", "a"}, kA, at(1));
    ASSERT_EQ(job.is_over(), c.is_over) << core::to_string(c.kind);
    if (c.is_over) {
      EXPECT_EQ(job.error().kind, c.kind);
      continue;
    }
    EXPECT_EQ(job.attempt()->transport, c.next) << core::to_string(c.kind);
    EXPECT_EQ(job.attempt()->number, c.number) << core::to_string(c.kind);
  }
}

TEST(Escalation, never_asks_again_who_sent_wrong_bytes_by_whatever_way) {
  Escalation job(choice_of({Transport::kP2p, Transport::kSsh}), {}, at(0));
  job.failed({ErrorKind::kCorrupt, "block 7 differs", "a"}, kA, at(1));
  EXPECT_EQ(job.attempt()->sources, (std::vector<NodeId>{kB}));
  job.failed({ErrorKind::kCorrupt, "block 9 differs", "b"}, kB, at(2));
  EXPECT_TRUE(job.is_over()) << "ssh has no source left either";
}

TEST(Escalation, goes_on_without_a_source_that_is_gone) {
  Escalation job(choice_of({Transport::kP2p, Transport::kSsh}), {}, at(0));
  job.drop_source(kA, at(1));
  EXPECT_EQ(job.attempt()->sources, (std::vector<NodeId>{kB}));
  job.drop_source(kB, at(1));
  EXPECT_TRUE(job.is_over());
  EXPECT_EQ(job.error().what, "p2p: no source is left");
}

}  // namespace
}  // namespace syncline::transfer
