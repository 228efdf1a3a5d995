// The scheduler with many jobs queued: what one job costs from submitted to ended, and the turn of
// a drain, which orders all of them anew.
#include <benchmark/benchmark.h>

#include <string>

#include "scheduling/scheduler.hpp"

namespace {

using namespace syncline;
using namespace syncline::scheduling;

Job job_of(JobId id) {
  static const core::Priority kPriorities[] = {core::Priority::kCritical, core::Priority::kHigh,
                                               core::Priority::kNormal, core::Priority::kLow,
                                               core::Priority::kBackground};
  Job job;
  job.id = id;
  job.collection = core::CollectionName(id % 3 == 0 ? "games" : "models");
  job.source = core::NodeId("self");
  job.target = core::NodeId("gpu-worker-" + std::to_string(id % 1'000));
  job.bytes = id % 10 == 0 ? 5'000'000'000 : 2'000'000 + id % 1'000;
  job.priority = kPriorities[id % 5];
  return job;
}

// Ends one job, so that one is started, and submits one, so that as many wait as before.
void one_job_among(benchmark::State& state) {
  Scheduler scheduler(core::NodeId("self"), Caps{});
  Actions actions;
  JobId next = 0;
  core::Instant now{};
  std::vector<JobId> running;
  const auto step = [&](const Event& event) {
    actions.clear();
    scheduler.step(event, now, actions);
    for (const Action& action : actions) {
      if (const auto* start = std::get_if<Start>(&action)) running.push_back(start->job.id);
    }
  };
  while (next < static_cast<JobId>(state.range(0))) step(Submitted{job_of(next++)});
  std::size_t at = 0;
  for (auto _ : state) {
    now = now + core::milliseconds(1);
    step(Ended{running[at++]});
    step(Submitted{job_of(next++)});
  }
  state.counters["waiting"] = static_cast<double>(scheduler.waiting());
}
BENCHMARK(one_job_among)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

void drain_of(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    Scheduler scheduler(core::NodeId("self"), Caps{});
    Actions actions;
    for (JobId id = 0; id < static_cast<JobId>(state.range(0)); ++id) {
      scheduler.step(Submitted{job_of(id)}, {}, actions);
    }
    state.ResumeTiming();
    scheduler.step(DrainBegan{core::NodeId("self"), {core::seconds(30)}}, {}, actions);
    benchmark::DoNotOptimize(actions.data());
  }
}
BENCHMARK(drain_of)->Arg(100'000)->Unit(benchmark::kMillisecond);

void grants_among_twelve(benchmark::State& state) {
  Caps caps;
  caps.total_mbps = 100;
  caps.by_node_mbps["*"] = 50;
  Throttle throttle(caps);
  for (JobId id = 0; id < 12; ++id) throttle.add(job_of(id), {});
  core::Instant now{};
  for (auto _ : state) {
    now = now + core::milliseconds(1);
    for (JobId id = 0; id < 12; ++id) throttle.ask(id, 10'000);
    benchmark::DoNotOptimize(throttle.grants(now));
  }
}
BENCHMARK(grants_among_twelve)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
