// One fetch: its attempts by the ways that were chosen, and its end.
#include <algorithm>
#include <utility>

#include "engine/objects.hpp"

namespace syncline::engine {

namespace {
// p2p asks for what it moves; a copy on one machine uses no link.
bool is_paced(transfer::Transport transport) {
  return transport != transfer::Transport::kP2p && transport != transfer::Transport::kNfs;
}
}  // namespace

using core::NodeId;
using core::ObjectVersion;

// REQUIRES: the escalation has an attempt. The fetch has its place already.
void Objects::attempt(FetchState fetch, core::Instant now, Actions& out) {
  const transfer::Attempt& next = *fetch.escalation->attempt();
  fetch.job = next_job_++;
  fetch.sources = next.sources;
  fetch.is_waiting = next.start_at > now;
  fetch.attempted_at = now;
  job_of_[fetch.object] = fetch.job;
  if (fetch.is_waiting) {
    waiting_.insert({next.start_at, fetch.job});
  } else {
    ways_.begun(next, now);
    Fetch action;
    action.job = fetch.job;
    action.collection = fetch.object.first;
    action.path = fetch.object.second;
    action.object = fetch.version;
    action.replaces = fetch.replaces;
    action.sources = next.sources;
    if (next.transport != transfer::Transport::kP2p) {  // it moves bytes on the links
      action.reach = ways_.reach(fetch.object.first, next.sources);
    }
    if (next.transport == transfer::Transport::kSwarm ||
        next.transport == transfer::Transport::kP2p) {
      share(fetch, action);
    }
    action.priority = fetch.priority;
    action.transport = transfer::to_string(next.transport);
    const bool can_ask = next.transport == transfer::Transport::kP2p;
    action.is_metered = can_ask && line_.is_metered(fetch.object);
    action.bandwidth_mbps = line_.set_paced(fetch.object, is_paced(next.transport), now);
    for (const auto& [object, mbps] : line_.take_paces()) pace(object, mbps, out);
    out.push_back(std::move(action));
  }
  fetches_.emplace(fetch.job, std::move(fetch));
}

void Objects::pace(const ObjectId& object, double mbps, Actions& out) {
  const auto job = job_of_.find(object);
  const auto fetch = job == job_of_.end() ? fetches_.end() : fetches_.find(job->second);
  if (fetch == fetches_.end() || fetch->second.is_waiting) return;
  const auto attempt = fetch->second.escalation->attempt();
  if (attempt && is_paced(attempt->transport)) out.push_back(PaceFetch{fetch->first, mbps});
}

// Those who want the same object now take different parts of it from the holders, and give them
// to each other.
void Objects::share(const FetchState& fetch, Fetch& action) const {
  std::set<NodeId> holding;
  for (const auto& [node, version] : view_.holders(fetch.object)) {
    if (version.root == fetch.version.root) holding.insert(node);
  }
  const auto others = others_wanting(fetch.object, fetch.version.size_bytes, holding);
  action.partners = others;
  action.swarm_peers = ways_.swarm_addresses(others);
  action.share_count = static_cast<int>(others.size()) + 1;
  action.share_rank = static_cast<int>(std::count_if(
      others.begin(), others.end(), [this](const NodeId& other) { return other < self_; }));
}

std::vector<NodeId> Objects::others_wanting(const ObjectId& object, std::uint64_t bytes,
                                            const std::set<NodeId>& holding) const {
  // Many small files are settled at once: whom else they go to matters only where it is shared.
  if (bytes < transfer::kSharedBytesMin) return {};
  std::vector<NodeId> others = ways_.others_wanting(object.first, holding);
  const std::set<NodeId>& wanted = door_.wanted_by(object.first);
  std::erase_if(others, [&](const NodeId& node) { return wanted.count(node) == 0; });
  return others;
}

void Objects::try_again(core::Instant now, Actions& out) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    auto it = fetches_.find(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    if (it == fetches_.end()) continue;  // given up meanwhile
    FetchState fetch = std::move(it->second);
    fetches_.erase(it);
    attempt(std::move(fetch), now, out);
  }
}

FetchState Objects::take_fetch(std::map<std::uint64_t, FetchState>::iterator fetch) {
  FetchState taken = std::move(fetch->second);
  fetches_.erase(fetch);
  job_of_.erase(taken.object);
  return taken;
}

void Objects::disk_measured() {
  reserved_bytes_ = 0;
  for (const auto& [job, fetch] : fetches_) {
    if (fetch.bytes_done == 0) reserved_bytes_ += fetch.version.size_bytes;
  }
}

void Objects::fetch_progress(const FetchProgress& progress) {
  auto it = fetches_.find(progress.job);
  if (it != fetches_.end()) it->second.bytes_done = progress.bytes_done;
}

void Objects::fetch_done(const FetchDone& done, core::Instant now, Actions& out) {
  auto it = fetches_.find(done.job);
  if (it == fetches_.end()) return;  // cancelled meanwhile
  const transfer::Attempt tried = *it->second.escalation->attempt();
  door_.fetched({transfer::to_string(tried.transport), it->second.object.first.text,
                 done.served_by.text, done.bytes, done.status.ok(), now - it->second.attempted_at});
  if (!done.status.ok()) {
    ways_.failed(tried, done.served_by, done.status.error(), now);
    FetchState fetch = std::move(it->second);
    fetches_.erase(it);
    attempt_failed(std::move(fetch), now, done, out);
    return;
  }
  const FetchState fetch = take_fetch(it);
  line_.leave(fetch.object, now);
  ways_.succeeded(tried, done.served_by, done.bytes, now - fetch.attempted_at, now);
  facade::EventRow event;
  event.collection = fetch.object.first.text;
  event.node = self_.text;
  event.details["path"] = fetch.object.second;
  event.details["bytes"] = std::to_string(done.bytes);
  event.details["transport"] = transfer::to_string(tried.transport);
  ObjectVersion landed = fetch.version;
  last_hlc_ = std::max(last_hlc_, landed.hlc);
  door_.tell_version(fetch.object, &landed);
  event.type = "object_landed";
  event.message = fetch.object.second + " landed and was verified";
  if (!done.conflict_copy.empty()) {
    event.type = "conflict";
    event.message = fetch.object.second +
                    " was changed on two nodes; the local version is kept as " + done.conflict_copy;
    event.details["kept_as"] = done.conflict_copy;
  }
  object_changed(fetch.object, now);
  out.push_back(Emit{std::move(event)});
}

void Objects::attempt_failed(FetchState fetch, core::Instant now, const FetchDone& done,
                             Actions& out) {
  const transfer::Attempt tried = *fetch.escalation->attempt();
  fetch.escalation->failed(done.status.error(), done.served_by, now);
  facade::EventRow event;
  event.collection = fetch.object.first.text;
  event.node = self_.text;
  event.type = "data_sync_failed";
  event.details["path"] = fetch.object.second;
  event.details["transport"] = transfer::to_string(tried.transport);
  const std::string why = core::to_string(done.status.error());
  event.message = "could not fetch " + fetch.object.second + " by " +
                  transfer::to_string(tried.transport) + ": " + why;
  if (!fetch.escalation->is_over()) {
    const transfer::Attempt& next = *fetch.escalation->attempt();
    event.message += "; next: " + fetch.escalation->say(now);
    if (next.transport != tried.transport) event.type = "transport_escalated";
    attempt(std::move(fetch), now, out);
    out.push_back(Emit{std::move(event)});
    return;
  }
  job_of_.erase(fetch.object);
  line_.leave(fetch.object, now);
  auto [unsettled, is_new] = unsettled_.try_emplace(fetch.object);
  Wanted& wanted = unsettled->second;
  wanted.since = fetch.wanted_since;
  wanted.failures = std::max(wanted.failures, fetch.failures) + 1;
  if (!is_new) object_changed(fetch.object, now);
  const auto doubled = kRetryMin * (1 << std::min(wanted.failures - 1, 7));
  if (is_new) wanted.retry_at = now + std::min<core::Duration>(doubled, kRetryMax);
  wanted.why = fetch.escalation->error().what;
  if (changed_.count(fetch.object) == 0) set_aside(fetch.object, wanted);
  out.push_back(Emit{std::move(event)});
}

}  // namespace syncline::engine
