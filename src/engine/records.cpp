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
    holdings_.restore(log, recovered.held, recovered.merged, recovered.trimmed);
    if (!recovered.held.minus(recovered.merged).empty()) unmerged_.insert(log);
    told_late_.insert(log);
    if (log.origin != self_) continue;
    replication::WriterLog& writer = writer_for(log);
    writer.restore(recovered.held, recovered.records);
    for (const auto& [peer, held] : recovered.acks) writer.acked(peer, held, domains_beside(self_));
  }
  tell_at_ = core::Instant{};
}

replication::CountDomains Records::domains_beside(const NodeId& origin) const {
  return [this, origin](const std::set<NodeId>& nodes) {
    return view_.count_domains(nodes, origin);
  };
}

replication::WriterLog& Records::writer_for(const LogId& log) {
  auto it = writers_.find(log);
  if (it == writers_.end()) {
    it = writers_.emplace(log, replication::WriterLog(log, writer_limits(config_.durability))).first;
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

void Records::units_read(const UnitsRead& read, core::Instant now, Actions& out) {
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
  (void)now;
}

void Records::received(const NodeId& peer, const core::AppendRecords& message, Actions& out) {
  const core::RecordBatch& batch = *message.batch;
  const LogId& log = batch.log;
  const bool is_declared = std::any_of(
      config_.collections.begin(), config_.collections.end(), [&](const auto& collection) {
        return collection.name == log.collection && collection.kind == core::Kind::kSqlite;
      });
  if (!is_declared) {
    out.push_back(Send{peer, core::RefuseRecords{
        log, "collection " + log.collection.text + " is not declared on " + self_.text, 60000}});
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
  for (const core::Record& record : fresh->records) pending.bytes += record.unit.bytes.size();
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
  } else {
    ack(pending.from, pending.log, out);
    const NodeId& origin = pending.log.origin;
    if (origin != pending.from && peers_.is_linked(origin)) ack(origin, pending.log, out);
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
  if (!pending.from.empty()) {
    out.push_back(Send{pending.from, core::RefuseRecords{pending.log, failed.error.what, 5000}});
  }
  (void)now;
}

void Records::held_more(const LogId& log, core::Instant now) {
  unmerged_.insert(log);
  told_late_.insert(log);
  if (!tell_at_) tell_at_ = now + core::milliseconds(config_.gossip.fact_flush_ms);
}

void Records::ack(const NodeId& peer, const LogId& log, Actions& out) const {
  SeqSet held = holdings_.held(log);
  if (held.ranges().size() > kAckRangesMax) {  // bounded, and still true
    const SeqSet all = held;
    held = SeqSet();
    for (std::size_t i = 0; i < kAckRangesMax; ++i) {
      held.insert(all.ranges()[i].first, all.ranges()[i].last);
    }
  }
  out.push_back(Send{peer, core::AckRecords{log, std::move(held)}});
}

// ── answers of peers ────────────────────────────────────────────────────────────────────────────

void Records::received(const NodeId& peer, const core::AckRecords& message, core::Instant now) {
  auto it = writers_.find(message.log);
  if (it == writers_.end()) return;
  const auto durable = it->second.acked(peer, message.held, domains_beside(self_));
  for (const replication::PendingRecord& record : durable) {
    door_.became_durable(now - record.local_at);
  }
  unsaved_acks_.insert({message.log, peer});
}

void Records::received(const NodeId& peer, const core::RefuseRecords& message, core::Instant now) {
  if (message.log.origin == self_) {
    auto it = writers_.find(message.log);
    if (it == writers_.end()) return;
    it->second.link_down(peer);  // whatever was sent there was not taken
    const auto pause = std::clamp<std::int64_t>(message.retry_after_ms, 100, 600000);
    avoid_[peer] = now + core::milliseconds(pause);
    receivers_stale_ = true;
  } else {
    pulls_.refused(peer, message.log);
  }
}

void Records::received(const NodeId& peer, const core::RequestRecords& message, Actions& out) {
  const SeqSet have = message.wanted.intersect(holdings_.held(message.log));
  if (have.empty()) {
    out.push_back(Send{peer, core::RefuseRecords{message.log, "not held here", 1000}});
    return;
  }
  out.push_back(SendRecords{peer, message.log, replication::first_of(have, 4096)});
}

void Records::merged(const Merged& done) {
  holdings_.merged(done.log, done.seqs);
  merge_problems_.erase(done.log);
}

void Records::merge_failed(const MergeFailed& failed, core::Instant now) {
  holdings_.merge_failed(failed.log, failed.seqs);
  merge_retry_at_[failed.log] = now + kMergeRetry;
  merge_problems_[failed.log] = core::to_string(failed.error);
}

// ── the fleet changes ───────────────────────────────────────────────────────────────────────────

void Records::link_up(const NodeId& peer, Actions& out) {
  avoid_.erase(peer);
  receivers_stale_ = true;
  // The peer may have missed our last acks when the link broke.
  for (const auto& [log, holding] : holdings_.all()) {
    if (log.origin == peer && !holding.held.empty()) ack(peer, log, out);
  }
}

void Records::link_down(const NodeId& peer) {
  for (auto& [log, writer] : writers_) writer.link_down(peer);
  pulls_.link_down(peer);
  receivers_stale_ = true;
}

void Records::log_changed(const LogId& log, core::Instant now) {
  if (log.origin == self_) {
    // The catalog's word is an ack as well: nodes tell only what is on their disk.
    auto it = writers_.find(log);
    if (it != writers_.end()) {
      for (const auto& [node, held] : view_.holders(log)) {
        if (node == self_) continue;
        for (const auto& record : it->second.acked(node, held, domains_beside(self_))) {
          door_.became_durable(now - record.local_at);
        }
      }
    }
  }
  if (wants(log.collection)) incomplete_.insert(log);
}

void Records::fleet_changed() {
  receivers_stale_ = true;
  for (const auto& [log, holders] : view_.logs()) {
    if (wants(log.collection)) incomplete_.insert(log);
  }
  for (const auto& [log, holding] : holdings_.all()) {
    if (!holding.held.minus(holding.merged).empty()) unmerged_.insert(log);
  }
  // A node's domain may have become known: what it holds may count now.
  for (auto& [log, writer] : writers_) writer.recount(domains_beside(self_));
}

}  // namespace syncline::engine
