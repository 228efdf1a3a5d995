#include "scheduling/job_queue.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace syncline::scheduling {
namespace {

using core::Instant;
using core::Priority;
using core::seconds;

constexpr std::uint64_t kMb = 1'000'000;

std::optional<Blocker> nothing(const Job&) {
  return std::nullopt;
}

Job job_of(JobId id, std::uint64_t bytes, Priority priority = Priority::kNormal,
           const std::string& target = "b") {
  Job job;
  job.id = id;
  job.collection = core::CollectionName("games");
  job.source = core::NodeId("a");
  job.target = core::NodeId(target);
  job.bytes = bytes;
  job.priority = priority;
  return job;
}

std::vector<JobId> drain(JobQueue& queue) {
  std::vector<JobId> order;
  while (auto next = queue.pop(nothing, JobQueue::Which::kAny)) order.push_back(next->job.id);
  return order;
}

TEST(JobQueue, keeps_the_order_of_arrival_within_one_flow) {
  JobQueue queue(kMb);
  for (JobId id = 1; id <= 50; ++id) queue.push(job_of(id, 10 * kMb), {});
  const auto order = drain(queue);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.size(), 50u);
}

TEST(JobQueue, serves_each_priority_by_its_share) {
  JobQueue queue(kMb);
  const Priority priorities[] = {Priority::kCritical, Priority::kHigh, Priority::kNormal,
                                 Priority::kLow, Priority::kBackground};
  for (JobId i = 0; i < 1000; ++i) queue.push(job_of(i, 10 * kMb, priorities[i % 5]), {});
  std::map<Priority, int> served;
  for (int i = 0; i < 210; ++i) {
    ++served[queue.pop(nothing, JobQueue::Which::kAny)->job.priority];
  }
  const double shares[] = {2, 1.5, 1, 0.5, 0.25};
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(served[priorities[i]], 210 * shares[i] / 5.25, 2) << i;
}

TEST(JobQueue, a_small_job_goes_before_a_large_one_that_came_first) {
  JobQueue queue(kMb);
  queue.push(job_of(1, 5000 * kMb), {});
  queue.push(job_of(2, 2048), Instant{seconds(1)});
  EXPECT_EQ(drain(queue), (std::vector<JobId>{2, 1}));
}

TEST(JobQueue, a_large_job_is_overtaken_only_for_a_bounded_time) {
  JobQueue queue(kMb);
  queue.push(job_of(1, 5000 * kMb), {});
  queue.push(job_of(2, 2048), Instant{seconds(200)});  // 5 GB at 32 MB per second: 156 s
  EXPECT_EQ(drain(queue), (std::vector<JobId>{1, 2}));
}

TEST(JobQueue, many_jobs_of_one_target_do_not_delay_another_target) {
  JobQueue queue(kMb);
  for (JobId id = 1; id <= 1000; ++id) queue.push(job_of(id, 10 * kMb), {});
  queue.push(job_of(9999, 10 * kMb, Priority::kNormal, "c"), {});
  const auto order = drain(queue);
  EXPECT_LE(std::find(order.begin(), order.end(), 9999u) - order.begin(), 1);
}

TEST(JobQueue, a_deadline_goes_first_then_records_then_the_newest) {
  JobQueue queue(kMb);
  const auto urgent = [](JobId id, int deadline, bool is_record, std::uint64_t newness) {
    Job job = job_of(id, 10 * kMb);
    job.deadline = Instant{seconds(deadline)};
    job.is_record = is_record;
    job.newness = newness;
    return job;
  };
  queue.push(job_of(1, 1, Priority::kCritical), {});
  queue.push(urgent(2, 30, false, 5), {});
  queue.push(urgent(3, 30, false, 9), {});
  queue.push(urgent(4, 30, true, 0), {});
  queue.push(urgent(5, 20, false, 1), {});
  EXPECT_EQ(drain(queue), (std::vector<JobId>{5, 4, 3, 2, 1}));
}

TEST(JobQueue, gives_jobs_a_deadline_when_their_node_drains_but_never_a_later_one) {
  JobQueue queue(kMb);
  queue.push(job_of(1, 1), {});
  Job from_elsewhere = job_of(2, 9 * kMb);
  from_elsewhere.source = core::NodeId("z");
  queue.push(from_elsewhere, {});
  Job has_one = job_of(3, 9 * kMb);
  has_one.deadline = Instant{seconds(5)};
  queue.push(has_one, {});
  queue.set_deadline([](const Job& job) { return job.source == core::NodeId("a"); },
                     Instant{seconds(30)});
  EXPECT_EQ(queue.find(1)->deadline, Instant{seconds(30)});
  EXPECT_EQ(queue.find(2)->deadline, std::nullopt);
  EXPECT_EQ(queue.find(3)->deadline, Instant{seconds(5)});
  EXPECT_EQ(drain(queue), (std::vector<JobId>{3, 1, 2}));
}

TEST(JobQueue, what_is_blocked_waits_and_says_why_while_others_go_on) {
  JobQueue queue(kMb);
  queue.push(job_of(1, 1, Priority::kNormal, "b"), {});
  queue.push(job_of(2, 1, Priority::kNormal, "b"), {});
  queue.push(job_of(3, 1, Priority::kNormal, "c"), {});
  int asked = 0;
  const auto b_is_busy = [&](const Job& job) -> std::optional<Blocker> {
    ++asked;
    if (job.target != core::NodeId("b")) return std::nullopt;
    return Blocker{Blocker::Kind::kNode, "b", "b is busy"};
  };
  EXPECT_EQ(queue.pop(b_is_busy, JobQueue::Which::kAny)->job.id, 3u);
  EXPECT_EQ(queue.pop(b_is_busy, JobQueue::Which::kAny), std::nullopt);
  EXPECT_EQ(asked, 2) << "a flow that waits is not asked again and again";
  EXPECT_EQ(queue.why_blocked(1), "b is busy");
  EXPECT_EQ(queue.why_blocked(2), "b is busy");
  EXPECT_EQ(queue.why_blocked(77), "");
  queue.push(job_of(4, 1, Priority::kNormal, "b"), {});
  EXPECT_EQ(queue.pop(nothing, JobQueue::Which::kAny), std::nullopt);
  queue.release(Blocker::Kind::kNode, "nobody");
  queue.release(Blocker::Kind::kNode, "b");
  EXPECT_EQ(drain(queue), (std::vector<JobId>{1, 2, 4}));
}

TEST(JobQueue, passes_over_large_jobs_when_asked_for_small_ones) {
  JobQueue queue(kMb);
  queue.push(job_of(1, 2 * kMb, Priority::kCritical), {});
  queue.push(job_of(2, 1, Priority::kBackground), {});
  EXPECT_EQ(queue.pop(nothing, JobQueue::Which::kSmallOnly)->job.id, 2u);
  EXPECT_EQ(queue.pop(nothing, JobQueue::Which::kSmallOnly), std::nullopt);
  EXPECT_EQ(queue.size(), 1u);
}

TEST(JobQueue, a_stopped_job_takes_its_old_place) {
  JobQueue queue(kMb);
  for (JobId id = 1; id <= 3; ++id) queue.push(job_of(id, 5 * kMb), {});
  const auto first = *queue.pop(nothing, JobQueue::Which::kAny);
  queue.push_again(first);
  EXPECT_EQ(drain(queue), (std::vector<JobId>{1, 2, 3}));
}

TEST(JobQueue, a_cancelled_job_is_gone_also_from_among_the_blocked) {
  JobQueue queue(kMb);
  queue.push(job_of(1, 7), {});
  queue.pop(
      [](const Job&) {
        return Blocker{Blocker::Kind::kEverything, "", "paused"};
      },
      JobQueue::Which::kAny);
  EXPECT_EQ(queue.bytes(), 7u);
  EXPECT_TRUE(queue.cancel(1));
  EXPECT_FALSE(queue.cancel(1));
  EXPECT_EQ(queue.bytes(), 0u);
  queue.release_all();
  EXPECT_TRUE(queue.empty());
}

TEST(JobQueueDeathTest, refuses_a_job_that_waits_already) {
  JobQueue queue(kMb);
  queue.push(job_of(1, 7), {});
  EXPECT_DEATH(queue.push(job_of(1, 7), {}), "job waits already 1");
}

// However urgent the others are and however many keep coming, each job is served within a time
// that depends on its own size and priority, and on what was there before it.
RC_GTEST_PROP(JobQueue, no_job_starves, ()) {
  JobQueue queue(kMb);
  const auto bytes = static_cast<std::uint64_t>(*rc::gen::inRange(1, 500)) * kMb;
  const auto priority = *rc::gen::element(Priority::kNormal, Priority::kLow, Priority::kBackground);
  queue.push(job_of(0, bytes, priority, "far"), {});
  // Whoever comes after `patience_s` comes after it. One job a second is served, and two critical
  // ones of any size arrive, each in a flow of its own: twice the patience, then, and no more.
  const double patience_s =
      static_cast<double>(bytes) / core::share_of(priority) / kAgeingBytesPerSecond;
  const double bound_s = 2 * patience_s + 2;
  JobId id = 1;
  for (int second = 1;; ++second) {
    RC_ASSERT(second <= bound_s);
    for (int i = 0; i < 2; ++i, ++id) {
      const auto size = static_cast<std::uint64_t>(*rc::gen::inRange(1, 3'000'000));
      queue.push(job_of(id, size, Priority::kCritical, "n" + std::to_string(id)),
                 Instant{seconds(second)});
    }
    const auto next = queue.pop(nothing, JobQueue::Which::kAny);
    if (next->job.id == 0) break;
  }
}

// A model that is simply sorted: same keys, no flows, no ready sets.
RC_GTEST_PROP(JobQueue, loses_and_doubles_nothing, ()) {
  JobQueue queue(kMb);
  std::set<JobId> waiting;
  JobId next_id = 1;
  std::uint64_t bytes = 0;
  std::map<JobId, std::uint64_t> size_of;
  for (int step = 0; step < 150; ++step) {
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
      case 1:
      case 2: {
        const auto size = static_cast<std::uint64_t>(*rc::gen::inRange(0, 3)) * kMb;
        queue.push(job_of(next_id, size, *rc::gen::element(Priority::kHigh, Priority::kLow),
                          *rc::gen::element<std::string>("b", "c", "d")),
                   Instant{seconds(step)});
        bytes += size;
        size_of[next_id] = size;
        waiting.insert(next_id++);
        break;
      }
      case 3: {
        const auto busy = *rc::gen::element<std::string>("b", "c", "nobody");
        const auto next = queue.pop(
            [&](const Job& job) -> std::optional<Blocker> {
              if (job.target.text != busy) return std::nullopt;
              return Blocker{Blocker::Kind::kNode, busy, "busy"};
            },
            *rc::gen::element(JobQueue::Which::kAny, JobQueue::Which::kSmallOnly));
        if (next) {
          RC_ASSERT(waiting.erase(next->job.id) == 1u);
          bytes -= size_of[next->job.id];
        }
        break;
      }
      case 4:
        if (!waiting.empty()) {
          const JobId id = *rc::gen::elementOf(waiting);
          RC_ASSERT(queue.cancel(id));
          waiting.erase(id);
          bytes -= size_of[id];
        }
        break;
      default:
        queue.release_all();
    }
    RC_ASSERT(queue.size() == waiting.size());
    RC_ASSERT(queue.bytes() == bytes);
  }
  queue.release_all();
  const auto rest = drain(queue);
  RC_ASSERT(std::set<JobId>(rest.begin(), rest.end()) == waiting);
}

}  // namespace
}  // namespace syncline::scheduling
