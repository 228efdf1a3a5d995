#include "replication/writer_log.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace syncline::replication {

using core::NodeId;
using core::SeqSet;

WriterLog::WriterLog(core::LogId id, WriterLimits limits)
    : id_(std::move(id)), limits_(limits) {}

void WriterLog::restore(const SeqSet& local, std::vector<PendingRecord> pending) {
  SYNCLINE_CHECK(local_.empty(), "log", id_, "restored after use");
  local_ = local;
  durable_ = local;
  for (PendingRecord& record : pending) {
    SYNCLINE_CHECK(local.contains(record.seq), "log", id_, "pending but not local", record.seq);
    durable_.erase(record.seq, record.seq);
    pending_bytes_ += record.bytes;
    pending_.push_back(std::move(record));
  }
}

void WriterLog::appended(const PendingRecord& record) {
  SYNCLINE_CHECK(record.seq > local_.last(), "log", id_, "seq", record.seq, "last", local_.last());
  local_.insert(record.seq, record.seq);
  pending_.push_back(record);
  pending_bytes_ += record.bytes;
}

std::uint32_t WriterLog::bytes_of(std::uint64_t seq) const {
  auto it = std::lower_bound(
      pending_.begin(), pending_.end(), seq,
      [](const PendingRecord& record, std::uint64_t value) { return record.seq < value; });
  return it != pending_.end() && it->seq == seq ? it->bytes : 0;
}

std::vector<PendingRecord> WriterLog::acked(const NodeId& peer, const SeqSet& held,
                                            const CountDomains& count_domains) {
  Receiver& receiver = peers_[peer];
  // A peer cannot hold what was never written: such a claim is another fleet's or a bug's.
  const SeqSet news = held.intersect(local_).minus(receiver.acked);
  if (news.empty()) return {};
  receiver.acked.insert(news);
  for (const core::SeqRange& range : news.intersect(receiver.sent).ranges()) {
    for (std::uint64_t seq = range.first; seq <= range.last; ++seq) {
      receiver.inflight_bytes -= bytes_of(seq);
    }
    receiver.sent.erase(range.first, range.last);
  }
  receiver.waiting_since.reset();  // it moves: the timeout starts anew with the next plan

  return settle(news, count_domains);
}

std::vector<PendingRecord> WriterLog::recount(const CountDomains& count_domains) {
  return settle(local_, count_domains);
}

// Moves those of the candidates that enough domains hold from pending to durable.
std::vector<PendingRecord> WriterLog::settle(const SeqSet& candidates,
                                             const CountDomains& count_domains) {
  std::vector<PendingRecord> made_durable;
  std::deque<PendingRecord> still_pending;
  for (const PendingRecord& record : pending_) {
    bool is_durable = false;
    if (candidates.contains(record.seq)) {
      std::set<NodeId> holders;
      for (const auto& [node, state] : peers_) {
        if (state.acked.contains(record.seq)) holders.insert(node);
      }
      is_durable = count_domains(holders) >= limits_.acks;
    }
    if (!is_durable) {
      still_pending.push_back(record);
      continue;
    }
    made_durable.push_back(record);
    durable_.insert(record.seq, record.seq);
    pending_bytes_ -= record.bytes;
    // It weighs no longer on the windows of receivers that have not answered yet.
    for (auto& [node, state] : peers_) {
      if (state.sent.contains(record.seq)) state.inflight_bytes -= record.bytes;
    }
  }
  pending_ = std::move(still_pending);
  return made_durable;
}

void WriterLog::peer_lost_data(const NodeId& peer) { peers_.erase(peer); }

void WriterLog::set_receivers(const std::set<NodeId>& receivers) { receivers_ = receivers; }

void WriterLog::link_down(const NodeId& peer) {
  auto it = peers_.find(peer);
  if (it == peers_.end()) return;
  it->second.sent = SeqSet();
  it->second.inflight_bytes = 0;
  it->second.waiting_since.reset();
}

std::vector<Push> WriterLog::plan_pushes(core::Instant now, const std::set<NodeId>& linked) {
  std::vector<Push> pushes;
  for (const NodeId& peer : receivers_) {
    if (linked.count(peer) == 0) continue;
    Receiver& receiver = peers_[peer];
    Push push{peer, {}};
    std::size_t records = 0;
    std::size_t bytes = 0;
    for (const PendingRecord& record : pending_) {
      if (receiver.inflight_bytes >= limits_.inflight_max_bytes) break;
      if (receiver.acked.contains(record.seq) || receiver.sent.contains(record.seq)) continue;
      const bool is_full = records == limits_.push_records_max ||
                           (records > 0 && bytes + record.bytes > limits_.push_bytes_max);
      if (is_full) {
        pushes.push_back(std::move(push));
        push = Push{peer, {}};
        records = 0;
        bytes = 0;
      }
      push.seqs.insert(record.seq, record.seq);
      receiver.sent.insert(record.seq, record.seq);
      receiver.inflight_bytes += record.bytes;
      bytes += record.bytes;
      ++records;
    }
    if (records > 0) pushes.push_back(std::move(push));
    if (!receiver.sent.empty() && !receiver.waiting_since) receiver.waiting_since = now;
    if (receiver.sent.empty()) receiver.waiting_since.reset();
  }
  return pushes;
}

std::vector<NodeId> WriterLog::overdue(core::Instant now) const {
  std::vector<NodeId> late;
  for (const NodeId& peer : receivers_) {
    auto it = peers_.find(peer);
    if (it == peers_.end() || !it->second.waiting_since) continue;
    if (now - *it->second.waiting_since >= limits_.ack_timeout) late.push_back(peer);
  }
  return late;
}

std::uint64_t WriterLog::count_durable_at(int acks, const CountDomains& count_domains) const {
  // The ends of what peers hold split the log into stretches with the same holders.
  std::set<std::uint64_t> starts;
  for (const core::SeqRange& r : local_.ranges()) starts.insert({r.first, r.last + 1});
  for (const auto& [node, state] : peers_) {
    for (const core::SeqRange& r : state.acked.ranges()) starts.insert({r.first, r.last + 1});
  }
  std::uint64_t durable = 0;
  for (auto it = starts.begin(); it != starts.end(); ++it) {
    if (!local_.contains(*it)) continue;
    std::set<NodeId> holders;
    for (const auto& [node, state] : peers_) {
      if (state.acked.contains(*it)) holders.insert(node);
    }
    if (count_domains(holders) >= acks) durable += *std::next(it) - *it;
  }
  return durable;
}

SeqSet WriterLog::held_by(const NodeId& peer) const {
  auto it = peers_.find(peer);
  return it == peers_.end() ? SeqSet() : it->second.acked;
}

std::optional<core::Instant> WriterLog::next_wake() const {
  std::optional<core::Instant> wake;
  for (const NodeId& peer : receivers_) {
    auto it = peers_.find(peer);
    if (it == peers_.end() || !it->second.waiting_since) continue;
    const core::Instant at = *it->second.waiting_since + limits_.ack_timeout;
    if (!wake || at < *wake) wake = at;
  }
  return wake;
}

}  // namespace syncline::replication
