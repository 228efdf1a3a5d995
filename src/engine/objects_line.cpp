// Objects and the line in front of the transfers: who begins, who must stop, who may move how much.
#include <algorithm>

#include "engine/objects.hpp"

namespace syncline::engine {

namespace {
// Of a line that is too long: tried again then.
constexpr core::Duration kRefusedRetry = core::seconds(5);
}  // namespace

void Objects::submit(const ObjectId& object, const core::ObjectVersion& winner,
                     const transfer::Choice& choice, core::Priority priority, double bandwidth_mbps,
                     core::Instant now) {
  scheduling::Job job;
  job.collection = object.first;
  job.target = self_;
  job.bytes = winner.size_bytes;
  job.priority = priority;
  job.newness = winner.hlc;
  job.bandwidth_mbps = bandwidth_mbps;
  // Limits by provider: of the first source, which mostly serves most.
  if (!choice.order.empty() && !choice.order.front().sources.empty()) {
    job.source = choice.order.front().sources.front();
    if (const catalog::NodeSelf* about = view_.find(job.source)) {
      job.source_provider = about->provider;
    }
  }
  line_.submit(object, std::move(job), now);
}

void Objects::take_from_line(core::Instant now, Actions& out) {
  for (const Line::Stopped& one : line_.take_stopped()) stopped(one.object, one.why, out);
  for (const Line::Stopped& one : line_.take_refused()) {
    line_.leave(one.object, now);
    const auto wanted = unsettled_.find(one.object);
    if (wanted == unsettled_.end()) continue;
    wanted->second.why = one.why;
    wanted->second.retry_at = now + kRefusedRetry;
    set_aside(one.object, wanted->second);
  }
  std::deque<ObjectId>& started = line_.started();
  while (starts_left_ > 0 && !started.empty()) {
    const ObjectId object = std::move(started.front());
    started.pop_front();
    if (!line_.has_place(object) || job_of_.count(object) > 0) continue;
    --starts_left_;
    look(object, now, out);
    if (unsettled_.count(object) == 0 && job_of_.count(object) == 0) line_.leave(object, now);
  }
  is_more_ready_ = !started.empty();
  for (const auto& [object, mbps] : line_.take_paces()) pace(object, mbps, out);
  for (const auto& [object, bytes] : line_.take_grants()) {
    const auto job = job_of_.find(object);
    if (job != job_of_.end()) out.push_back(GrantFetch{job->second, bytes});
  }
}

// It keeps what has arrived, and its old place in the line.
void Objects::stopped(const ObjectId& object, const std::string& why, Actions& out) {
  const auto job = job_of_.find(object);
  if (job == job_of_.end()) return;
  const auto running = fetches_.find(job->second);
  if (!running->second.is_waiting) out.push_back(CancelFetch{running->first});
  const FetchState fetch = take_fetch(running);
  Wanted& wanted = unsettled_.try_emplace(object).first->second;
  wanted.since = fetch.wanted_since;
  wanted.failures = fetch.failures;
  wanted.why = why;
}

void Objects::asks(const FetchAsks& asks, core::Instant now) {
  const auto fetch = fetches_.find(asks.job);
  if (fetch != fetches_.end()) line_.asks(fetch->second.object, asks.bytes, now);
}

void Objects::clock_told(const ClockTold& clock, core::Instant now) {
  if (config_.transport.schedules.empty()) return;
  line_.clock_told({clock.wall, clock.utc_offset_minutes}, now);
}

void Objects::pause(const TransfersPaused& paused, core::Instant now) {
  line_.pause(paused.collection, paused.is_paused, now);
}

}  // namespace syncline::engine
