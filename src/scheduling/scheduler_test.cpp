#include "scheduling/scheduler.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace syncline::scheduling {
namespace {

using core::CollectionName;
using core::Instant;
using core::milliseconds;
using core::NodeId;
using core::Priority;
using core::seconds;

constexpr std::uint64_t kMb = 1'000'000;
constexpr std::uint64_t kGb = 1'000 * kMb;

Job job_of(JobId id, std::uint64_t bytes, const std::string& target = "b",
           const std::string& collection = "games") {
  Job job;
  job.id = id;
  job.collection = CollectionName(collection);
  job.source = NodeId("self");
  job.target = NodeId(target);
  job.bytes = bytes;
  return job;
}

// Steps a scheduler and keeps what it said last.
struct Script {
  explicit Script(Caps caps = {}, std::size_t queue_max = kQueueMax)
      : scheduler(NodeId("self"), std::move(caps), queue_max) {}

  void step(const Event& event, Instant now = {}) {
    actions.clear();
    scheduler.step(event, now, actions);
  }
  std::vector<JobId> submit(const Job& job, Instant now = {}) {
    step(Submitted{job}, now);
    return started();
  }
  std::vector<JobId> started() const {
    std::vector<JobId> ids;
    for (const Action& action : actions) {
      if (const auto* start = std::get_if<Start>(&action)) ids.push_back(start->job.id);
    }
    return ids;
  }
  std::vector<JobId> stopped() const {
    std::vector<JobId> ids;
    for (const Action& action : actions) {
      if (const auto* stop = std::get_if<Stop>(&action)) ids.push_back(stop->job);
    }
    return ids;
  }

  Scheduler scheduler;
  Actions actions;
};
using Ids = std::vector<JobId>;

TEST(Scheduler, starts_as_many_as_there_are_slots_and_the_next_when_one_ends) {
  Caps caps;
  caps.jobs_max = 2;
  Script script(caps);
  EXPECT_EQ(script.submit(job_of(1, kGb, "b")), (Ids{1}));
  EXPECT_EQ(script.submit(job_of(2, kGb, "c")), (Ids{2}));
  EXPECT_EQ(script.submit(job_of(3, kGb, "d")), (Ids{}));
  EXPECT_EQ(script.scheduler.why_waiting(3, {}),
            "it waits for its turn: 2 transfers run and 1 job waits");
  script.step(Ended{1});
  EXPECT_EQ(script.started(), (Ids{3}));
  EXPECT_EQ(script.scheduler.why_waiting(3, {}), "");
}

TEST(Scheduler, a_small_job_starts_at_once_while_archives_fill_every_slot) {
  Caps caps;
  caps.jobs_max = 2;
  caps.express_jobs_max = 1;
  Script script(caps);
  for (JobId id = 1; id <= 9; ++id) script.submit(job_of(id, 5 * kGb, "b"));
  EXPECT_EQ(script.submit(job_of(10, 2048, "b")), (Ids{10}));
  EXPECT_EQ(script.submit(job_of(11, 2048, "b")), (Ids{})) << "its slot is taken, too";
  script.step(Ended{10});
  EXPECT_EQ(script.started(), (Ids{11}));
}

TEST(Scheduler, holds_the_number_of_transfers_with_one_node_and_of_one_collection) {
  Caps caps;
  caps.jobs_max = 8;
  caps.jobs_per_node_max = 1;
  caps.jobs_by_collection[CollectionName("npz")] = 1;
  Script script(caps);
  EXPECT_EQ(script.submit(job_of(1, kGb, "b")), (Ids{1}));
  EXPECT_EQ(script.submit(job_of(2, kGb, "b")), (Ids{}));
  EXPECT_EQ(script.scheduler.why_waiting(2, {}),
            "1 transfer with b are running, as many as allowed");
  EXPECT_EQ(script.submit(job_of(3, kGb, "c", "npz")), (Ids{3}));
  EXPECT_EQ(script.submit(job_of(4, kGb, "d", "npz")), (Ids{}));
  EXPECT_EQ(script.submit(job_of(5, kGb, "d")), (Ids{5}));
  script.step(Ended{3});
  EXPECT_EQ(script.started(), (Ids{})) << "d is busy now";
  script.step(Ended{5});
  EXPECT_EQ(script.started(), (Ids{4}));
}

TEST(Scheduler, gives_bandwidth_to_those_that_ask) {
  Caps caps;
  caps.total_mbps = 1;
  Script script(caps);
  script.submit(job_of(1, kGb));
  script.step(Asked{1, 10 * kMb});
  std::uint64_t had = 0;
  Instant now{};
  while (now < Instant{seconds(2)}) {
    for (const Action& action : script.actions) {
      if (const auto* grant = std::get_if<Grant>(&action)) had += grant->bytes;
    }
    now = *script.scheduler.next_wake();
    script.step(Tick{}, now);
  }
  EXPECT_NEAR(static_cast<double>(had), 2e6, 1e5);
  EXPECT_EQ(script.scheduler.why_waiting(1, now), "it waits for the limit of 1 MB/s in total");
  EXPECT_FALSE(script.scheduler.next_wake() == std::nullopt);
  script.step(Ended{1}, now);
  EXPECT_EQ(script.scheduler.next_wake(), std::nullopt);
}

TEST(Scheduler, pauses_and_resumes_one_collection_or_everything) {
  Script script;
  script.submit(job_of(1, kGb, "b", "models"));
  script.submit(job_of(2, kGb, "c", "games"));
  script.step(Paused{CollectionName("models")});
  EXPECT_EQ(script.stopped(), (Ids{1}));
  EXPECT_EQ(script.scheduler.why_waiting(1, {}), "models is paused");
  script.step(Paused{CollectionName()});
  EXPECT_EQ(script.stopped(), (Ids{2}));
  EXPECT_EQ(script.scheduler.why_waiting(2, {}), "everything is paused");
  script.step(Resumed{CollectionName("models")});
  EXPECT_EQ(script.started(), (Ids{}));
  script.step(Resumed{CollectionName()});
  EXPECT_EQ(script.started(), (Ids{1, 2})) << "each in its old place";
}

TEST(Scheduler, when_a_node_drains_its_own_goes_first_and_nothing_goes_there) {
  Caps caps;
  caps.jobs_max = 1;
  Script script(caps);
  Job elsewhere = job_of(1, kGb, "self");
  elsewhere.source = NodeId("c");
  script.submit(elsewhere);
  Job archive = job_of(2, 2 * kGb), model = job_of(3, kGb), older = job_of(4, kGb);
  model.newness = 9;
  older.newness = 8;
  Job games = job_of(5, 3 * kMb);
  games.is_record = true;
  for (const Job& job : {archive, older, model, games}) script.submit(job);
  script.step(DrainBegan{NodeId("self"), {seconds(30)}});
  EXPECT_EQ(script.stopped(), (Ids{1}));
  Ids order = script.started();
  while (script.scheduler.running() > 0) {
    script.step(Ended{order.back()});
    for (const JobId id : script.started()) order.push_back(id);
  }
  EXPECT_EQ(order, (Ids{5, 3, 4, 2}));
  EXPECT_EQ(script.scheduler.why_waiting(1, {}), "self is about to stop");
  Job late = job_of(6, kGb, "c");
  script.submit(late);
  EXPECT_EQ(std::get<Start>(script.actions.front()).job.deadline, Instant{seconds(30)});
  script.step(Ended{6});
  script.step(DrainEnded{NodeId("self")});
  EXPECT_EQ(script.started(), (Ids{1}));
}

TEST(Scheduler, leaves_a_node_alone_while_its_circuits_are_open) {
  Script script;
  script.step(NodeHeld{NodeId("b"), {seconds(60)}, "every way to b failed"});
  EXPECT_EQ(script.submit(job_of(1, kGb, "b")), (Ids{}));
  EXPECT_EQ(script.submit(job_of(2, kGb, "c")), (Ids{2}));
  EXPECT_EQ(script.scheduler.why_waiting(1, {}), "every way to b failed");
  EXPECT_EQ(script.scheduler.next_wake(), Instant{seconds(60)});
  script.step(Tick{}, {seconds(60)});
  EXPECT_EQ(script.started(), (Ids{1}));
  script.step(NodeHeld{NodeId("c"), {seconds(90)}, "down"}, {seconds(61)});
  EXPECT_EQ(script.submit(job_of(3, kGb, "c"), {seconds(62)}), (Ids{}));
  script.step(NodeFreed{NodeId("c")}, {seconds(63)});
  EXPECT_EQ(script.started(), (Ids{3}));
}

TEST(Scheduler, obeys_schedules_and_wakes_when_they_change) {
  const std::vector<std::string> known = {"models"};
  Script script;
  script.step(SchedulesChanged{{*parse_schedule("models 08:00-09:00 closed", known),
                                *parse_schedule("08:30-10:00 2", known)}});
  const LocalTime eight{{1'795'392'000'000 + 8 * 3'600'000}, 0};  // a Monday
  script.step(WallTold{eight});
  EXPECT_EQ(script.submit(job_of(1, kGb, "b", "models")), (Ids{}));
  EXPECT_EQ(script.scheduler.why_waiting(1, {}),
            "closed by the schedule \"models 08:00-09:00 closed\"");
  EXPECT_EQ(script.submit(job_of(2, kGb, "b", "games")), (Ids{2}));
  script.step(Asked{2, 100 * kMb});
  EXPECT_EQ(std::get<Grant>(script.actions.at(0)).bytes, 100 * kMb) << "no limit yet";
  EXPECT_EQ(script.scheduler.next_wake(), Instant{seconds(1800)});
  script.step(Tick{}, {seconds(1800)});
  script.step(Asked{2, 100 * kMb}, {seconds(1800)});
  EXPECT_LE(std::get<Grant>(script.actions.at(0)).bytes, 100'000u);
  EXPECT_EQ(script.scheduler.why_waiting(2, {seconds(1800)}),
            "it waits for the limit of 2 MB/s in total");
  script.step(Tick{}, {seconds(3600)});
  EXPECT_EQ(script.started(), (Ids{1}));
  // Next morning it is stopped, and kept.
  script.step(Tick{}, {seconds(24 * 3600)});
  EXPECT_EQ(script.stopped(), (Ids{1}));
  EXPECT_EQ(script.scheduler.waiting(), 1u);
}

TEST(Scheduler, follows_new_caps) {
  Caps caps;
  caps.jobs_max = 1;
  Script script(caps);
  script.submit(job_of(1, kGb, "b"));
  EXPECT_EQ(script.submit(job_of(2, kGb, "c")), (Ids{}));
  caps.jobs_max = 2;
  script.step(CapsChanged{caps});
  EXPECT_EQ(script.started(), (Ids{2}));
}

TEST(Scheduler, a_job_told_twice_is_one_job_and_a_cancelled_one_is_gone) {
  Caps caps;
  caps.jobs_max = 1;
  Script script(caps);
  script.submit(job_of(1, kGb));
  EXPECT_EQ(script.submit(job_of(1, kGb)), (Ids{}));
  script.submit(job_of(2, kGb));
  script.submit(job_of(2, kGb));
  EXPECT_EQ(script.scheduler.waiting(), 1u);
  script.step(Cancelled{2});
  EXPECT_EQ(script.scheduler.waiting(), 0u);
  script.step(Cancelled{1});
  EXPECT_EQ(script.actions, (Actions{Stop{1, "it is not wanted any more"}}));
  script.step(Ended{1});
  script.step(Cancelled{77});
  EXPECT_TRUE(script.actions.empty());
}

TEST(Scheduler, refuses_visibly_when_too_many_jobs_wait) {
  Caps caps;
  caps.jobs_max = 1;
  Script script(caps, 2);
  for (JobId id = 1; id <= 3; ++id) script.submit(job_of(id, kGb));
  script.step(Submitted{job_of(4, kGb)});
  EXPECT_EQ(script.actions,
            (Actions{Refuse{4, "2 jobs wait already; submit it again when some are done"}}));
}

TEST(Scheduler, memory_and_descriptors_bound_the_number_of_transfers) {
  Caps caps;
  caps.jobs_max = 8;
  EXPECT_EQ(jobs_bound(caps, {}), 8);
  EXPECT_EQ(jobs_bound(caps, {100 * kMb, 20 * kMb, 0, 8}), 5);
  EXPECT_EQ(jobs_bound(caps, {0, 20 * kMb, 24, 8}), 3);
  EXPECT_EQ(jobs_bound(caps, {1, 20 * kMb, 1, 8}), 1);
}

// A hundred thousand jobs through eight slots on virtual time: every one is served, the last of
// each priority in the order of the shares, and the work per job stays small.
TEST(Scheduler, serves_a_hundred_thousand_jobs_and_starves_none) {
  Script script;
  const Priority priorities[] = {Priority::kCritical, Priority::kHigh, Priority::kNormal,
                                 Priority::kLow, Priority::kBackground};
  constexpr JobId kJobs = 100'000;
  std::set<JobId> running;
  for (JobId id = 0; id < kJobs; ++id) {
    Job job = job_of(id, 2 * kMb + id % 7 * kMb, "n" + std::to_string(id % 40));
    job.priority = priorities[id % 5];
    for (const JobId started : script.submit(job)) running.insert(started);
  }
  std::map<Priority, JobId> last;
  JobId served = running.size();
  Instant now{};
  while (!running.empty()) {
    const JobId done = *running.begin();
    running.erase(running.begin());
    now = now + milliseconds(10);
    script.step(Ended{done}, now);
    for (const Action& action : script.actions) {
      const auto* start = std::get_if<Start>(&action);
      if (start == nullptr) continue;
      running.insert(start->job.id);
      last[start->job.priority] = served++;
    }
  }
  EXPECT_EQ(served, kJobs);
  EXPECT_TRUE(last[Priority::kCritical] < last[Priority::kHigh] &&
              last[Priority::kHigh] < last[Priority::kNormal] &&
              last[Priority::kNormal] < last[Priority::kLow] &&
              last[Priority::kLow] < last[Priority::kBackground]);
}

}  // namespace
}  // namespace syncline::scheduling
