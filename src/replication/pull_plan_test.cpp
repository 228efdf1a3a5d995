#include "replication/pull_plan.hpp"

#include <gtest/gtest.h>

namespace syncline::replication {
namespace {

using core::Instant;
using core::NodeId;
using core::SeqSet;
const core::LogId kLog{core::CollectionName("games"), NodeId("origin"), {1}};
const NodeId kA("a");
const NodeId kB("b");

SeqSet set(const char* text) {
  return *core::parse_seq_set(text);
}
Instant at_ms(int ms) {
  return Instant{core::milliseconds(ms)};
}

std::vector<PullRequest> ask(PullPlan& plan, const LogView& view, int ms) {
  std::vector<PullRequest> out;
  plan.consider(view, at_ms(ms), out);
  return out;
}

TEST(PullPlan, waits_for_the_push_before_it_asks) {
  PullPlan plan({}, 1);
  const LogView view{kLog, set("1-2"), {{kA, set("1-9")}}};
  EXPECT_TRUE(ask(plan, view, 0).empty());
  EXPECT_TRUE(ask(plan, view, 399).empty());
  const auto requests = ask(plan, view, 400);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0], (PullRequest{kA, kLog, set("3-9")}));
}

TEST(PullPlan, asks_each_record_of_one_holder_at_a_time) {
  PullPlan plan({}, 1);
  const LogView view{kLog, {}, {{kA, set("1-4")}, {kB, set("3-8")}}};
  ask(plan, view, 0);
  SeqSet asked;
  for (const PullRequest& request : ask(plan, view, 500)) {
    EXPECT_TRUE(asked.intersect(request.wanted).empty());
    asked.insert(request.wanted);
  }
  EXPECT_EQ(asked, set("1-8"));
  EXPECT_TRUE(ask(plan, view, 600).empty());
}

TEST(PullPlan, asks_somebody_else_when_a_holder_does_not_deliver) {
  PullPlan plan({}, 1);
  const LogView view{kLog, {}, {{kA, set("1-4")}, {kB, set("1-4")}}};
  ask(plan, view, 0);
  const NodeId first = ask(plan, view, 500).at(0).from;
  const auto again = ask(plan, view, 500 + 10'000);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_NE(again[0].from, first);
}

TEST(PullPlan, asks_anew_when_the_link_to_the_holder_broke) {
  PullPlan plan({}, 1);
  const LogView view{kLog, {}, {{kA, set("1-4")}}};
  ask(plan, view, 0);
  ASSERT_EQ(ask(plan, view, 500).size(), 1u);
  plan.link_down(kA);
  EXPECT_EQ(ask(plan, view, 501).size(), 1u);
}

TEST(PullPlan, leaves_a_holder_that_refused_alone_until_it_said_to_come_back) {
  PullPlan plan({}, 1);
  const LogView view{kLog, {}, {{kA, set("1-4")}}};
  ask(plan, view, 0);
  ASSERT_EQ(ask(plan, view, 500).size(), 1u);
  plan.refused(kA, kLog, at_ms(1500));
  EXPECT_TRUE(ask(plan, view, 501).empty());
  EXPECT_EQ(plan.next_wake(), at_ms(1500));
  EXPECT_EQ(ask(plan, view, 1500).size(), 1u);
}

TEST(PullPlan, asks_for_what_lies_behind_a_record_that_nobody_can_serve_now) {
  PullPlan plan({}, 1);
  const LogView view{kLog, {}, {{kA, set("1-4")}, {kB, set("3-4")}}};
  ask(plan, view, 0);
  ask(plan, view, 500);
  plan.refused(kA, kLog, at_ms(9000));
  plan.refused(kB, kLog, at_ms(600));
  const auto requests = ask(plan, view, 600);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0], (PullRequest{kB, kLog, set("3-4")}));
}

TEST(PullPlan, keeps_its_open_requests_bounded) {
  PullLimits limits;
  limits.records_max = 1;
  limits.requests_max = 3;
  PullPlan plan(limits, 1);
  LogView view{kLog, {}, {}};
  for (int i = 0; i < 20; ++i) view.holders[NodeId("n" + std::to_string(i))] = set("1-100");
  ask(plan, view, 0);
  EXPECT_EQ(ask(plan, view, 500).size(), 3u);
}

TEST(PullPlan, has_nothing_to_wake_for_once_the_gap_is_closed) {
  PullPlan plan({}, 1);
  ask(plan, {kLog, {}, {{kA, set("1-4")}}}, 0);
  EXPECT_TRUE(plan.next_wake().has_value());
  ask(plan, {kLog, set("1-4"), {{kA, set("1-4")}}}, 1);
  EXPECT_FALSE(plan.next_wake().has_value());
}

}  // namespace
}  // namespace syncline::replication
