#include "engine/line.hpp"

#include <gtest/gtest.h>

namespace syncline::engine {
namespace {

using core::CollectionName;
using core::Instant;
using core::milliseconds;
using core::Priority;
using core::seconds;

constexpr std::uint64_t kLarge = 100 << 20;

core::Config config_of(int places) {
  core::Config config;
  config.node.id = core::NodeId("self");
  config.transport.jobs_max = places;
  for (const char* name : {"models", "npz"}) {
    core::CollectionConfig collection;
    collection.name = CollectionName(name);
    config.collections.push_back(collection);
  }
  return config;
}

ObjectId object(const std::string& collection, int number) {
  return {CollectionName(collection), std::to_string(number)};
}

scheduling::Job job(const std::string& collection, Priority priority, double mbps = 0) {
  scheduling::Job job;
  job.collection = CollectionName(collection);
  job.source = core::NodeId("holder");
  job.source_provider = "vast";
  job.target = core::NodeId("self");
  job.bytes = kLarge;
  job.priority = priority;
  job.bandwidth_mbps = mbps;
  return job;
}

// The next one that gets the only place; the one before leaves it.
std::optional<ObjectId> next(Line& line, std::optional<ObjectId> before, Instant now) {
  if (before) line.leave(*before, now);
  if (line.started().empty()) return std::nullopt;
  const ObjectId first = line.started().front();
  line.started().pop_front();
  return first;
}

TEST(Line, serves_by_share_and_starves_nobody) {
  Line line(config_of(1));
  const Instant now{};
  std::optional<ObjectId> running;
  for (int i = 0; i < 40; ++i) {
    line.submit(object("npz", i), job("npz", Priority::kBackground), now);
    line.submit(object("models", i), job("models", Priority::kCritical), now);
  }
  std::map<std::string, int> served;
  for (int i = 0; i < 36; ++i) {
    running = next(line, running, now);
    ASSERT_TRUE(running);
    ++served[running->first.text];
  }
  EXPECT_GE(served["models"], 6 * served["npz"]) << "2.0 to 0.25";
  EXPECT_GE(served["npz"], 2) << "and yet it is served";
}

TEST(Line, lets_nobody_of_a_paused_collection_begin_and_stops_those_that_run) {
  Line line(config_of(4));
  const Instant now{};
  line.submit(object("models", 1), job("models", Priority::kNormal), now);
  EXPECT_EQ(next(line, {}, now), object("models", 1));
  line.pause(CollectionName("models"), true, now);
  const auto stopped = line.take_stopped();
  ASSERT_EQ(stopped.size(), 1u);
  EXPECT_EQ(stopped[0].object, object("models", 1));
  EXPECT_EQ(stopped[0].why, "models is paused");
  EXPECT_FALSE(line.has_place(object("models", 1)));
  line.submit(object("models", 2), job("models", Priority::kNormal), now);
  line.submit(object("npz", 1), job("npz", Priority::kNormal), now);
  EXPECT_EQ(next(line, {}, now), object("npz", 1));
  EXPECT_EQ(next(line, {}, now), std::nullopt);
  EXPECT_EQ(line.why_waiting(object("models", 2), now), "models is paused");
  line.pause(CollectionName("models"), false, now);
  EXPECT_EQ(next(line, {}, now), object("models", 1)) << "its old place";
  EXPECT_EQ(next(line, {}, now), object("models", 2));
}

TEST(Line, follows_a_schedule_by_the_clock_it_is_told) {
  core::Config config = config_of(4);
  config.transport.schedules = {"models 08:00-18:00 closed"};
  Line line(config);
  Instant now{};
  const std::int64_t noon = 12 * 3600 * 1000;
  line.clock_told({{noon}, 0}, now);
  line.submit(object("models", 1), job("models", Priority::kNormal), now);
  EXPECT_EQ(next(line, {}, now), std::nullopt);
  EXPECT_NE(line.why_waiting(object("models", 1), now).find("closed by the schedule"),
            std::string::npos);
  now = now + seconds(6 * 3600);
  ASSERT_TRUE(line.next_wake() && *line.next_wake() <= now) << "it wakes by itself at 18:00";
  line.tick(now);
  EXPECT_EQ(next(line, {}, now), object("models", 1));
}

TEST(Line, refuses_a_schedule_that_cannot_be_read) {
  core::Config config = config_of(1);
  config.transport.schedules = {"modles 08:00-18:00 closed"};
  ASSERT_FALSE(schedules_of(config).ok());
  config.transport.schedules = {"models 08:00-18:00 closed", "mon-fri 08:00-18:00 10"};
  EXPECT_TRUE(schedules_of(config).ok());
}

// Bytes that two greedy fetches are granted in `time`.
std::map<ObjectId, double> run(Line& line, const std::vector<ObjectId>& greedy,
                               core::Duration time) {
  std::map<ObjectId, double> had;
  Instant now{};
  for (const ObjectId& one : greedy) line.asks(one, 4 << 20, now);
  for (const Instant end = now + time; now < end; now = now + milliseconds(5)) {
    line.tick(now);
    for (const auto& [object, bytes] : line.take_grants()) {
      had[object] += static_cast<double>(bytes);
      line.asks(object, bytes, now);
    }
  }
  return had;
}

TEST(Line, keeps_limits_within_five_per_cent_and_shares_them_by_priority) {
  core::Config config = config_of(4);
  config.transport.bandwidth_total_mbps = 10;
  Line line(config);
  line.submit(object("models", 1), job("models", Priority::kCritical), {});
  line.submit(object("npz", 1), job("npz", Priority::kLow), {});
  EXPECT_TRUE(line.is_metered(object("npz", 1)));
  const auto had = run(line, {object("models", 1), object("npz", 1)}, seconds(20));
  const double models = had.at(object("models", 1));
  const double npz = had.at(object("npz", 1));
  EXPECT_NEAR(models + npz, 200e6, 10e6);
  EXPECT_NEAR(models / npz, 4, 0.4) << "2.0 to 0.5";
}

TEST(Line, keeps_the_limit_of_a_provider_and_that_of_a_request) {
  core::Config config = config_of(4);
  config.transport.bandwidth_by_provider_mbps = {{"vast*", 5}};
  Line line(config);
  line.submit(object("models", 1), job("models", Priority::kNormal), {});
  line.submit(object("models", 2), job("models", Priority::kNormal, 1), {});
  const auto had = run(line, {object("models", 1), object("models", 2)}, seconds(20));
  EXPECT_NEAR(had.at(object("models", 2)), 20e6, 1.5e6);
  EXPECT_NEAR(had.at(object("models", 1)) + had.at(object("models", 2)), 100e6, 5e6);
}

TEST(Line, meters_nothing_where_no_limit_is_set) {
  Line line(config_of(1));
  line.submit(object("models", 1), job("models", Priority::kNormal), {});
  EXPECT_FALSE(line.is_metered(object("models", 1)));
}

TEST(Line, who_cannot_ask_is_told_its_pace_with_each_attempt_and_when_it_changes) {
  core::Config config = config_of(2);
  config.transport.bandwidth_total_mbps = 8;
  Line line(config);
  const Instant now{};
  line.submit(object("models", 1), job("models", Priority::kNormal), now);
  EXPECT_EQ(line.set_paced(object("models", 1), true, now), 8);
  EXPECT_EQ(line.set_paced(object("models", 1), true, now), 8) << "the next way, after a failure";
  line.take_paces();
  line.submit(object("models", 2), job("models", Priority::kNormal), now);
  const auto told = line.take_paces();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0], (std::pair<ObjectId, double>{object("models", 1), 4})) << "they share now";
  EXPECT_EQ(line.set_paced(object("models", 1), false, now), 0) << "it asks";
}

TEST(Line, where_no_limit_holds_there_is_no_pace) {
  Line line(config_of(2));
  line.submit(object("models", 1), job("models", Priority::kNormal), {});
  EXPECT_EQ(line.set_paced(object("models", 1), true, {}), 0);
  EXPECT_TRUE(line.take_paces().empty());
}

}  // namespace
}  // namespace syncline::engine
