// What Records does when it is given a turn: choose receivers, push, ask, merge, trim, tell.
#include <algorithm>

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
  for (auto& [log, writer] : writers_) {
    if (writer.pending_count() == 0) continue;
    for (replication::Push& push : writer.plan_pushes(now, peers_.linked())) {
      out.push_back(SendRecords{push.peer, log, std::move(push.seqs)});
    }
  }
  plan_merges(now, out);
  plan_pulls(now, out);
  if (tell_at_ && now >= *tell_at_) {
    tell_at_.reset();
    for (const LogId& log : told_late_) door_.tell_held(log, holdings_.held(log));
    told_late_.clear();
  }
  plan_trims(now, out);
  plan_saves(now, out);
}

void Records::plan_receivers(core::Instant now) {
  for (auto& [log, writer] : writers_) {
    for (const NodeId& peer : writer.overdue(now)) {
      // It may answer yet, and then it counts; meanwhile somebody else is asked as well.
      avoid_[peer] = now + kSlowReceiverPause;
      writer.link_down(peer);
      receivers_stale_ = true;
    }
  }
  for (auto it = avoid_.begin(); it != avoid_.end();) {
    if (it->second <= now) {
      it = avoid_.erase(it);
      receivers_stale_ = true;
    } else {
      ++it;
    }
  }
  if (!receivers_stale_) return;
  receivers_stale_ = false;
  std::set<NodeId> avoid;
  for (const auto& [peer, until] : avoid_) avoid.insert(peer);
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
  if (!intake_.is_open) return;
  std::vector<replication::PullRequest> requests;
  for (auto it = incomplete_.begin(); it != incomplete_.end();) {
    const LogId log = *it;
    replication::LogView view{log, holdings_.held(log), {}};
    const replication::Holding* holding = holdings_.find(log);
    if (holding != nullptr) view.mine.insert(holding->appending);
    bool is_complete = true;
    for (const auto& [node, held] : view_.holders(log)) {
      if (node == self_) continue;
      if (!held.minus(view.mine).empty()) is_complete = false;
      if (peers_.is_linked(node)) view.holders.emplace(node, held);
    }
    pulls_.consider(view, now, requests);
    if (is_complete) {
      pulls_.drop(log);
      it = incomplete_.erase(it);
    } else {
      ++it;
    }
  }
  for (replication::PullRequest& request : requests) {
    out.push_back(Send{request.from, core::RequestRecords{request.log, std::move(request.wanted)}});
  }
}

SeqSet Records::trimmable(const LogId& log, const replication::Holding& holding) const {
  SeqSet may = holding.held.minus(holding.trimmed);
  if (may.empty()) return may;
  const bool is_own = log.origin == self_;
  if (is_own) {
    auto writer = writers_.find(log);
    may = writer == writers_.end() ? SeqSet() : may.intersect(writer->second.durable());
  }
  if (wants(log.collection)) return may.intersect(holding.merged);
  // Held here only until those who want it have it.
  const std::set<NodeId>& wanted = door_.wanted_by(log.collection);
  if (wanted.empty()) return {};
  for (const NodeId& node : wanted) {
    auto held = view_.holders(log).find(node);
    if (held == view_.holders(log).end()) return {};
    may = may.intersect(held->second);
  }
  return may;
}

void Records::plan_trims(core::Instant now, Actions& out) {
  if (now < trim_at_) return;
  trim_at_ = now + kTrimInterval;
  std::vector<Trim> trims;
  for (const auto& [log, holding] : holdings_.all()) {
    SeqSet may = trimmable(log, holding);
    if (!may.empty()) trims.push_back({log, std::move(may)});
  }
  for (Trim& trim : trims) {
    holdings_.trimmed(trim.log, trim.seqs);
    out.push_back(std::move(trim));
  }
}

void Records::plan_saves(core::Instant now, Actions& out) {
  if (now < save_at_ || unsaved_acks_.empty()) return;
  save_at_ = now + kSaveAcksInterval;
  for (const auto& [log, peer] : unsaved_acks_) {
    auto writer = writers_.find(log);
    if (writer != writers_.end()) out.push_back(SaveAcks{log, peer, writer->second.held_by(peer)});
  }
  unsaved_acks_.clear();
}

void Records::unavailable(const RecordsUnavailable& lost, core::Instant now) {
  // Neither journal nor replica has what was claimed: take the claim back, and fetch it anew.
  holdings_.lost(lost.log, lost.seqs);
  told_late_.insert(lost.log);
  if (!tell_at_) tell_at_ = now;
  if (wants(lost.log.collection)) incomplete_.insert(lost.log);
}

std::optional<core::Instant> Records::next_wake() const {
  std::optional<core::Instant> wake = tell_at_;
  for (const auto& [log, writer] : writers_) earliest(wake, writer.next_wake());
  earliest(wake, pulls_.next_wake());
  for (const auto& [peer, until] : avoid_) earliest(wake, until);
  for (const auto& [log, at] : merge_retry_at_) earliest(wake, at);
  if (!holdings_.all().empty()) earliest(wake, trim_at_);
  if (!unsaved_acks_.empty()) earliest(wake, save_at_);
  return wake;
}

}  // namespace syncline::engine
