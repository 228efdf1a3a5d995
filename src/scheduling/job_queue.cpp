#include "scheduling/job_queue.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace syncline::scheduling {

JobQueue::FlowName JobQueue::flow_name(const Job& job) const {
  return {job.collection, job.source,    job.target,
          job.priority,   is_small(job), job.deadline.has_value()};
}

JobQueue::Order JobQueue::order_of(const Next& next) {
  const Job& job = next.job;
  if (job.deadline) {
    return {job.deadline->since_start.count(), job.is_record ? 0 : 1,
            -static_cast<double>(job.newness), job.id};
  }
  const double aged = kAgeingBytesPerSecond * core::to_seconds(next.queued_at.since_start);
  return {std::numeric_limits<std::int64_t>::max(), 0, next.finish + aged, job.id};
}

std::set<JobQueue::Order>& JobQueue::ready_of(const FlowName& name) {
  return is_small_flow(name) ? ready_small_ : ready_large_;
}

void JobQueue::hide_head(const FlowName& name, const Flow& flow) {
  if (!flow.jobs.empty()) ready_of(name).erase(*flow.jobs.begin());
}

void JobQueue::show_head(const FlowName& name, const Flow& flow) {
  if (!flow.jobs.empty() && !flow.blocker) ready_of(name).insert(*flow.jobs.begin());
}

void JobQueue::insert(Next next) {
  const JobId id = next.job.id;
  const FlowName name = flow_name(next.job);
  const Order order = order_of(next);
  bytes_ += next.job.bytes;
  const auto [entry, is_new] = entries_.try_emplace(id, Entry{std::move(next), name});
  SYNCLINE_CHECK(is_new, "job waits already", id);
  Flow& flow = flows_[name];
  hide_head(name, flow);
  flow.jobs.insert(order);
  flow.last_finish = std::max(flow.last_finish, entry->second.next.finish);
  show_head(name, flow);
}

void JobQueue::push(const Job& job, core::Instant now) {
  const auto flow = flows_.find(flow_name(job));
  const double before =
      flow == flows_.end() ? virtual_now_ : std::max(virtual_now_, flow->second.last_finish);
  // An empty job still takes a turn.
  const double bytes = static_cast<double>(std::max<std::uint64_t>(job.bytes, 1));
  insert({job, now, before + bytes / core::share_of(job.priority)});
}

void JobQueue::push_again(const Next& stopped) {
  insert(stopped);
}

void JobQueue::erase(JobId id) {
  const auto entry = entries_.find(id);
  const FlowName name = entry->second.flow;
  Flow& flow = flows_.at(name);
  hide_head(name, flow);
  flow.jobs.erase(order_of(entry->second.next));
  bytes_ -= entry->second.next.job.bytes;
  entries_.erase(entry);
  if (!flow.jobs.empty()) {
    show_head(name, flow);
    return;
  }
  if (flow.blocker) {
    const auto blocked = blocked_.find(*flow.blocker);
    blocked->second.erase(name);
    if (blocked->second.empty()) blocked_.erase(blocked);
  }
  flows_.erase(name);
}

bool JobQueue::cancel(JobId id) {
  if (entries_.count(id) == 0) return false;
  erase(id);
  return true;
}

void JobQueue::set_deadline(const std::function<bool(const Job&)>& is_meant,
                            core::Instant deadline) {
  std::vector<JobId> meant;
  for (const auto& [id, entry] : entries_) {
    const Job& job = entry.next.job;
    const bool is_earlier = job.deadline && *job.deadline <= deadline;
    if (!is_earlier && is_meant(job)) meant.push_back(id);
  }
  for (const JobId id : meant) {
    Next next = entries_.at(id).next;
    erase(id);
    next.job.deadline = deadline;
    insert(std::move(next));
  }
}

const JobQueue::Order* JobQueue::first_ready(Which which) const {
  const Order* small = ready_small_.empty() ? nullptr : &*ready_small_.begin();
  const Order* large = ready_large_.empty() ? nullptr : &*ready_large_.begin();
  if (which == Which::kSmallOnly || large == nullptr) return small;
  return small == nullptr || *large < *small ? large : small;
}

std::optional<JobQueue::Next> JobQueue::pop(
    const std::function<std::optional<Blocker>(const Job&)>& blocker_of, Which which) {
  while (const Order* first = first_ready(which)) {
    const Entry& entry = entries_.at(first->id);
    std::optional<Blocker> blocker = blocker_of(entry.next.job);
    if (!blocker) {
      Next next = entry.next;
      erase(next.job.id);
      // Only turns taken in fair order move the clock; a drain does not make others late.
      if (!next.job.deadline) virtual_now_ = std::max(virtual_now_, next.finish);
      return next;
    }
    const FlowName name = entry.flow;
    Flow& flow = flows_.at(name);
    hide_head(name, flow);
    blocked_[*blocker].insert(name);
    flow.blocker = std::move(blocker);
  }
  return std::nullopt;
}

void JobQueue::release(Blocker::Kind kind, const std::string& name) {
  const auto blocked = blocked_.find(Blocker{kind, name, {}});
  if (blocked == blocked_.end()) return;
  const std::set<FlowName> flows = std::move(blocked->second);
  blocked_.erase(blocked);
  for (const FlowName& flow_of : flows) {
    Flow& flow = flows_.at(flow_of);
    flow.blocker.reset();
    show_head(flow_of, flow);
  }
}

void JobQueue::release_all() {
  while (!blocked_.empty()) {
    const Blocker blocker = blocked_.begin()->first;
    release(blocker.kind, blocker.name);
  }
}

const Job* JobQueue::find(JobId id) const {
  const auto entry = entries_.find(id);
  return entry == entries_.end() ? nullptr : &entry->second.next.job;
}

std::string JobQueue::why_blocked(JobId id) const {
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return {};
  const Flow& flow = flows_.at(entry->second.flow);
  return flow.blocker ? flow.blocker->why : std::string();
}

}  // namespace syncline::scheduling
