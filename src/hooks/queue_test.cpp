#include "hooks/queue.hpp"

#include <gtest/gtest.h>

namespace syncline::hooks {
namespace {

core::Instant at(int s) {
  return core::Instant{} + core::seconds(1000 + s);
}

core::HookConfig pager() {
  core::HookConfig config;
  config.name = "pager";
  config.on = {"data_sync_failed", "node_*"};
  config.post = "https://user:secret@pager.example:8443/hook?token=secret";
  config.tries = 3;
  config.pause_s = 2;
  return config;
}

TEST(Queue, wants_the_events_its_globs_name) {
  const Queue queue(pager());
  EXPECT_TRUE(queue.wants("node_dead"));
  EXPECT_TRUE(queue.wants("data_sync_failed"));
  EXPECT_FALSE(queue.wants("data_sync_completed"));
}

TEST(Queue, tells_in_order_and_the_next_only_after_a_success) {
  Queue queue(pager());
  EXPECT_EQ(queue.due(at(0)), nullptr);
  queue.offer({"node_dead", "1"});
  queue.offer({"node_dead", "2"});
  ASSERT_NE(queue.due(at(0)), nullptr);
  EXPECT_EQ(queue.due(at(0))->json, "1");
  queue.succeeded();
  EXPECT_EQ(queue.due(at(0))->json, "2");
  queue.succeeded();
  EXPECT_EQ(queue.due(at(0)), nullptr);
  EXPECT_EQ(queue.state().delivered, 2u);
}

TEST(Queue, after_a_failure_waits_twice_as_long_each_time_and_then_gives_up) {
  Queue queue(pager());
  queue.offer({"node_dead", "1"});
  queue.offer({"node_dead", "2"});
  queue.failed("refused", at(0));
  EXPECT_EQ(queue.due(at(1)), nullptr);
  EXPECT_EQ(queue.next_wake(), at(2));
  EXPECT_EQ(queue.due(at(2))->json, "1");
  queue.failed("refused", at(2));
  EXPECT_EQ(queue.next_wake(), at(6));
  EXPECT_EQ(queue.state().waiting, 2u);
  queue.failed("refused", at(6));
  EXPECT_EQ(queue.state().given_up, 1u);
  EXPECT_EQ(queue.state().last_error, "refused");
  EXPECT_EQ(queue.due(at(100))->json, "2") << "the next has tries of its own";
  queue.succeeded();
  EXPECT_EQ(queue.state().last_error, "");
}

TEST(Queue, is_bounded_and_gives_the_oldest_up) {
  core::HookConfig config = pager();
  config.queue_max = 2;
  Queue queue(config);
  for (const char* json : {"1", "2", "3"}) queue.offer({"node_dead", json});
  EXPECT_EQ(queue.state().waiting, 2u);
  EXPECT_EQ(queue.state().given_up, 1u);
  EXPECT_EQ(queue.due(at(0))->json, "2");
}

TEST(Queue, shows_where_it_tells_without_what_may_be_secret) {
  EXPECT_EQ(Queue(pager()).state().target, "https://pager.example:8443");
}

}  // namespace
}  // namespace syncline::hooks
