// What Records does when it is given a turn: choose receivers, push, ask, merge, trim, tell.
#include <algorithm>
#include <utility>

#include "engine/records.hpp"

namespace syncline::engine {

using core::LogId;
using core::NodeId;
using core::SeqSet;

namespace {
constexpr core::Duration kSlowReceiverPause = core::seconds(30);
constexpr core::Duration kTrimInterval = core::seconds(5);
constexpr core::Duration kSaveAcksInterval = core::seconds(2);
constexpr std::size_t kMergeRecordsMax = 512;

void earliest(std::optional<core::Instant>& wake, std::optional<core::Instant> at) {
  if (at && (!wake || *at < *wake)) wake = at;
}
}  // namespace

void Records::plan(core::Instant now, Actions& out) {
  plan_receivers(now);
  plan_pushes(now, out);
  plan_merges(now, out);
  plan_pulls(now, out);
  plan_trims(now, out);
  plan_tells(now);
  plan_saves(now, out);
}

void Records::plan_pushes(core::Instant now, Actions& out) {
  if (active_.empty()) return;
  std::set<NodeId> reachable;
  for (const NodeId& peer : peers_.linked()) {
    if (refused_.count(peer) == 0) reachable.insert(peer);
  }
  for (const LogId& log : active_) {
    replication::WriterLog& writer = writers_.at(log);
    for (replication::Push& push : writer.plan_pushes(now, reachable, holdings_.held(log))) {
      out.push_back(SendRecords{push.peer, log, std::move(push.seqs)});
    }
  }
}

void Records::plan_tells(core::Instant now) {
  if (!tell_at_ || now < *tell_at_) return;
  tell_at_.reset();
  const std::set<LogId> late = std::exchange(told_late_, {});
  for (const LogId& log : late) door_.tell_held(log, bounded(holdings_.held(log)));
}

void Records::plan_receivers(core::Instant now) {
  for (const LogId& log : active_) {
    replication::WriterLog& writer = writers_.at(log);
    for (const NodeId& peer : writer.overdue(now)) {
      // It may answer yet, and then it counts; meanwhile somebody else is asked as well.
      avoid_[peer] = now + kSlowReceiverPause;
      writer.gave_up(peer);
      receivers_stale_ = true;
    }
  }
  const auto is_over = [&](const auto& entry) { return entry.second <= now; };
  const std::size_t ended = std::erase_if(avoid_, is_over) + std::erase_if(refused_, is_over);
  if (ended > 0) receivers_stale_ = true;
  if (!receivers_stale_) return;
  receivers_stale_ = false;
  std::set<NodeId> avoid;
  for (const auto& [peer, until] : avoid_) avoid.insert(peer);
  for (const auto& [peer, until] : refused_) avoid.insert(peer);
  const int count = config_.durability.acks + config_.durability.extra_pushes;
  std::map<core::CollectionName, std::set<NodeId>> chosen;
  for (auto& [log, writer] : writers_) {
    auto [it, is_new] = chosen.try_emplace(log.collection);
    if (is_new) {
      const auto best = door_.choose_receivers(log.collection, count, avoid);
      it->second = {best.begin(), best.end()};
    }
    writer.set_receivers(it->second);
  }
}

void Records::plan_merges(core::Instant now, Actions& out) {
  for (auto it = unmerged_.begin(); it != unmerged_.end();) {
    const LogId& log = *it;
    const replication::Holding* holding = holdings_.find(log);
    const bool is_done = holding == nullptr || holding->held.minus(holding->merged).empty();
    if (is_done || !wants(log.collection)) {
      merge_retry_at_.erase(log);
      merge_problems_.erase(log);
      it = unmerged_.erase(it);
      continue;
    }
    auto retry = merge_retry_at_.find(log);
    if (retry != merge_retry_at_.end() && retry->second > now) {
      ++it;
      continue;
    }
    merge_retry_at_.erase(log);
    SeqSet next = holdings_.begin_merge(log, kMergeRecordsMax);
    if (!next.empty()) out.push_back(Merge{log, std::move(next)});
    ++it;
  }
}

void Records::plan_pulls(core::Instant now, Actions& out) {
  if (!intake_.is_open || (pull_not_before_ && now < *pull_not_before_)) return;
  const auto wake = pulls_.next_wake();
  if (std::exchange(pull_not_before_, std::nullopt) || (wake && *wake <= now)) {
    for (const auto& [log, since] : incomplete_) pull_dirty_.insert(log);
  }
  for (auto it = pull_after_.begin(); it != pull_after_.end();) {
    if (it->second > now) {
      ++it;
      continue;
    }
    pull_dirty_.insert(it->first);
    it = pull_after_.erase(it);
  }
  const bool had_places = pulls_.has_free_places();
  std::vector<replication::PullRequest> requests;
  for (const LogId& log : std::exchange(pull_dirty_, {})) consider_pull(log, now, requests);
  if (!had_places && pulls_.has_free_places()) {  // others have waited for a place
    for (const auto& [log, since] : std::map(incomplete_)) consider_pull(log, now, requests);
  }
  for (replication::PullRequest& request : requests) {
    out.push_back(Send{request.from, core::RequestRecords{request.log, std::move(request.wanted)}});
  }
}

void Records::consider_pull(const LogId& log, core::Instant now,
                            std::vector<replication::PullRequest>& out) {
  if (incomplete_.count(log) == 0) return;
  replication::LogView view{log, holdings_.held(log), {}};
  const replication::Holding* holding = holdings_.find(log);
  if (holding != nullptr) view.mine.insert(holding->appending);
  bool is_complete = true;
  for (const auto& [node, held] : view_.holders(log)) {
    if (node == self_) continue;
    if (!held.minus(view.mine).empty()) is_complete = false;
    if (peers_.is_linked(node)) view.holders.emplace(node, held);
  }
  if (is_complete || !wants(log.collection)) {
    pulls_.drop(log);
    incomplete_.erase(log);
    pull_after_.erase(log);
    return;
  }
  const core::Instant grace_end =
      incomplete_.at(log) + core::milliseconds(config_.gossip.broadcast_grace_ms);
  if (now < grace_end && door_.is_pushed_here(log.collection)) {
    pull_after_[log] = grace_end;
    return;
  }
  pulls_.consider(view, now, out);
}

// Of records that this node holds for others only: those that need its copy no longer.
SeqSet Records::safe_without_us(const LogId& log, SeqSet may) const {
  const std::set<NodeId>& wanted = door_.wanted_by(log.collection);
  if (wanted.empty()) return {};
  const LogHolders& holders = view_.holders(log);
  for (const NodeId& node : wanted) {
    auto held = holders.find(node);
    if (held == holders.end()) return {};
    may = may.intersect(held->second);
  }
  return view_.count_domains(wanted, log.origin) >= config_.durability.acks ? may : SeqSet();
}

SeqSet Records::trimmable(const LogId& log, const replication::Holding& holding) const {
  SeqSet may = holding.held.minus(holding.trimmed);
  if (may.empty()) return may;
  if (log.origin == self_) {
    auto writer = writers_.find(log);
    may = writer == writers_.end() ? SeqSet() : may.intersect(writer->second.durable());
  }
  const SeqSet merged = may.intersect(holding.merged);
  if (wants(log.collection)) return merged;
  SeqSet all = safe_without_us(log, may.minus(merged).minus(holding.merging));
  all.insert(merged);
  return all;
}

void Records::plan_trims(core::Instant now, Actions& out) {
  if (now < trim_at_ || trim_dirty_.empty()) return;
  trim_at_ = now + kTrimInterval;
  const std::set<LogId> dirty = std::exchange(trim_dirty_, {});
  for (const LogId& log : dirty) {
    const replication::Holding* holding = holdings_.find(log);
    if (holding == nullptr) continue;
    const SeqSet may = trimmable(log, *holding);
    const SeqSet merged = may.intersect(holding->merged);
    const SeqSet given_up = may.minus(merged);
    // What has left the journal counts as durable after a restart, by the acks that were saved:
    // they have to be on disk first, or the loss of a holder while we are down would go unnoticed.
    if (!may.empty() && log.origin == self_) save_acks(log, out);
    if (!merged.empty()) {
      holdings_.trimmed(log, merged);
      out.push_back(Trim{log, merged, false});
    }
    // In no replica here: without its payload it is not held.
    if (!given_up.empty()) forget(log, given_up, out);
  }
}

void Records::plan_saves(core::Instant now, Actions& out) {
  if (now < save_at_ || unsaved_acks_.empty()) return;
  save_at_ = now + kSaveAcksInterval;
  while (!unsaved_acks_.empty()) save_acks(LogId(unsaved_acks_.begin()->first), out);
}

void Records::save_acks(const LogId& log, Actions& out) {
  auto writer = writers_.find(log);
  auto it = unsaved_acks_.lower_bound({log, NodeId()});
  while (it != unsaved_acks_.end() && it->first == log) {
    if (writer != writers_.end()) {
      out.push_back(SaveAcks{log, it->second, writer->second.held_by(it->second)});
    }
    it = unsaved_acks_.erase(it);
  }
}

std::uint64_t Records::undelivered() const {
  std::uint64_t count = 0;
  for (const LogId& log : active_) {
    const replication::WriterLog& writer = writers_.at(log);
    count += writer.pending_count() + writer.lapsed().intersect(holdings_.held(log)).count();
  }
  return count;
}

std::uint64_t Records::pending_bytes() const {
  std::uint64_t bytes = 0;
  for (const LogId& log : active_) bytes += writers_.at(log).pending_bytes();
  return bytes;
}

std::optional<core::Instant> Records::incomplete_since(
    const core::CollectionName& collection) const {
  std::optional<core::Instant> oldest;
  for (const auto& [log, since] : incomplete_) {
    if (log.collection == collection) earliest(oldest, since);
  }
  return oldest;
}

std::optional<core::Instant> Records::next_wake() const {
  std::optional<core::Instant> wake = tell_at_;
  for (const LogId& log : active_) earliest(wake, writers_.at(log).next_wake());
  if (intake_.is_open && !incomplete_.empty()) {
    if (pull_not_before_) {
      earliest(wake, pull_not_before_);
    } else {
      earliest(wake, pulls_.next_wake());
    }
  }
  for (const auto& [log, at] : pull_after_) earliest(wake, at);
  for (const auto& [peer, until] : avoid_) earliest(wake, until);
  for (const auto& [peer, until] : refused_) earliest(wake, until);
  for (const auto& [log, at] : merge_retry_at_) earliest(wake, at);
  if (!trim_dirty_.empty()) earliest(wake, trim_at_);
  if (!unsaved_acks_.empty()) earliest(wake, save_at_);
  return wake;
}

}  // namespace syncline::engine
