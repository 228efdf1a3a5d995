#include "engine/requests.hpp"

#include <algorithm>
#include <utility>

#include "facade/validate.hpp"

namespace syncline::engine {

using core::LogId;
using core::NodeId;
using core::SeqSet;

namespace {
// Records sent straight to a target are sent again if nothing was heard for so long.
constexpr core::Duration kDemandAgain = core::seconds(5);
constexpr std::size_t kLimitedRecordsMax = 64;  // at once, of a request with a bandwidth limit
constexpr core::Duration kNudgeAgain = core::seconds(2);
constexpr core::Duration kLookAgain = core::milliseconds(20);
// A goal of 100,000 logs is compared every half second, one of 1,000 at kLookAgain.
constexpr core::Duration kLookAgainPerItem = core::Duration(5'000);
constexpr std::size_t kDemandRecordsMax = 1024;

// Files carry their config key in their name: "canonical_hex8_2p.pth".
bool is_key_in_path(const facade::SyncRequest& request, const std::string& path) {
  std::string key = request.board_type;
  if (!key.empty()) key += "_";
  if (request.num_players) {
    if (key.empty()) key = "_";
    key += std::to_string(*request.num_players) + "p";
  }
  return path.find(key) != std::string::npos;
}
}  // namespace

Requests::Requests(const core::Config& config, const FleetView& view, const Peers& peers,
                   const Records& records, RequestsDoor door)
    : config_(config),
      self_(config.node.id),
      view_(view),
      peers_(peers),
      records_(records),
      door_(std::move(door)) {}

void Requests::sync(const SyncRequested& request, core::Instant now, Actions& out) {
  const bool asks_for_key = !facade::config_key_pattern(request.sync).empty();
  if (asks_for_key && !request.only) {
    refuse(request, "which records have this config key is not known to this node", out);
    return;
  }
  Sync sync{request, now, now + core::from_seconds(request.sync.timeout_s), {}};
  for (const auto& collection : config_.collections) {
    if (request.sync.data_type != "all" && request.sync.data_type != collection.name.text) continue;
    Part part;
    part.collection = &collection;
    part.route = door_.route(request.sync, collection, now);
    for (const facade::RouteVerdict& verdict : part.route.verdicts) {
      if (verdict.is_chosen) part.targets.push_back(NodeId(verdict.node));
    }
    if (!request.sync.is_dry_run) {
      part.look = next_look_++;
      door_.look(collection.name, part.look, out);
      door_.hurry(collection.name, request.sync.priority, request.sync.transport,
                  request.sync.bandwidth_limit_mbps);
      // Before the look finds anything: else targets begin with a transport of their own choice.
      for (const NodeId& target : part.targets) {
        const bool has_terms =
            !request.sync.transport.empty() || request.sync.bandwidth_limit_mbps > 0;
        const bool is_told = has_terms && peers_.is_linked(target);
        if (is_told) nudge(request.sync, part, target, now, out);
      }
    }
    sync.parts.push_back(std::move(part));
  }
  if (request.sync.is_dry_run) {
    answer(sync, now, out);
    return;
  }
  syncs_.emplace(request.request, std::move(sync));
  is_new_ = true;
}

void Requests::journalled(const core::RecordBatch& batch) {
  for (auto& [id, sync] : syncs_) {
    if (!sync.request.only) continue;
    for (const core::Record& record : batch.records) {
      if (!facade::is_config_key_asked(sync.request.sync, record.unit.config_key)) continue;
      (*sync.request.only)[batch.log].insert(record.seq.value, record.seq.value);
    }
  }
}

void Requests::refuse(const SyncRequested& request, const std::string& why, Actions& out) const {
  facade::SyncResponse response;
  response.errors.push_back(why);
  out.push_back(AnswerSync{request.request, std::move(response)});
}

void Requests::looked_at(const core::CollectionName& collection, std::uint64_t look) {
  for (auto& [id, sync] : syncs_) {
    for (Part& part : sync.parts) {
      if (part.collection->name == collection && part.look <= look) part.has_looked = true;
    }
  }
  for (auto& [id, flush] : flushes_) flush.looks.erase(look);
  is_new_ = true;
}

void Requests::records_sent(const RecordsSent& sent) {
  for (auto& [id, sync] : syncs_) {
    for (Part& part : sync.parts) {
      const bool is_target =
          std::find(part.targets.begin(), part.targets.end(), sent.peer) != part.targets.end();
      if (is_target && part.collection->name == sent.log.collection) part.bytes += sent.bytes;
    }
  }
}

void Requests::set_goal(Sync& sync, Part& part, core::Instant) {
  part.has_goal = true;
  const core::CollectionName& name = part.collection->name;
  if (part.collection->kind == core::Kind::kSqlite) {
    std::set<LogId> logs;
    for (const auto& [log, holders] : view_.logs()) {
      if (log.collection == name) logs.insert(log);
    }
    for (const auto& [log, holding] : records_.holdings().all()) {
      if (log.collection == name) logs.insert(log);
    }
    for (const LogId& log : logs) {
      SeqSet goal = view_.known(log);
      goal.insert(records_.holdings().held(log));
      if (sync.request.only) {
        auto only = sync.request.only->find(log);
        goal = only == sync.request.only->end() ? SeqSet() : goal.intersect(only->second);
      }
      if (!goal.empty()) part.records_goal.emplace(log, std::move(goal));
    }
  } else {
    const auto& all = view_.objects();
    for (auto it = all.lower_bound({name, {}}); it != all.end(); ++it) {
      const ObjectId& object = it->first;
      if (object.first != name) break;
      if (!is_key_in_path(sync.request.sync, object.second)) continue;
      const core::ObjectVersion* winner = view_.winner(object);
      if (winner != nullptr && !winner->is_deleted) {
        part.objects_goal.emplace(object.second, winner->root);
      }
    }
  }
  for (const NodeId& target : part.targets) {
    std::uint64_t bytes = 0;
    for (const auto& [path, root] : part.objects_goal) {
      if (has_confirmed(part, path, target)) continue;
      part.objects_left[target].insert(path);
      if (const auto* winner = view_.winner({name, path})) bytes += winner->size_bytes;
    }
    part.missing[target] = measure(part, target);
    part.missing_bytes_at_start[target] = bytes;
  }
}

std::uint64_t Requests::measure(const Part& part, const NodeId& target) {
  std::uint64_t missing = 0;
  for (const auto& [log, goal] : part.records_goal) {
    SeqSet left = goal;
    if (target == self_) left = left.minus(records_.holdings().held(log));
    auto told = view_.holders(log).find(target);
    if (told != view_.holders(log).end()) left = left.minus(told->second);
    auto writer = records_.own_logs().find(log);
    if (writer != records_.own_logs().end()) left = left.minus(writer->second.held_by(target));
    missing += left.count();
  }
  compared_ += part.records_goal.size();
  auto left = part.objects_left.find(target);
  return left == part.objects_left.end() ? missing : missing + left->second.size();
}

// What a target has confirmed once is not asked again.
bool Requests::has_confirmed(const Part& part, const std::string& path,
                             const NodeId& target) const {
  const ObjectId object{part.collection->name, path};
  const ObjectHolders& holders = view_.holders(object);
  auto told = holders.find(target);
  if (told == holders.end()) return false;
  if (told->second.root == part.objects_goal.at(path)) return true;
  // A newer version than the goal's is as good.
  const core::ObjectVersion* winner = view_.winner(object);
  return winner != nullptr && winner->root == told->second.root;
}

void Requests::object_changed(const ObjectId& object) {
  for (auto& [id, sync] : syncs_) {
    for (Part& part : sync.parts) {
      if (part.is_done || part.collection->name != object.first) continue;
      if (part.objects_goal.count(object.second) == 0) continue;
      for (auto& [target, left] : part.objects_left) {
        if (left.count(object.second) == 0) continue;
        if (!has_confirmed(part, object.second, target)) continue;
        left.erase(object.second);
        if (left.empty()) is_new_ = true;
      }
    }
  }
}

void Requests::nudge(const facade::SyncRequest& request, Part& part, const NodeId& target,
                     core::Instant now, Actions& out) const {
  part.nudged_at[target] = now;
  const double share = core::share_of(request.priority);
  core::NudgeMessage message;
  message.collection = part.collection->name;
  message.priority_permille = static_cast<std::uint32_t>(share * 1000);
  message.transport = request.transport;
  message.bandwidth_kbps = static_cast<std::uint64_t>(request.bandwidth_limit_mbps * 1000);
  out.push_back(Send{target, std::move(message)});
}

// What this request had sent so far is more than its limit allows by now. Records are sent a few at
// a time then: what one portion weighs is known once it was sent.
bool Requests::is_beyond_limit(const Sync& sync, const Part& part, core::Instant now) const {
  const double limit = sync.request.sync.bandwidth_limit_mbps * 1e6;
  return limit > 0 &&
         static_cast<double>(part.bytes) > limit * core::to_seconds(now - sync.started_at);
}

// Makes the target move: sends what we hold of what it lacks, and tells it to look for the rest.
void Requests::press(Sync& sync, Part& part, const NodeId& target, core::Instant now,
                     Actions& out) {
  if (target == self_ || !peers_.is_linked(target)) return;
  const bool has_limit = sync.request.sync.bandwidth_limit_mbps > 0;
  for (const auto& [log, goal] : part.records_goal) {
    SeqSet left = goal.intersect(records_.holdings().held(log));
    auto told = view_.holders(log).find(target);
    if (told != view_.holders(log).end()) left = left.minus(told->second);
    auto writer = records_.own_logs().find(log);
    if (writer != records_.own_logs().end()) left = left.minus(writer->second.held_by(target));
    if (left.empty()) continue;
    if (is_beyond_limit(sync, part, now)) break;
    Demand& demand = part.demands[{target, log}];
    const bool is_lost = now - demand.at >= kDemandAgain;
    if (!left.intersect(demand.seqs).empty() && !is_lost) continue;  // on its way
    demand = {replication::first_of(left, has_limit ? kLimitedRecordsMax : kDemandRecordsMax), now};
    out.push_back(SendRecords{target, log, demand.seqs});
  }
  auto nudged = part.nudged_at.find(target);
  if (nudged == part.nudged_at.end() || now - nudged->second >= kNudgeAgain) {
    nudge(sync.request.sync, part, target, now, out);
  }
}

bool Requests::advance(Sync& sync, core::Instant now, Actions& out) {
  bool is_done = true;
  for (Part& part : sync.parts) {
    if (part.is_done) continue;
    if (!part.has_looked) {
      is_done = false;
      continue;
    }
    if (!part.has_goal) set_goal(sync, part, now);
    bool is_part_done = true;
    for (const NodeId& target : part.targets) {
      std::uint64_t& missing = part.missing[target];
      missing = measure(part, target);
      if (missing == 0) continue;
      is_part_done = false;
      press(sync, part, target, now, out);
    }
    part.is_done = is_part_done;
    if (!is_part_done) is_done = false;
  }
  if (!is_done && now < sync.deadline) return false;
  answer(sync, now, out);
  return true;
}

void Requests::answer_all(core::Instant now, Actions& out) {
  for (auto& [id, sync] : syncs_) {
    sync.deadline = now;
    advance(sync, now, out);
  }
  for (auto& [id, flush] : flushes_) {
    flush.request.deadline = now;
    advance(flush, now, out);
  }
  syncs_.clear();
  flushes_.clear();
}

void Requests::plan(core::Instant now, Actions& out) {
  if (is_idle() || (!is_new_ && now < wake_at_)) return;
  is_new_ = false;
  compared_ = 0;
  for (auto it = syncs_.begin(); it != syncs_.end();) {
    it = advance(it->second, now, out) ? syncs_.erase(it) : std::next(it);
  }
  for (auto it = flushes_.begin(); it != flushes_.end();) {
    it = advance(it->second, now, out) ? flushes_.erase(it) : std::next(it);
  }
  wake_at_ = now + std::max<core::Duration>(
                       kLookAgain, kLookAgainPerItem * static_cast<std::int64_t>(compared_));
  for (const auto& [id, sync] : syncs_) wake_at_ = std::min(wake_at_, sync.deadline);
  for (const auto& [id, flush] : flushes_) wake_at_ = std::min(wake_at_, flush.request.deadline);
}

std::optional<core::Instant> Requests::next_wake() const {
  if (is_idle()) return std::nullopt;
  return wake_at_;
}

}  // namespace syncline::engine
