#include "replication/writer_log.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "replication/holdings.hpp"

namespace syncline::replication {

using core::NodeId;
using core::SeqSet;

namespace {
constexpr int kTimeoutDoublings = 4;
}  // namespace

WriterLog::WriterLog(core::LogId id, WriterLimits limits) : id_(std::move(id)), limits_(limits) {}

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

template <typename Visit>
void WriterLog::for_each_stretch(const SeqSet& among, const Visit& visit) const {
  // The ends of what peers hold split the set into stretches with the same holders.
  std::set<std::uint64_t> starts;
  for (const core::SeqRange& r : among.ranges()) starts.insert({r.first, r.last + 1});
  for (const auto& [node, state] : peers_) {
    for (const core::SeqRange& r : state.acked.intersect(among).ranges()) {
      starts.insert({r.first, r.last + 1});
    }
  }
  for (auto it = starts.begin(); it != starts.end(); ++it) {
    if (!among.contains(*it)) continue;
    std::set<NodeId> holders;
    for (const auto& [node, state] : peers_) {
      if (state.acked.contains(*it)) holders.insert(node);
    }
    visit(core::SeqRange{*it, *std::next(it) - 1}, holders);
  }
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
  receiver.timeouts = 0;
  return settle(news, count_domains);
}

std::vector<PendingRecord> WriterLog::recount(const CountDomains& count_domains) {
  return settle(local_, count_domains);
}

// Moves those of the candidates that enough domains hold from pending or lapsed to durable.
std::vector<PendingRecord> WriterLog::settle(const SeqSet& candidates,
                                             const CountDomains& count_domains) {
  const SeqSet open = candidates.minus(durable_);
  SeqSet settled;
  for_each_stretch(open, [&](const core::SeqRange& range, const std::set<NodeId>& holders) {
    if (count_domains(holders) >= limits_.acks) settled.insert(range.first, range.last);
  });
  if (settled.empty()) return {};
  durable_.insert(settled);
  lapsed_ = lapsed_.minus(settled);
  // Only the window of pending that the settled ones span is touched.
  const auto below = [](const PendingRecord& r, std::uint64_t seq) { return r.seq < seq; };
  auto first =
      std::lower_bound(pending_.begin(), pending_.end(), settled.ranges().front().first, below);
  auto last = std::lower_bound(first, pending_.end(), settled.last() + 1, below);
  std::vector<PendingRecord> made_durable;
  auto kept = first;
  for (auto it = first; it != last; ++it) {
    if (!settled.contains(it->seq)) {
      *kept++ = *it;
      continue;
    }
    made_durable.push_back(*it);
    pending_bytes_ -= it->bytes;
    // It weighs no longer on the windows of receivers that have not answered yet.
    for (auto& [node, state] : peers_) {
      if (state.sent.contains(it->seq)) state.inflight_bytes -= it->bytes;
    }
  }
  pending_.erase(kept, last);
  return made_durable;
}

void WriterLog::lapse(const SeqSet& among, const CountDomains& count_domains) {
  SeqSet fallen;
  for_each_stretch(among.intersect(durable_),
                   [&](const core::SeqRange& range, const std::set<NodeId>& holders) {
                     if (count_domains(holders) < limits_.acks)
                       fallen.insert(range.first, range.last);
                   });
  durable_ = durable_.minus(fallen);
  lapsed_.insert(fallen);
}

void WriterLog::peer_gone(const NodeId& peer, const CountDomains& count_domains) {
  auto it = peers_.find(peer);
  if (it != peers_.end()) lapse(it->second.acked, count_domains);
}

void WriterLog::peer_lost_data(const NodeId& peer, const SeqSet& still_held,
                               const CountDomains& count_domains) {
  auto it = peers_.find(peer);
  if (it == peers_.end()) return;
  const SeqSet lost = it->second.acked.minus(still_held);
  if (lost.empty()) return;
  it->second.acked = it->second.acked.minus(lost);
  it->second.forget_sent();
  lapse(lost, count_domains);
}

void WriterLog::set_receivers(const std::set<NodeId>& receivers) {
  receivers_ = receivers;
}

void WriterLog::Receiver::forget_sent() {
  sent = SeqSet();
  inflight_bytes = 0;
  waiting_since.reset();
  next_seq = 0;
}

void WriterLog::link_down(const NodeId& peer) {
  auto it = peers_.find(peer);
  if (it == peers_.end()) return;
  it->second.forget_sent();
  it->second.timeouts = 0;
}

void WriterLog::gave_up(const NodeId& peer) {
  auto it = peers_.find(peer);
  if (it == peers_.end()) return;
  it->second.forget_sent();
  it->second.timeouts = std::min(it->second.timeouts + 1, kTimeoutDoublings);
}

void WriterLog::push_pending(Receiver& receiver, const NodeId& peer,
                             std::vector<Push>& pushes) const {
  Push push{peer, {}};
  std::size_t records = 0;
  std::size_t bytes = 0;
  auto it = std::lower_bound(
      pending_.begin(), pending_.end(), receiver.next_seq,
      [](const PendingRecord& record, std::uint64_t seq) { return record.seq < seq; });
  for (; it != pending_.end(); ++it) {
    if (receiver.inflight_bytes >= limits_.inflight_max_bytes) break;
    receiver.next_seq = it->seq + 1;
    if (receiver.acked.contains(it->seq) || receiver.sent.contains(it->seq)) continue;
    const bool is_full = records == limits_.push_records_max ||
                         (records > 0 && bytes + it->bytes > limits_.push_bytes_max);
    if (is_full) {
      pushes.push_back(std::move(push));
      push = Push{peer, {}};
      records = 0;
      bytes = 0;
    }
    push.seqs.insert(it->seq, it->seq);
    receiver.sent.insert(it->seq, it->seq);
    receiver.inflight_bytes += it->bytes;
    bytes += it->bytes;
    ++records;
  }
  if (records > 0) pushes.push_back(std::move(push));
}

std::vector<Push> WriterLog::plan_pushes(core::Instant now, const std::set<NodeId>& linked,
                                         const SeqSet& sendable) {
  std::vector<Push> pushes;
  for (const NodeId& peer : receivers_) {
    if (linked.count(peer) == 0) continue;
    Receiver& receiver = peers_[peer];
    push_pending(receiver, peer, pushes);
    if (!lapsed_.empty()) {
      const std::size_t under_way = receiver.sent.intersect(lapsed_).count();
      SeqSet again = lapsed_.intersect(sendable).minus(receiver.acked).minus(receiver.sent);
      if (under_way < limits_.lapsed_inflight_max && !again.empty()) {
        again = first_of(again, limits_.lapsed_inflight_max - under_way);
        receiver.sent.insert(again);
        pushes.push_back({peer, std::move(again)});
      }
    }
    if (!receiver.sent.empty() && !receiver.waiting_since) receiver.waiting_since = now;
    if (receiver.sent.empty()) receiver.waiting_since.reset();
  }
  return pushes;
}

core::Duration WriterLog::timeout_of(const Receiver& receiver) const {
  return limits_.ack_timeout * (1 << receiver.timeouts);
}

std::vector<NodeId> WriterLog::overdue(core::Instant now) const {
  std::vector<NodeId> late;
  for (const NodeId& peer : receivers_) {
    auto it = peers_.find(peer);
    if (it == peers_.end() || !it->second.waiting_since) continue;
    if (now - *it->second.waiting_since >= timeout_of(it->second)) late.push_back(peer);
  }
  return late;
}

std::uint64_t WriterLog::count_durable_at(int acks, std::uint64_t last,
                                          const CountDomains& count_domains) const {
  std::uint64_t durable = 0;
  for_each_stretch(local_.intersect(SeqSet::up_to(last)),
                   [&](const core::SeqRange& range, const std::set<NodeId>& holders) {
                     if (count_domains(holders) >= acks) durable += range.last - range.first + 1;
                   });
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
    const core::Instant at = *it->second.waiting_since + timeout_of(it->second);
    if (!wake || at < *wake) wake = at;
  }
  return wake;
}

}  // namespace syncline::replication
