#include "engine/requests.hpp"

#include <algorithm>

namespace syncline::engine {

using core::LogId;
using core::NodeId;
using core::SeqSet;

namespace {
// Records sent straight to a target are sent again if nothing was heard for so long.
constexpr core::Duration kDemandAgain = core::seconds(5);
constexpr core::Duration kNudgeAgain = core::seconds(2);
constexpr core::Duration kLookAgain = core::milliseconds(50);
constexpr std::size_t kDemandRecordsMax = 1024;
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
      door_.hurry(collection.name, request.sync.priority);
    }
    sync.parts.push_back(std::move(part));
  }
  if (request.sync.is_dry_run) {
    answer(sync, now, out);
    return;
  }
  syncs_.emplace(request.request, std::move(sync));
}

void Requests::looked_at(const core::CollectionName& collection, std::uint64_t look) {
  for (auto& [id, sync] : syncs_) {
    for (Part& part : sync.parts) {
      if (part.collection->name == collection && part.look <= look) part.has_looked = true;
    }
  }
  for (auto& [id, flush] : flushes_) flush.looks.erase(look);
}

void Requests::records_sent(const RecordsSent& sent) {
  for (auto& [id, sync] : syncs_) {
    for (Part& part : sync.parts) {
      const bool is_target = std::find(part.targets.begin(), part.targets.end(), sent.peer) !=
                             part.targets.end();
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
    const std::string key = sync.request.sync.board_type.empty() ||
                                    !sync.request.sync.num_players.has_value()
                                ? std::string()
                                : sync.request.sync.board_type + "_" +
                                      std::to_string(*sync.request.sync.num_players) + "p";
    for (const auto& [object, holders] : view_.objects()) {
      if (object.first != name) continue;
      if (object.second.find(key) == std::string::npos) continue;
      const core::ObjectVersion* winner = view_.winner(object);
      if (winner != nullptr && !winner->is_deleted) {
        part.objects_goal.emplace(object.second, winner->root);
      }
    }
  }
  for (const NodeId& target : part.targets) {
    std::uint64_t bytes = 0;
    part.missing[target] = measure(part, target, &bytes);
    part.missing_bytes_at_start[target] = bytes;
  }
}

std::uint64_t Requests::measure(const Part& part, const NodeId& target,
                                std::uint64_t* bytes) const {
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
  for (const auto& [path, root] : part.objects_goal) {
    const ObjectId object{part.collection->name, path};
    const ObjectHolders& holders = view_.holders(object);
    auto told = holders.find(target);
    if (told != holders.end() && told->second.root == root) continue;
    // A newer version than the goal's is as good.
    const core::ObjectVersion* winner = view_.winner(object);
    if (told != holders.end() && winner != nullptr && winner->root == told->second.root) continue;
    ++missing;
    for (const auto& [node, version] : holders) {
      if (version.root != root) continue;
      if (bytes != nullptr) *bytes += version.size_bytes;
      break;
    }
  }
  return missing;
}

// Makes the target move: sends what we hold of what it lacks, and tells it to look for the rest.
void Requests::press(Sync& sync, Part& part, const NodeId& target, core::Instant now,
                     Actions& out) {
  if (target == self_ || !peers_.is_linked(target)) return;
  for (const auto& [log, goal] : part.records_goal) {
    SeqSet left = goal.intersect(records_.holdings().held(log));
    auto told = view_.holders(log).find(target);
    if (told != view_.holders(log).end()) left = left.minus(told->second);
    auto writer = records_.own_logs().find(log);
    if (writer != records_.own_logs().end()) left = left.minus(writer->second.held_by(target));
    if (left.empty()) continue;
    Demand& demand = part.demands[{target, log}];
    const bool is_lost = now - demand.at >= kDemandAgain;
    if (!left.intersect(demand.seqs).empty() && !is_lost) continue;  // on its way
    demand = {replication::first_of(left, kDemandRecordsMax), now};
    out.push_back(SendRecords{target, log, demand.seqs});
  }
  auto nudged = part.nudged_at.find(target);
  if (nudged == part.nudged_at.end() || now - nudged->second >= kNudgeAgain) {
    part.nudged_at[target] = now;
    const double share = core::share_of(sync.request.sync.priority);
    out.push_back(Send{target, core::NudgeMessage{part.collection->name,
                                                  static_cast<std::uint32_t>(share * 1000)}});
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
      missing = measure(part, target, nullptr);
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

facade::SyncResponse Requests::answer_part(const Sync& sync, const Part& part,
                                           core::Instant now) const {
  facade::SyncResponse response;
  response.backend_used = part.route.backend;
  response.route = part.route;
  response.duration_s = core::to_seconds(now - sync.started_at);
  response.bytes_transferred = part.bytes;
  const bool is_dry_run = sync.request.sync.is_dry_run;
  response.success = !part.targets.empty() || is_dry_run;
  if (!is_dry_run && !part.has_goal) {
    response.success = false;
    response.errors.push_back("the sources of " + part.collection->name.text +
                              " were not read in time; see `syncline status`");
  }
  for (const facade::RouteVerdict& verdict : part.route.verdicts) {
    facade::NodeSyncResult result{verdict.node, facade::NodeOutcome::kNotEligible, verdict.reason,
                                  0};
    if (verdict.is_chosen && !is_dry_run) {
      const NodeId node(verdict.node);
      auto missing = part.missing.find(node);
      result.missing = missing == part.missing.end() ? 0 : missing->second;
      if (part.has_goal && result.missing == 0) {
        result.outcome = facade::NodeOutcome::kVerified;
        response.nodes_synced.push_back(verdict.node);
        auto bytes = part.missing_bytes_at_start.find(node);
        if (bytes != part.missing_bytes_at_start.end()) response.bytes_transferred += bytes->second;
      } else {
        result.outcome = facade::NodeOutcome::kPending;
        result.reason = node == self_ || peers_.is_linked(node)
                            ? std::to_string(result.missing) + " still missing there"
                            : "not reachable from here; " + std::to_string(result.missing) +
                                  " still missing there";
        response.success = false;
        response.errors.push_back(verdict.node + ": " + result.reason);
      }
    } else if (verdict.is_chosen) {
      result.outcome = facade::NodeOutcome::kPending;
    }
    response.nodes.push_back(std::move(result));
  }
  // A target that was named and cannot be served is a failure, not a detail.
  for (const std::string& named : sync.request.sync.targets) {
    for (const facade::RouteVerdict& verdict : part.route.verdicts) {
      if (verdict.node != named || verdict.is_chosen) continue;
      response.success = false;
      response.errors.push_back(named + ": " + verdict.reason);
    }
  }
  if (part.targets.empty() && !is_dry_run) {
    response.errors.push_back("no node is eligible for " + part.collection->name.text +
                              "; `syncline route " + part.collection->name.text +
                              " --explain` says why");
  }
  std::uint64_t records = 0;
  for (const auto& [log, goal] : part.records_goal) records += goal.count();
  response.details["collection"] = part.collection->name.text;
  response.details["goal"] =
      part.collection->kind == core::Kind::kSqlite
          ? std::to_string(records) + " records"
          : std::to_string(part.objects_goal.size()) + " objects";
  return response;
}

void Requests::answer(const Sync& sync, core::Instant now, Actions& out) {
  std::vector<facade::SyncResponse> parts;
  for (const Part& part : sync.parts) parts.push_back(answer_part(sync, part, now));
  for (const facade::SyncResponse& part : parts) {
    if (!sync.request.sync.is_dry_run) {
      door_.count(part.backend_used, part.bytes_transferred, part.success, now - sync.started_at);
    }
  }
  if (sync.request.sync.data_type != "all") {
    out.push_back(AnswerSync{sync.request.request, parts.empty() ? facade::SyncResponse{}
                                                                 : std::move(parts.front())});
    return;
  }
  facade::SyncResponse whole;
  whole.success = !parts.empty();
  whole.backend_used = "all";
  whole.duration_s = core::to_seconds(now - sync.started_at);
  std::set<std::string> nodes;
  for (const facade::SyncResponse& part : parts) {
    whole.success = whole.success && part.success;
    whole.bytes_transferred += part.bytes_transferred;
    nodes.insert(part.nodes_synced.begin(), part.nodes_synced.end());
    for (const std::string& error : part.errors) {
      whole.errors.push_back(part.details.at("collection") + ": " + error);
    }
  }
  whole.nodes_synced.assign(nodes.begin(), nodes.end());
  whole.parts = std::move(parts);
  out.push_back(AnswerSync{sync.request.request, std::move(whole)});
}

// ── flush ───────────────────────────────────────────────────────────────────────────────────────

void Requests::flush(const FlushRequested& request, core::Instant now, Actions& out) {
  Flush flush{request, now, {}};
  if (flush.request.acks <= 0) flush.request.acks = config_.durability.acks;
  for (const auto& collection : config_.collections) {
    if (collection.root.empty()) continue;
    const std::uint64_t look = next_look_++;
    flush.looks.insert(look);
    door_.look(collection.name, look, out);
  }
  flushes_.emplace(request.request, std::move(flush));
}

bool Requests::advance(Flush& flush, core::Instant now, Actions& out) {
  facade::FlushReport report;
  report.acks = flush.request.acks;
  report.is_durable = flush.looks.empty();
  for (const auto& collection : config_.collections) {
    facade::CollectionStatus status;
    status.name = collection.name.text;
    status.kind = core::to_string(collection.kind);
    for (const auto& [log, writer] : records_.own_logs()) {
      if (log.collection != collection.name) continue;
      const std::uint64_t durable =
          writer.count_durable_at(report.acks, records_.domains_beside(self_));
      status.known += writer.local().count();
      status.durable += durable;
    }
    for (const auto& [object, holders] : view_.objects()) {
      if (object.first != collection.name || holders.count(self_) == 0) continue;
      const core::ObjectVersion& own = holders.at(self_);
      std::set<NodeId> same;
      for (const auto& [node, version] : holders) {
        if (node != self_ && version.root == own.root) same.insert(node);
      }
      ++status.known;
      if (view_.count_domains(same, self_) >= report.acks) ++status.durable;
    }
    status.pending = status.known - status.durable;
    report.durable += status.durable;
    if (status.pending > 0) {
      report.is_durable = false;
      status.why = std::to_string(status.pending) + " not yet held by " +
                   std::to_string(report.acks) + " other failure domains";
      report.pending.push_back(std::move(status));
    }
  }
  if (!report.is_durable && now < flush.request.deadline) return false;
  report.duration_s = core::to_seconds(now - flush.started_at);
  out.push_back(AnswerFlush{flush.request.request, std::move(report)});
  return true;
}

void Requests::plan(core::Instant now, Actions& out) {
  for (auto it = syncs_.begin(); it != syncs_.end();) {
    it = advance(it->second, now, out) ? syncs_.erase(it) : std::next(it);
  }
  for (auto it = flushes_.begin(); it != flushes_.end();) {
    it = advance(it->second, now, out) ? flushes_.erase(it) : std::next(it);
  }
  if (!is_idle()) wake_at_ = now + kLookAgain;
}

std::optional<core::Instant> Requests::next_wake() const {
  if (is_idle()) return std::nullopt;
  return wake_at_;
}

}  // namespace syncline::engine
