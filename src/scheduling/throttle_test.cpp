#include "scheduling/throttle.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>

namespace syncline::scheduling {
namespace {

using core::Instant;
using core::milliseconds;
using core::Priority;
using core::seconds;

Job job_of(JobId id, const std::string& target = "b") {
  Job job;
  job.id = id;
  job.collection = core::CollectionName("games");
  job.source = core::NodeId("a");
  job.target = core::NodeId(target);
  job.bytes = 1'000'000'000;
  return job;
}

// Runs transfers that always want more; gives the bytes each one had until `end`.
std::map<JobId, double> run(Throttle& throttle, const std::vector<JobId>& jobs, Instant end) {
  std::map<JobId, double> had;
  for (const JobId job : jobs) throttle.ask(job, 4 << 20);
  Instant now{};
  int wakes = 0;
  while (now <= end && ++wakes < 1'000'000) {
    for (const Grant& grant : throttle.grants(now)) {
      had[grant.job] += static_cast<double>(grant.bytes);
      throttle.ask(grant.job, grant.bytes);
    }
    const auto wake = throttle.next_wake(now);
    if (!wake) break;
    EXPECT_GT(*wake, now);
    now = *wake;
  }
  return had;
}

TEST(Throttle, shares_the_total_by_priority_within_five_percent) {
  Caps caps;
  caps.total_mbps = 10;
  Throttle throttle(caps);
  const Priority priorities[] = {Priority::kCritical, Priority::kHigh, Priority::kNormal,
                                 Priority::kLow, Priority::kBackground};
  const double shares[] = {2, 1.5, 1, 0.5, 0.25};
  for (JobId id = 0; id < 5; ++id) {
    Job job = job_of(id);
    job.priority = priorities[id];
    throttle.add(job, {});
  }
  auto had = run(throttle, {0, 1, 2, 3, 4}, {seconds(20)});
  double total = 0;
  for (const auto& [id, bytes] : had) total += bytes;
  EXPECT_NEAR(total, 200e6, 10e6);
  for (JobId id = 0; id < 5; ++id) {
    EXPECT_NEAR(had[id] / total, shares[id] / 5.25, 0.05 * shares[id] / 5.25) << id;
  }
}

struct CapCase {
  const char* name;
  std::function<void(Caps&, Job&, Job&)> change;  // two transfers
  double first_mbps;
  double second_mbps;
};

TEST(Throttle, holds_every_cap_within_five_percent) {
  const std::vector<CapCase> cases = {
      {"total", [](Caps& c, Job&, Job&) { c.total_mbps = 8; }, 4, 4},
      {"node",
       [](Caps& c, Job&, Job&) {
         c.by_node_mbps["b"] = 3;
         c.total_mbps = 9;
       },
       3, 6},
      {"each node of a glob", [](Caps& c, Job&, Job&) { c.by_node_mbps["[bc]"] = 2; }, 2, 2},
      {"provider, all its nodes together",
       [](Caps& c, Job& x, Job& y) {
         c.by_provider_mbps["va*"] = 5;
         x.target_provider = y.target_provider = "vast";
       },
       2.5, 2.5},
      {"collection",
       [](Caps& c, Job&, Job& y) {
         y.collection = core::CollectionName("models");
         c.by_collection_mbps[y.collection] = 1;
         c.total_mbps = 8;
       },
       7, 1},
      {"its own limit",
       [](Caps& c, Job& x, Job&) {
         x.bandwidth_mbps = 0.5;
         c.total_mbps = 4;
       },
       0.5, 3.5},
  };
  for (const CapCase& c : cases) {
    Caps caps;
    Job first = job_of(1, "b"), second = job_of(2, "c");
    c.change(caps, first, second);
    Throttle throttle(caps);
    throttle.add(first, {});
    throttle.add(second, {});
    auto had = run(throttle, {1, 2}, {seconds(10)});
    EXPECT_NEAR(had[1] / 10e6, c.first_mbps, 0.05 * c.first_mbps) << c.name;
    EXPECT_NEAR(had[2] / 10e6, c.second_mbps, 0.05 * c.second_mbps) << c.name;
  }
}

TEST(Throttle, gives_everything_at_once_where_there_is_no_limit) {
  Throttle throttle{Caps{}};
  throttle.add(job_of(1), {});
  throttle.ask(1, 5'000'000'000);
  EXPECT_EQ(throttle.grants({}), (std::vector<Grant>{{1, 5'000'000'000}}));
  EXPECT_EQ(throttle.next_wake({}), std::nullopt);
}

// W: a 2 KB game beside a 5 GB archive on a link of 10 MB/s.
TEST(Throttle, a_game_that_begins_beside_an_archive_waits_less_than_fifty_milliseconds) {
  for (const double mbps : {1.0, 10.0, 100.0}) {
    Caps caps;
    caps.total_mbps = mbps;
    Throttle throttle(caps);
    throttle.add(job_of(1), {});
    throttle.ask(1, 5'000'000'000);
    Instant now{};
    while (now < Instant{seconds(3)}) {
      throttle.grants(now);
      now = *throttle.next_wake(now);
    }
    Job game = job_of(2);
    game.bytes = 2048;
    throttle.add(game, now);
    throttle.ask(2, 2048);
    const Instant begun = now;
    std::uint64_t had = 0;
    while (had < 2048) {
      for (const Grant& grant : throttle.grants(now)) had += grant.job == 2 ? grant.bytes : 0;
      if (had < 2048) now = *throttle.next_wake(now);
    }
    EXPECT_LT(now - begun, milliseconds(50)) << mbps << " MB/s";
  }
}

TEST(Throttle, who_wanted_nothing_for_a_while_claims_nothing_of_it) {
  Caps caps;
  caps.total_mbps = 10;
  Throttle throttle(caps);
  throttle.add(job_of(1), {});
  throttle.add(job_of(2), {});
  auto alone = run(throttle, {1}, {seconds(10)});
  EXPECT_NEAR(alone[1], 100e6, 5e6);
  // Now both: job 2 does not get ten seconds for itself first.
  throttle.ask(2, 100 << 20);
  double first = 0, second = 0;
  Instant now{seconds(11)};
  while (now < Instant{seconds(13)}) {
    for (const Grant& grant : throttle.grants(now)) {
      (grant.job == 1 ? first : second) += static_cast<double>(grant.bytes);
      throttle.ask(grant.job, grant.bytes);
    }
    now = *throttle.next_wake(now);
  }
  EXPECT_NEAR(first / second, 1.0, 0.1);
}

TEST(Throttle, follows_new_caps_at_once) {
  Caps caps;
  caps.total_mbps = 1;
  Throttle throttle(caps);
  throttle.add(job_of(1), {});
  throttle.ask(1, 10'000'000);
  throttle.grants({});
  EXPECT_EQ(throttle.waiting_for(1, {}), "the limit of 1 MB/s in total");
  throttle.set_caps(Caps{}, {});
  EXPECT_EQ(throttle.grants({}).size(), 1u);
  EXPECT_EQ(throttle.waiting_for(1, {}), "");
  throttle.remove(1, {});
  throttle.ask(1, 5);
  EXPECT_TRUE(throttle.grants({}).empty());
}

RC_GTEST_PROP(Throttle, never_grants_more_than_was_asked_nor_more_than_a_cap, ()) {
  Caps caps;
  caps.total_mbps = 2;
  caps.by_node_mbps["b"] = 1;
  Throttle throttle(caps);
  std::map<JobId, std::int64_t> open;
  for (JobId id = 0; id < 4; ++id) throttle.add(job_of(id, id % 2 == 0 ? "b" : "c"), {});
  double total = 0, to_b = 0;
  std::int64_t now = 0;
  for (int i = 0; i < 200; ++i) {
    now += *rc::gen::inRange(0, 30);
    const JobId id = static_cast<JobId>(*rc::gen::inRange(0, 4));
    const int bytes = *rc::gen::inRange(0, 100'000);
    throttle.ask(id, static_cast<std::uint64_t>(bytes));
    open[id] += bytes;
    for (const Grant& grant : throttle.grants({milliseconds(now)})) {
      open[grant.job] -= static_cast<std::int64_t>(grant.bytes);
      RC_ASSERT(open[grant.job] >= 0);
      total += static_cast<double>(grant.bytes);
      if (grant.job % 2 == 0) to_b += static_cast<double>(grant.bytes);
    }
    const double passed = static_cast<double>(now) / 1000;
    RC_ASSERT(total <= 2e6 * passed + 0.05 * 2e6 + 1);
    RC_ASSERT(to_b <= 1e6 * passed + 0.05 * 1e6 + 1);
  }
}

// What was told last, by job.
std::map<JobId, double> paces(Throttle& throttle) {
  std::map<JobId, double> told;
  for (const Pace& pace : throttle.take_paces()) told[pace.job] = pace.mbps;
  return told;
}

TEST(Throttle, tells_a_pace_to_those_who_cannot_ask_and_leaves_the_rest_to_the_others) {
  Caps caps;
  caps.total_mbps = 10;
  Throttle throttle(caps);
  throttle.add(job_of(1), {});
  throttle.add(job_of(2), {});
  throttle.set_paced(1, true, {});
  EXPECT_EQ(paces(throttle), (std::map<JobId, double>{{1, 5}}));
  auto had = run(throttle, {2}, {seconds(20)});
  EXPECT_NEAR(had[2], 100e6, 5e6);

  throttle.add(job_of(3), {seconds(20)});
  ASSERT_EQ(paces(throttle).size(), 1u) << "a third shares with them";
  throttle.remove(2, {seconds(20)});
  throttle.remove(3, {seconds(20)});
  EXPECT_EQ(paces(throttle), (std::map<JobId, double>{{1, 10}})) << "it is alone";
  throttle.set_caps({}, {seconds(20)});
  EXPECT_EQ(paces(throttle), (std::map<JobId, double>{{1, 0}})) << "no limit is left";
}

TEST(Throttle, a_pace_is_that_of_the_narrowest_limit) {
  Caps caps;
  caps.total_mbps = 10;
  caps.by_provider_mbps["vast*"] = 3;
  Throttle throttle(caps);
  Job job = job_of(1);
  job.source_provider = "vast.ai";
  throttle.add(job, {});
  throttle.set_paced(1, true, {});
  EXPECT_EQ(paces(throttle), (std::map<JobId, double>{{1, 3}}));
  throttle.set_paced(1, false, {});
  EXPECT_TRUE(paces(throttle).empty()) << "it asks again";
}

// Whatever comes and goes: those who are paced and those who ask never have more than the limit.
RC_GTEST_PROP(ThrottleProperty, paced_and_metered_together_keep_the_limit, ()) {
  Caps caps;
  caps.total_mbps = *rc::gen::inRange(1, 50);
  Throttle throttle(caps);
  const int jobs = *rc::gen::inRange(1, 8);
  std::vector<JobId> asking;
  for (JobId id = 1; id <= static_cast<JobId>(jobs); ++id) {
    Job job = job_of(id);
    job.priority = *rc::gen::element(Priority::kCritical, Priority::kNormal, Priority::kBackground);
    throttle.add(job, {});
    if (*rc::gen::arbitrary<bool>()) {
      throttle.set_paced(id, true, {});
    } else {
      asking.push_back(id);
    }
  }
  double paced = 0;
  for (const auto& [id, mbps] : paces(throttle)) paced += mbps;
  double had = 0;
  for (const auto& [id, bytes] : run(throttle, asking, {seconds(2)})) had += bytes;
  RC_ASSERT(paced * 1e6 * 2 + had <= caps.total_mbps * 1e6 * 2 * 1.05 + 8192);
}

}  // namespace
}  // namespace syncline::scheduling
