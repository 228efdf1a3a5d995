#include "engine/broadcast.hpp"

#include <algorithm>

#include "replication/holdings.hpp"

namespace syncline::engine {

using core::LogId;
using core::NodeId;
using core::SeqSet;

namespace {
constexpr std::uint64_t kPushRecordsMax = 4096;  // of one log to one node, until it tells of them
constexpr core::Duration kNudgeAgain = core::seconds(2);
}  // namespace

Broadcast::Broadcast(const core::Config& config, const FleetView& view, const Peers& peers,
                     const Records& records, BroadcastDoor door)
    : config_(config),
      self_(config.node.id),
      view_(view),
      peers_(peers),
      records_(records),
      door_(std::move(door)) {}

void Broadcast::plan(bool is_leading, std::uint64_t epoch, core::Instant now, Actions& out) {
  if (!is_leading) {
    was_leading_ = false;
    logs_.clear();
    objects_.clear();
    sent_.clear();
    deadlines_.clear();
    nudged_.clear();
    return;
  }
  if (!std::exchange(was_leading_, true) || now >= period_at_) {
    is_all_changed_ = true;
    period_at_ = now + core::seconds(config_.gossip.broadcast_interval_s);
  }
  while (!deadlines_.empty() && deadlines_.front().first <= now) {
    const auto sent = sent_.find(deadlines_.front().second);
    deadlines_.pop_front();
    if (sent == sent_.end() || sent->second.until > now) continue;
    logs_.insert(sent->first.second);  // not told of in time: looked at again
    sent_.erase(sent);
  }
  std::erase_if(nudged_, [&](const auto& one) { return one.second <= now; });
  if (std::exchange(is_all_changed_, false)) {
    for (const auto& [log, holders] : view_.logs()) logs_.insert(log);
    for (const auto& [object, holders] : view_.objects()) objects_.insert(object);
  }
  for (const LogId& log : std::exchange(logs_, {})) {
    if (door_.is_broadcast(log.collection)) push_log(log, now, out);
  }
  for (const ObjectId& object : std::exchange(objects_, {})) {
    if (door_.is_broadcast(object.first)) push_object(object, epoch, now, out);
  }
}

void Broadcast::push_log(const LogId& log, core::Instant now, Actions& out) {
  const SeqSet& held = records_.holdings().held(log);
  if (held.empty()) return;
  const LogHolders& holders = view_.holders(log);
  for (const NodeId& node : door_.wanted_by(log.collection)) {
    if (node == self_ || node == log.origin || !peers_.is_linked(node)) continue;
    // This node's own new records go to their receivers by the writer's log already.
    const auto writer = records_.own_logs().find(log);
    const bool is_receiver =
        writer != records_.own_logs().end() && writer->second.receivers().count(node) > 0;
    if (is_receiver) continue;
    SeqSet missing = held;
    const auto told = holders.find(node);
    if (told != holders.end()) missing = missing.minus(told->second);
    const auto sent = sent_.find({node, log});
    if (sent != sent_.end()) missing = missing.minus(sent->second.seqs);
    if (missing.empty()) continue;
    SeqSet some = replication::first_of(missing, kPushRecordsMax);
    Sent& memory = sent_[{node, log}];
    memory.seqs.insert(some);
    memory.until = now + core::milliseconds(config_.durability.ack_timeout_ms);
    deadlines_.emplace_back(memory.until, SentKey{node, log});
    pushed_ += some.count();
    out.push_back(SendRecords{node, log, std::move(some)});
  }
}

void Broadcast::push_object(const ObjectId& object, std::uint64_t epoch, core::Instant now,
                            Actions& out) {
  const core::ObjectVersion* winner = view_.winner(object);
  if (winner == nullptr) return;
  const ObjectHolders& holders = view_.holders(object);
  const auto own = holders.find(self_);
  if (own == holders.end() || own->second.root != winner->root) return;
  for (const NodeId& node : door_.wanted_by(object.first)) {
    if (node == self_ || !peers_.is_linked(node)) continue;
    const auto told = holders.find(node);
    if (told != holders.end() && told->second.root == winner->root) continue;
    const auto [at, is_new] = nudged_.try_emplace({node, object.first}, now + kNudgeAgain);
    if (!is_new) continue;
    core::NudgeMessage nudge;
    nudge.collection = object.first;
    nudge.leader_epoch = epoch;
    out.push_back(Send{node, std::move(nudge)});
  }
}

std::optional<core::Instant> Broadcast::next_wake() const {
  if (!was_leading_) return std::nullopt;
  return deadlines_.empty() ? period_at_ : std::min(period_at_, deadlines_.front().first);
}

}  // namespace syncline::engine
