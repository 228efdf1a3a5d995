#include "engine/records.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace syncline::engine {

using core::LogId;
using core::NodeId;
using core::SeqSet;

namespace {
// Bytes handed to the journal and not fsynced: beyond this, peers are asked to wait.
constexpr std::uint64_t kAppendingBytesMax = 64u << 20;
constexpr std::size_t kAckRangesMax = 1024;
constexpr core::Duration kMergeRetry = core::seconds(10);
constexpr core::Duration kPullAfterFailure = core::seconds(5);
// The longest that a peer can make us leave it alone.
constexpr std::int64_t kRefusedMsMax = 600'000;

SeqSet seqs_of(const core::RecordBatch& batch) {
  SeqSet seqs;
  for (const core::Record& record : batch.records) {
    if (record.seq.value > 0) seqs.insert(record.seq.value, record.seq.value);
  }
  return seqs;
}

replication::WriterLimits writer_limits(const core::DurabilityConfig& durability) {
  replication::WriterLimits limits;
  limits.acks = durability.acks;
  limits.inflight_max_bytes = durability.inflight_max_bytes;
  limits.ack_timeout = core::milliseconds(durability.ack_timeout_ms);
  return limits;
}
}  // namespace

SeqSet bounded(const SeqSet& set) {
  if (set.ranges().size() <= kAckRangesMax) return set;
  SeqSet out;
  for (std::size_t i = 0; i < kAckRangesMax; ++i) {
    out.insert(set.ranges()[i].first, set.ranges()[i].last);
  }
  return out;
}

Records::Records(const core::Config& config, core::Epoch epoch, const FleetView& view,
                 const Peers& peers, RecordsDoor door, std::uint64_t seed)
    : config_(config),
      self_(config.node.id),
      epoch_(epoch),
      view_(view),
      peers_(peers),
      door_(std::move(door)),
      pulls_({}, seed) {}

void Records::restore(const std::map<LogId, RecoveredLog>& logs) {
  for (const auto& [log, recovered] : logs) {
    // What was given up without being merged is not held, whatever the journal remembers.
    const SeqSet held = recovered.held.minus(recovered.trimmed.minus(recovered.merged));
    holdings_.restore(log, held, recovered.merged, recovered.trimmed.intersect(held));
    if (!held.minus(recovered.merged).empty()) unmerged_.insert(log);
    trim_dirty_.insert(log);
    door_.tell_held(log, bounded(held));
    last_hlc_ = std::max(last_hlc_, recovered.last_hlc);
    if (log.origin != self_) continue;
    replication::WriterLog& writer = writer_for(log);
    writer.restore(recovered.held, recovered.records);
    for (const auto& [peer, acked] : recovered.acks) {
      writer.acked(peer, acked, domains_beside(self_));
    }
    if (!writer.is_settled()) active_.insert(log);
  }
}

replication::CountDomains Records::domains_beside(const NodeId& origin) const {
  return
      [this, origin](const std::set<NodeId>& nodes) { return view_.count_domains(nodes, origin); };
}

replication::WriterLog& Records::writer_for(const LogId& log) {
  auto it = writers_.find(log);
  if (it == writers_.end()) {
    it =
        writers_.emplace(log, replication::WriterLog(log, writer_limits(config_.durability))).first;
    receivers_stale_ = true;
  }
  return it->second;
}

bool Records::wants(const core::CollectionName& collection) const {
  return door_.wanted_by(collection).count(self_) > 0;
}

bool Records::is_append_under_way(const core::CollectionName& collection) const {
  return std::any_of(appends_.begin(), appends_.end(), [&](const auto& entry) {
    return entry.second.from.empty() && entry.second.log.collection == collection;
  });
}

// ── intake ──────────────────────────────────────────────────────────────────────────────────────

void Records::units_read(const UnitsRead& read, Actions& out) {
  const LogId log{read.collection, self_, epoch_};
  auto batch = std::make_shared<core::RecordBatch>();
  batch->log = log;
  batch->schemas = read.schemas;
  PendingAppend pending{log, {}, {}, {}, 0};
  std::uint64_t& next = next_seq_[read.collection];
  for (std::size_t i = 0; i < read.units.size(); ++i) {
    core::Record record;
    record.seq = {++next};
    record.committed_at = read.seen_at[i];
    // A hybrid logical clock (Kulkarni et al. 2014): wall milliseconds above a counter, never back.
    last_hlc_ = std::max(last_hlc_ + 1, static_cast<std::uint64_t>(record.committed_at.ms) << 16);
    record.hlc = last_hlc_;
    record.unit = read.units[i];
    const auto bytes = static_cast<std::uint32_t>(record.unit.bytes.size());
    pending.seqs.insert(record.seq.value, record.seq.value);
    pending.own.push_back({record.seq.value, bytes, read.noticed_at, record.committed_at});
    pending.bytes += bytes;
    batch->records.push_back(std::move(record));
  }
  if (!pending.seqs.empty()) holdings_.begin_append(log, pending.seqs);
  appending_bytes_ += pending.bytes;
  const std::uint64_t id = next_append_++;
  appends_.emplace(id, std::move(pending));
  out.push_back(Append{id, std::move(batch), read.read_id});
}

void Records::received(const NodeId& peer, const core::AppendRecords& message, Actions& out) {
  const core::RecordBatch& batch = *message.batch;
  const LogId& log = batch.log;
  const bool is_declared = std::any_of(
      config_.collections.begin(), config_.collections.end(), [&](const auto& collection) {
        return collection.name == log.collection && collection.kind == core::Kind::kSqlite;
      });
  if (!is_declared) {
    out.push_back(Send{
        peer, core::RefuseRecords{
                  log, "collection " + log.collection.text + " is not declared on " + self_.text,
                  60000}});
    return;
  }
  if (!intake_.is_open || appending_bytes_ > kAppendingBytesMax) {
    const std::string why = intake_.is_open ? "the journal is behind" : intake_.why;
    out.push_back(Send{peer, core::RefuseRecords{log, why, 1000}});
    return;
  }
  const SeqSet news = holdings_.begin_append(log, seqs_of(batch));
  if (news.empty()) {
    // All of it is here or on its way to the disk; say what is surely here.
    ack(peer, log, out);
    return;
  }
  core::RecordBatchPtr fresh = message.batch;
  if (news.count() != batch.records.size()) {
    auto part = std::make_shared<core::RecordBatch>();
    part->log = log;
    part->schemas = batch.schemas;
    for (const core::Record& record : batch.records) {
      if (news.contains(record.seq.value)) part->records.push_back(record);
    }
    fresh = std::move(part);
  }
  PendingAppend pending{log, news, peer, {}, 0};
  for (const core::Record& record : fresh->records) {
    pending.bytes += record.unit.bytes.size();
    last_hlc_ = std::max(last_hlc_, record.hlc);  // what is written here later is later
  }
  appending_bytes_ += pending.bytes;
  const std::uint64_t id = next_append_++;
  appends_.emplace(id, std::move(pending));
  out.push_back(Append{id, std::move(fresh), 0});
}

void Records::appended(const Appended& done, core::Instant now, Actions& out) {
  auto it = appends_.find(done.append_id);
  SYNCLINE_CHECK(it != appends_.end(), "unknown append", done.append_id);
  const PendingAppend pending = std::move(it->second);
  appends_.erase(it);
  appending_bytes_ -= pending.bytes;
  if (pending.seqs.empty()) return;
  holdings_.appended(pending.log, pending.seqs);
  if (pending.from.empty()) {
    replication::WriterLog& writer = writer_for(pending.log);
    for (const auto& record : pending.own) writer.appended(record);
    active_.insert(pending.log);
  } else {
    ack(pending.from, pending.log, out);
    const NodeId& origin = pending.log.origin;
    if (origin != pending.from && peers_.is_linked(origin)) ack(origin, pending.log, out);
    if (incomplete_.count(pending.log) > 0) pull_dirty_.insert(pending.log);
  }
  held_more(pending.log, now);
}

void Records::append_failed(const AppendFailed& failed, core::Instant now, Actions& out) {
  auto it = appends_.find(failed.append_id);
  SYNCLINE_CHECK(it != appends_.end(), "unknown append", failed.append_id);
  const PendingAppend pending = std::move(it->second);
  appends_.erase(it);
  appending_bytes_ -= pending.bytes;
  holdings_.append_failed(pending.log, pending.seqs);
  if (pending.from.empty()) return;
  out.push_back(Send{pending.from, core::RefuseRecords{pending.log, failed.error.what, 5000}});
  want_more(pending.log, now);
  pull_later(now + kPullAfterFailure);
}

void Records::pull_later(core::Instant until) {
  if (!pull_not_before_ || *pull_not_before_ < until) pull_not_before_ = until;
}

void Records::held_more(const LogId& log, core::Instant now) {
  unmerged_.insert(log);
  trim_dirty_.insert(log);
  told_late_.insert(log);
  if (!tell_at_) tell_at_ = now + core::milliseconds(config_.gossip.fact_flush_ms);
}

void Records::want_more(const LogId& log, core::Instant now) {
  if (!wants(log.collection)) return;
  incomplete_.try_emplace(log, now);
  pull_dirty_.insert(log);
}

// Neither journal nor replica has these (any more): nobody must count on them here. The fleet is
// told before they go.
void Records::forget(const LogId& log, const SeqSet& seqs, Actions& out) {
  holdings_.lost(log, seqs);
  told_late_.erase(log);
  door_.tell_held(log, bounded(holdings_.held(log)));
  out.push_back(Trim{log, seqs, true});
}

void Records::ack(const NodeId& peer, const LogId& log, Actions& out) const {
  out.push_back(Send{peer, core::AckRecords{log, bounded(holdings_.held(log))}});
}

// ── answers of peers ────────────────────────────────────────────────────────────────────────────

void Records::settled(const LogId& log, const std::vector<replication::PendingRecord>& durable,
                      core::Instant now) {
  for (const auto& record : durable) door_.became_durable(log.collection, now - record.local_at);
  trim_dirty_.insert(log);
  if (writers_.at(log).is_settled()) active_.erase(log);
}

void Records::received(const NodeId& peer, const core::AckRecords& message, core::Instant now) {
  auto it = writers_.find(message.log);
  if (it == writers_.end()) return;
  replication::WriterLog& writer = it->second;
  auto link = acks_since_link_.find(peer);
  if (link != acks_since_link_.end()) link->second[message.log].insert(message.held);
  const std::uint64_t before = writer.held_by(peer).count();
  settled(message.log, writer.acked(peer, message.held, domains_beside(self_)), now);
  if (writer.held_by(peer).count() != before) unsaved_acks_.insert({message.log, peer});
}

void Records::received(const NodeId& peer, const core::RefuseRecords& message, core::Instant now) {
  const auto pause = std::clamp<std::int64_t>(message.retry_after_ms, 100, kRefusedMsMax);
  const core::Instant until = now + core::milliseconds(pause);
  auto it = writers_.find(message.log);
  if (it != writers_.end()) {
    it->second.link_down(peer);  // whatever was sent there was not taken
    refused_[peer] = until;
    receivers_stale_ = true;
  }
  pulls_.refused(peer, message.log, until);
  for (const auto& [log, since] : incomplete_) pull_dirty_.insert(log);  // a place is free
}

void Records::received(const NodeId& peer, const core::RequestRecords& message, Actions& out) {
  const SeqSet have = message.wanted.intersect(holdings_.held(message.log));
  if (have.empty()) {
    out.push_back(Send{peer, core::RefuseRecords{message.log, "not held here", 1000}});
    return;
  }
  out.push_back(SendRecords{peer, message.log, replication::first_of(have, 4096)});
}

void Records::merged(const Merged& done, core::Instant now) {
  const replication::Holding* holding = holdings_.find(done.log);
  const bool is_short = holding != nullptr && !holding->merging.minus(done.seqs).empty();
  holdings_.merged(done.log, done.seqs);
  trim_dirty_.insert(done.log);
  if (is_short) {
    merge_retry_at_[done.log] = now + kMergeRetry;
    merge_problems_[done.log] = "some records of " + done.log.origin.text +
                                " could not be read "
                                "for merging; they are tried again";
  } else {
    merge_problems_.erase(done.log);
  }
}

void Records::merge_failed(const MergeFailed& failed, core::Instant now) {
  holdings_.merge_failed(failed.log, failed.seqs);
  merge_retry_at_[failed.log] = now + kMergeRetry;
  merge_problems_[failed.log] = core::to_string(failed.error);
}

void Records::unavailable(const RecordsUnavailable& lost, core::Instant now, Actions& out) {
  // Neither journal nor replica has what was claimed: take the claim back, and fetch it anew.
  forget(lost.log, lost.seqs, out);
  out.push_back(Send{lost.peer, core::RefuseRecords{lost.log, lost.reason, 1000}});
  want_more(lost.log, now);
}

// ── the fleet changes ───────────────────────────────────────────────────────────────────────────

void Records::link_up(const NodeId& peer, Actions& out) {
  avoid_.erase(peer);
  refused_.erase(peer);
  receivers_stale_ = true;
  acks_since_link_[peer] = {};
  for (const auto& [log, since] : incomplete_) pull_dirty_.insert(log);
  // The peer may have missed our last acks when the link broke.
  for (const auto& [log, holding] : holdings_.all()) {
    if (log.origin == peer && !holding.held.empty()) ack(peer, log, out);
  }
}

void Records::link_down(const NodeId& peer) {
  for (auto& [log, writer] : writers_) writer.link_down(peer);
  pulls_.link_down(peer);
  acks_since_link_.erase(peer);
  receivers_stale_ = true;
  for (const auto& [log, since] : incomplete_) pull_dirty_.insert(log);
}

void Records::log_changed(const LogId& log, const NodeId& owner, const SeqSet& lost,
                          core::Instant now) {
  trim_dirty_.insert(log);
  if (owner == self_) return;
  auto it = log.origin == self_ ? writers_.find(log) : writers_.end();
  if (it != writers_.end()) {
    // The catalog's word is an ack as well: nodes tell only what is on their disk.
    auto told = view_.holders(log).find(owner);
    if (told != view_.holders(log).end()) {
      const std::uint64_t before = it->second.held_by(owner).count();
      settled(log, it->second.acked(owner, told->second, domains_beside(self_)), now);
      if (it->second.held_by(owner).count() != before) unsaved_acks_.insert({log, owner});
    }
    if (!lost.empty()) {
      unsaved_acks_.insert({log, owner});
      it->second.peer_lost_data(owner, it->second.held_by(owner).minus(lost),
                                domains_beside(self_));
      if (!it->second.is_settled()) active_.insert(log);
    }
  }
  want_more(log, now);
}

void Records::caught_up(const NodeId& peer) {
  auto link = acks_since_link_.find(peer);
  if (link == acks_since_link_.end()) return;
  for (auto& [log, writer] : writers_) {
    SeqSet held;
    auto told = view_.holders(log).find(peer);
    if (told != view_.holders(log).end()) held = told->second;
    auto acked = link->second.find(log);
    if (acked != link->second.end()) held.insert(acked->second);
    const std::uint64_t before = writer.held_by(peer).count();
    writer.peer_lost_data(peer, held, domains_beside(self_));
    if (writer.held_by(peer).count() != before) unsaved_acks_.insert({log, peer});
    if (!writer.is_settled()) active_.insert(log);
  }
  acks_since_link_.erase(link);
}

void Records::peer_gone(const NodeId& peer) {
  for (auto& [log, writer] : writers_) {
    writer.peer_gone(peer, domains_beside(self_));
    if (!writer.is_settled()) active_.insert(log);
  }
}

void Records::domains_changed(core::Instant now) {
  const std::set<LogId> active = active_;
  for (const LogId& log : active) {
    settled(log, writers_.at(log).recount(domains_beside(self_)), now);
  }
}

void Records::wanted_changed(const core::CollectionName& collection, core::Instant now) {
  receivers_stale_ = true;
  for (const auto& [log, holders] : view_.logs()) {
    if (log.collection == collection) want_more(log, now);
  }
  for (const auto& [log, holding] : holdings_.all()) {
    if (log.collection != collection) continue;
    trim_dirty_.insert(log);
    if (!holding.held.minus(holding.merged).empty()) unmerged_.insert(log);
  }
}

}  // namespace syncline::engine
