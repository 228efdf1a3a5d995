#include "scheduling/scheduler.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace syncline::scheduling {

namespace {

void earliest(std::optional<core::Instant>& wake, const std::optional<core::Instant>& at) {
  if (at && (!wake || *at < *wake)) wake = at;
}

}  // namespace

Scheduler::Scheduler(core::NodeId self, Caps caps, std::size_t queue_max)
    : self_(std::move(self)),
      caps_(std::move(caps)),
      queue_max_(queue_max),
      queue_(caps_.express_bytes_max),
      throttle_(caps_) {}

void Scheduler::step(const Event& event, core::Instant now, Actions& out) {
  out_ = &out;
  now_ = now;
  follow_clock(now);
  std::visit([&](const auto& happened) { on(happened, now); }, event);
  start_jobs(now);
  for (const Pace& pace : throttle_.take_paces()) out.push_back(pace);
  for (const Grant& grant : throttle_.grants(now)) out.push_back(grant);
  out_ = nullptr;
}

std::optional<core::Instant> Scheduler::next_wake() const {
  std::optional<core::Instant> wake = throttle_.next_wake(now_);
  for (const auto& [node, held] : held_) earliest(wake, held.until);
  earliest(wake, schedule_at_);
  return wake;
}

// ── jobs ────────────────────────────────────────────────────────────────────────────────────────

void Scheduler::on(const Submitted& event, core::Instant now) {
  const Job& job = event.job;
  if (running_.count(job.id) > 0 || queue_.find(job.id) != nullptr) return;  // told twice
  if (queue_.size() >= queue_max_) {
    out_->push_back(Refuse{job.id, core::say_count(queue_max_, "job") +
                                       " wait already; submit it again when some are done"});
    return;
  }
  if (known_.insert(job.collection).second) apply_schedules(now);
  Job own = job;
  const auto draining = draining_.find(job.source);
  if (draining != draining_.end()) {
    own.deadline = std::min(own.deadline.value_or(draining->second), draining->second);
  }
  queue_.push(own, now);
}

void Scheduler::on(const Cancelled& event, core::Instant now) {
  if (queue_.cancel(event.job)) return;
  const auto job = running_.find(event.job);
  if (job == running_.end()) return;
  out_->push_back(Stop{event.job, "it is not wanted any more"});
  leave(job, now);
}

void Scheduler::on(const Ended& event, core::Instant now) {
  const auto job = running_.find(event.job);
  if (job != running_.end()) leave(job, now);
}

void Scheduler::on(const Asked& event, core::Instant) {
  throttle_.ask(event.job, event.bytes);
}

void Scheduler::on(const PaceWanted& event, core::Instant now) {
  throttle_.set_paced(event.job, event.is_paced, now);
}

void Scheduler::start(JobQueue::Next next, core::Instant now) {
  const Job job = next.job;
  const bool is_small = queue_.is_small(job);
  running_.emplace(job.id, Running{std::move(next), is_small});
  ++slots_.of(is_small);
  ++by_collection_[job.collection].of(is_small);
  for (const core::NodeId& node : std::set<core::NodeId>{job.source, job.target}) {
    ++by_node_[node].of(is_small);
  }
  throttle_.add(job, now);
  out_->push_back(Start{job});
}

void Scheduler::leave(std::map<JobId, Running>::iterator running, core::Instant now) {
  const Job job = running->second.next.job;
  const bool is_small = running->second.is_small;
  running_.erase(running);
  throttle_.remove(job.id, now);
  --slots_.of(is_small);
  const auto drop = [is_small](auto& counts, const auto& name) {
    const auto found = counts.find(name);
    --found->second.of(is_small);
    if (found->second.small == 0 && found->second.large == 0) counts.erase(found);
  };
  drop(by_collection_, job.collection);
  for (const core::NodeId& node : std::set<core::NodeId>{job.source, job.target}) {
    drop(by_node_, node);
  }
  release_around(job);
}

void Scheduler::release_around(const Job& job) {
  queue_.release(Blocker::Kind::kCollection, job.collection.text);
  queue_.release(Blocker::Kind::kNode, job.source.text);
  queue_.release(Blocker::Kind::kNode, job.target.text);
}

bool Scheduler::has_slot(bool is_small) const {
  const int beyond_express = std::max(0, slots_.small - caps_.express_jobs_max);
  if (is_small && slots_.small < caps_.express_jobs_max) return true;
  return slots_.large + beyond_express < std::max(caps_.jobs_max, 1);
}

void Scheduler::start_jobs(core::Instant now) {
  while (has_slot(true)) {
    const auto which = has_slot(false) ? JobQueue::Which::kAny : JobQueue::Which::kSmallOnly;
    auto next = queue_.pop([this](const Job& job) { return blocker_of(job); }, which);
    if (!next) return;
    start(std::move(*next), now);
  }
}

// ── what stands in the way ──────────────────────────────────────────────────────────────────────

std::optional<Blocker> Scheduler::hindrance(const Job& job) const {
  using Kind = Blocker::Kind;
  if (paused_.count(core::CollectionName()) > 0) {
    return Blocker{Kind::kEverything, "", "everything is paused"};
  }
  if (paused_.count(job.collection) > 0) {
    return Blocker{Kind::kCollection, job.collection.text, job.collection.text + " is paused"};
  }
  const auto closed = closed_.find(job.collection);
  if (closed != closed_.end()) {
    return Blocker{Kind::kCollection, job.collection.text,
                   "closed by the schedule \"" + closed->second.why + "\""};
  }
  if (draining_.count(job.target) > 0) {
    return Blocker{Kind::kNode, job.target.text, job.target.text + " is about to stop"};
  }
  for (const core::NodeId& node : {job.source, job.target}) {
    const auto held = held_.find(node);
    if (held != held_.end()) return Blocker{Kind::kNode, node.text, held->second.why};
  }
  return std::nullopt;
}

std::optional<Blocker> Scheduler::blocker_of(const Job& job) {
  using Kind = Blocker::Kind;
  if (auto blocker = hindrance(job)) return blocker;
  const bool is_small = queue_.is_small(job);
  const auto bound = caps_.jobs_by_collection.find(job.collection);
  if (bound != caps_.jobs_by_collection.end() && bound->second > 0) {
    const auto running = by_collection_.find(job.collection);
    if (running != by_collection_.end() && running->second.of(is_small) >= bound->second) {
      return Blocker{Kind::kCollection, job.collection.text,
                     core::say_count(static_cast<std::uint64_t>(bound->second), "transfer") +
                         " of " + job.collection.text + " are running, as many as allowed"};
    }
  }
  for (const core::NodeId& node : {job.source, job.target}) {
    if (caps_.jobs_per_node_max <= 0 || node == self_) continue;
    const auto running = by_node_.find(node);
    if (running == by_node_.end() || running->second.of(is_small) < caps_.jobs_per_node_max) {
      continue;
    }
    return Blocker{
        Kind::kNode, node.text,
        core::say_count(static_cast<std::uint64_t>(caps_.jobs_per_node_max), "transfer") +
            " with " + node.text + " are running, as many as allowed"};
  }
  return std::nullopt;
}

// Those that run although they must not any more go back to their old place.
void Scheduler::stop_blocked(core::Instant now) {
  std::vector<JobId> stopped;
  for (const auto& [id, running] : running_) {
    if (hindrance(running.next.job)) stopped.push_back(id);
  }
  for (const JobId id : stopped) {
    const auto job = running_.find(id);
    out_->push_back(Stop{id, hindrance(job->second.next.job)->why});
    JobQueue::Next next = job->second.next;
    leave(job, now);
    queue_.push_again(next);
  }
}

void Scheduler::on(const Paused& event, core::Instant now) {
  paused_.insert(event.collection);
  stop_blocked(now);
}

void Scheduler::on(const Resumed& event, core::Instant) {
  paused_.erase(event.collection);
  if (event.collection.empty()) {
    queue_.release(Blocker::Kind::kEverything, "");
  } else {
    queue_.release(Blocker::Kind::kCollection, event.collection.text);
  }
}

void Scheduler::on(const DrainBegan& event, core::Instant now) {
  draining_[event.node] = event.deadline;
  queue_.set_deadline([&](const Job& job) { return job.source == event.node; }, event.deadline);
  stop_blocked(now);
}

void Scheduler::on(const DrainEnded& event, core::Instant) {
  draining_.erase(event.node);
  queue_.release(Blocker::Kind::kNode, event.node.text);
}

void Scheduler::on(const NodeHeld& event, core::Instant now) {
  if (event.until <= now) return;
  held_[event.node] = {event.until, event.why};
  // What runs with it may yet succeed by another way: transfer decides that.
}

void Scheduler::on(const NodeFreed& event, core::Instant) {
  if (held_.erase(event.node) > 0) queue_.release(Blocker::Kind::kNode, event.node.text);
}

// ── bounds and schedules ────────────────────────────────────────────────────────────────────────

void Scheduler::on(const CapsChanged& event, core::Instant now) {
  const std::uint64_t small = caps_.express_bytes_max;
  caps_ = event.caps;
  caps_.express_bytes_max = small;  // flows are sorted by it: it is fixed for a scheduler's life
  apply_schedules(now);
  queue_.release_all();
}

void Scheduler::on(const SchedulesChanged& event, core::Instant now) {
  schedules_ = event.schedules;
  apply_schedules(now);
}

void Scheduler::on(const WallTold& event, core::Instant now) {
  local_ = event.local;
  local_at_ = now;
  apply_schedules(now);
}

void Scheduler::follow_clock(core::Instant now) {
  for (auto it = held_.begin(); it != held_.end();) {
    if (it->second.until > now) {
      ++it;
      continue;
    }
    const std::string node = it->first.text;
    it = held_.erase(it);
    queue_.release(Blocker::Kind::kNode, node);
  }
  if (schedule_at_ && *schedule_at_ <= now) apply_schedules(now);
}

void Scheduler::apply_schedules(core::Instant now) {
  Caps caps = caps_;
  std::map<core::CollectionName, Allowance> closed;
  schedule_at_.reset();
  if (local_ && !schedules_.empty()) {
    LocalTime local = *local_;
    local.wall.ms += (now - local_at_).count() / 1'000'000;
    const auto lower = [](double& cap, double mbps) {
      if (mbps > 0 && (cap <= 0 || mbps < cap)) cap = mbps;
    };
    lower(caps.total_mbps, allowance(schedules_, core::CollectionName(), local).mbps);
    for (const core::CollectionName& collection : known_) {
      const Allowance allowed = allowance(schedules_, collection, local);
      if (allowed.is_closed) closed.emplace(collection, allowed);
      if (allowed.mbps > 0) lower(caps.by_collection_mbps[collection], allowed.mbps);
    }
    if (const auto change = until_change(schedules_, local)) schedule_at_ = now + *change;
  }
  throttle_.set_caps(std::move(caps), now);
  for (const auto& [collection, allowed] : closed_) {
    if (closed.count(collection) > 0) continue;
    queue_.release(Blocker::Kind::kCollection, collection.text);
  }
  closed_ = std::move(closed);
  stop_blocked(now);
}

std::string Scheduler::why_waiting(JobId id, core::Instant now) const {
  if (running_.count(id) > 0) {
    const std::string limit = throttle_.waiting_for(id, now);
    return limit.empty() ? "" : "it waits for " + limit;
  }
  const Job* job = queue_.find(id);
  if (job == nullptr) return {};
  const std::string blocked = queue_.why_blocked(id);
  if (!blocked.empty()) return blocked;
  return "it waits for its turn: " +
         core::say_count(running_.size(), "transfer runs", "transfers run") + " and " +
         core::say_count(queue_.size(), "job waits", "jobs wait");
}

}  // namespace syncline::scheduling
