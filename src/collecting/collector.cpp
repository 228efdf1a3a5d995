#include "collecting/collector.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "core/find_configured.hpp"
#include "core/text.hpp"

namespace syncline::collecting {

using core::CollectionName;
using core::Error;
using core::Instant;
using core::NodeId;

namespace {
constexpr std::size_t kProblemsMax = 20;  // told one by one
}

Collector::Collector(const core::Config& config, Memory memory, int hosts_max, Instant now)
    : config_(config), hosts_max_(std::max(1, hosts_max)), now_(now), memory_(std::move(memory)) {
  for (const core::AgentlessConfig& one : config.agentless) states_[one.name].next_look = now;
}

const core::AgentlessConfig& Collector::host(const NodeId& id) const {
  return core::agentless_host(config_, id);
}

const core::CollectionConfig& Collector::collection(const CollectionName& name) const {
  const core::CollectionConfig* found = core::find_collection(config_, name);
  SYNCLINE_CHECK(found != nullptr, "a collection that nobody configured", name);
  return *found;
}

void Collector::step(const Event& event, Instant now, Actions& out) {
  now_ = now;
  std::visit([&](const auto& one) { on(one, out); }, event);
  begin_looks(out);
}

std::optional<Instant> Collector::next_wake() const {
  std::optional<Instant> wake;
  if (static_cast<int>(looks_.size()) >= hosts_max_) return wake;
  for (const auto& [id, state] : states_) {
    if (looks_.count(id) > 0 || state.has_daemon) continue;
    if (!wake || state.next_look < *wake) wake = state.next_look;
  }
  return wake;
}

void Collector::begin_looks(Actions& out) {
  std::vector<std::pair<Instant, NodeId>> due;
  for (const auto& [id, state] : states_) {
    if (looks_.count(id) > 0 || state.has_daemon) continue;
    if (state.next_look <= now_) due.emplace_back(state.next_look, id);
  }
  std::sort(due.begin(), due.end());  // whoever waits longest
  for (const auto& [since, id] : due) {
    if (static_cast<int>(looks_.size()) >= hosts_max_) return;
    Look& look = looks_[id];
    HostState& state = states_[id];
    state.is_busy = true;
    state.unstable = 0;
    state.problems.clear();
    state.problems_beyond = 0;
    const auto waiting = wanted_.find(id);
    if (waiting != wanted_.end()) {
      look.requests = std::move(waiting->second);
      wanted_.erase(waiting);
    }
    std::set<CollectionName> names;
    for (const auto& [name, folder] : host(id).collect) names.insert(CollectionName(name));
    for (const auto& [name, folder] : host(id).deliver) names.insert(CollectionName(name));
    for (const CollectionName& name : names) look.work.push_back(List{id, name});
    go_on(id, out);
  }
}

void Collector::go_on(const NodeId& id, Actions& out) {
  Look& look = looks_.at(id);
  if (look.work.empty()) {
    end_look(id, out);
    return;
  }
  look.is_giving = std::holds_alternative<Give>(look.work.front());
  out.push_back(std::move(look.work.front()));
  look.work.pop_front();
}

void Collector::end_look(const NodeId& id, Actions& out) {
  Look look = std::move(looks_.at(id));
  looks_.erase(id);
  HostState& state = states_.at(id);
  state.is_busy = false;
  if (!state.is_reached && state.failures > 0) out.push_back(Say{id, true, "answers again"});
  state.is_reached = true;
  state.failures = 0;
  state.error.clear();
  state.looked_at = now_;
  state.next_look = now_ + core::seconds(host(id).every_s);
  if (look.again_at) state.next_look = std::min(state.next_look, *look.again_at);
  if (wanted_.count(id) > 0) state.next_look = now_;
  if (look.is_changed) out.push_back(Remember{id});
  for (const std::uint64_t request : look.requests) {
    // Whoever asked means what was there when they asked: also what is only now standing still.
    if (look.again_at) {
      wanted_[id].insert(request);
    } else {
      note_problems(request, id, look);
      has_looked(request, id, out);
    }
  }
}

// The request waits for this host no more.
void Collector::has_looked(std::uint64_t request, const NodeId& id, Actions& out) {
  auto at = requests_.find(request);
  at->second.hosts.erase(id);
  if (!at->second.hosts.empty()) return;
  LookEnded ended{request, std::move(at->second.problems)};
  requests_.erase(at);
  out.push_back(std::move(ended));
}

void Collector::note_problems(std::uint64_t request, const NodeId& id, const Look& look) {
  Request& asked = requests_.at(request);
  for (const auto& [name, sentence] : look.problems) {
    const bool is_meant = asked.collections.empty() || asked.collections.count(name) > 0;
    if (is_meant) asked.problems[id].push_back(sentence);
  }
}

void Collector::host_failed(const NodeId& id, const Error& error, Actions& out) {
  HostState& state = states_.at(id);
  if (state.failures == 0) out.push_back(Say{id, false, core::to_string(error)});
  const bool is_changed = looks_.at(id).is_changed;
  const std::set<std::uint64_t> requests = std::move(looks_.at(id).requests);
  looks_.erase(id);
  state.is_busy = false;
  state.is_reached = false;
  state.error = core::to_string(error);
  core::Duration pause = core::seconds(host(id).every_s);
  const core::Duration pause_max =
      std::max<core::Duration>(pause, core::seconds(host(id).pause_max_s));
  for (int i = 0; i < state.failures && pause < pause_max; ++i) pause *= 2;
  ++state.failures;
  state.next_look = now_ + std::min(pause, pause_max);
  if (is_changed) out.push_back(Remember{id});
  // Whoever asked is told by the answer what is not here.
  for (const std::uint64_t request : requests) {
    requests_.at(request).problems[id].push_back(core::to_string(error));
    has_looked(request, id, out);
  }
}

void Collector::problem(const NodeId& id, const CollectionName& collection, std::string sentence) {
  HostState& state = states_.at(id);
  auto& of_look = looks_.at(id).problems;
  // One of each collection at least: whoever asked for it is not to be told that all is well.
  const bool is_first = std::none_of(of_look.begin(), of_look.end(),
                                     [&](const auto& one) { return one.first == collection; });
  if (is_first || of_look.size() < kProblemsMax) of_look.emplace_back(collection, sentence);
  if (state.problems.size() < kProblemsMax) {
    state.problems.push_back(std::move(sentence));
  } else {
    ++state.problems_beyond;
  }
}

namespace {
// Whoever asked for this host has not got what they asked for.
constexpr const char* kHasDaemon = "its own daemon is linked now: ask again";
}  // namespace

void Collector::on(const LookWanted& event, Actions& out) {
  Request asked{{}, event.collections, {}};
  for (const core::AgentlessConfig& one : config_.agentless) {
    const auto is_meant = [&](const auto& folder) {
      return event.collections.empty() || event.collections.count(CollectionName(folder.first)) > 0;
    };
    if (std::none_of(one.collect.begin(), one.collect.end(), is_meant) &&
        std::none_of(one.deliver.begin(), one.deliver.end(), is_meant)) {
      continue;
    }
    if (states_.at(one.name).has_daemon) {
      asked.problems[one.name].push_back(kHasDaemon);
    } else {
      asked.hosts.insert(one.name);
    }
  }
  if (asked.hosts.empty()) {
    out.push_back(LookEnded{event.request, std::move(asked.problems)});
    return;
  }
  for (const NodeId& id : asked.hosts) {
    wanted_[id].insert(event.request);
    states_.at(id).next_look = now_;  // one under way began before: another follows it
  }
  requests_[event.request] = std::move(asked);
}

void Collector::on(const DaemonSeen& event, Actions& out) {
  const auto at = states_.find(event.host);
  if (at == states_.end() || at->second.has_daemon == event.is_linked) return;
  HostState& state = at->second;
  state.has_daemon = event.is_linked;
  // One that went away may be back in a moment.
  state.next_look = now_ + core::seconds(host(event.host).every_s);
  if (!event.is_linked) return;
  state.failures = 0;
  state.error.clear();
  // Whoever waits for a look at it has its data from the daemon.
  const auto waiting = wanted_.find(event.host);
  if (waiting == wanted_.end()) return;
  const std::set<std::uint64_t> requests = std::move(waiting->second);
  wanted_.erase(waiting);
  for (const std::uint64_t request : requests) {
    requests_.at(request).problems[event.host].push_back(kHasDaemon);
    has_looked(request, event.host, out);
  }
}

void Collector::on(const Listed& event, Actions& out) {
  looks_.at(event.host).has_listed = true;
  if (host(event.host).collect.count(event.collection.text) > 0) plan_takes(event);
  if (host(event.host).deliver.count(event.collection.text) > 0) plan_gives(event);
  go_on(event.host, out);
}

void Collector::on(const Copied& event, Actions& out) {
  const NodeId& id = event.file.host;
  HostState& state = states_.at(id);
  Look& look = looks_.at(id);
  ++(look.is_giving ? state.given : state.taken);
  memory_[event.file] = event.taken;
  look.is_changed = true;
  state.wire_bytes += event.wire_bytes;
  if (!event.conflict_copy.empty()) {
    problem(id, event.file.collection,
            event.file.path + ": another version lay here and is kept as " + event.conflict_copy);
  }
  go_on(id, out);
}

void Collector::on(const Failed& event, Actions& out) {
  // A refused login is told by the first list; a folder that is not there by any of them.
  const bool is_list = event.path.empty();
  const bool has_answered = looks_.at(event.host).has_listed;
  if (event.error.kind == core::ErrorKind::kUnreachable || (is_list && !has_answered)) {
    host_failed(event.host, event.error, out);
    return;
  }
  problem(event.host, event.collection, core::to_string(event.error));
  go_on(event.host, out);
}

}  // namespace syncline::collecting
