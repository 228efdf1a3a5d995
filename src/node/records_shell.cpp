#include "node/records_shell.hpp"

#include <algorithm>

#include "node/records_state.hpp"

namespace syncline::node {

using core::CollectionName;
using core::LogId;
using core::SeqSet;

namespace {
// One AppendRecords message: well below the frame's bound, large enough to fill a fast link.
constexpr std::size_t kSendBytesMax = 4u << 20;
}  // namespace

SeqSet seqs_of(const core::RecordBatch& batch) {
  SeqSet seqs;
  for (const core::Record& record : batch.records) seqs.insert(record.seq.value, record.seq.value);
  return seqs;
}

RecordsShell::RecordsShell(const core::Config& config, const env::Clock& clock,
                           std::unique_ptr<storage::Store> store, RecordsPorts ports)
    : state_(new State(config, clock, std::move(ports), std::move(store))) {}

RecordsShell::~RecordsShell() {
  close();
}

void RecordsShell::close() {
  for (auto& [name, lane] : state_->lanes) {
    if (lane->source_thread) lane->source_thread->close();
    if (lane->replica_thread) lane->replica_thread->close();
  }
  state_->journal.close();
}

core::Result<engine::Recovered> RecordsShell::recover(
    const std::function<void(const core::Error&)>& note) {
  State& s = *state_;
  engine::Recovered recovered;
  const auto floor = static_cast<std::uint64_t>(std::max<std::int64_t>(s.clock.wall().ms, 1));
  SYNCLINE_ASSIGN(const std::uint64_t epoch, s.store->next_epoch(floor));
  recovered.epoch = {epoch};
  recovered.incarnation = epoch;
  SYNCLINE_ASSIGN(recovered.removed, s.store->removed_nodes());
  SYNCLINE_ASSIGN(const auto logs, s.store->logs());
  for (const auto& [log, state] : logs) {
    engine::RecoveredLog& one = recovered.logs[log];
    one.held = state.held;
    one.merged = state.merged;
    one.trimmed = state.trimmed;
    if (log.origin != s.config.node.id) continue;
    SYNCLINE_ASSIGN(one.acks, s.store->load_acks(log));
    SYNCLINE_ASSIGN(auto sizes, s.store->record_sizes(log, one.held.minus(one.trimmed)));
    for (const auto& size : sizes) {
      one.records.push_back({size.seq, size.bytes, s.clock.now(), size.committed_at});
    }
  }
  for (const core::CollectionConfig& collection : s.config.collections) {
    if (collection.kind != core::Kind::kSqlite) continue;
    auto lane = std::make_unique<Lane>();
    lane->config = collection;
    const std::string name = collection.name.text;
    // What cannot be opened now is told in `status` and tried again; the rest of the node runs.
    add_copies(*lane, s.config);
    if (collection.has_sources()) {
      if (const core::Status opened = lane->open_source(); !opened.ok()) note(opened.error());
      lane->source_thread = std::make_unique<Serial>("sl-src-" + name);
    }
    if (!collection.replica.empty()) {
      if (const core::Status opened = lane->open_replica(); !opened.ok()) note(opened.error());
      lane->replica_thread = std::make_unique<Serial>("sl-rep-" + name);
    }
    if (lane->replica) {
      SYNCLINE_TRY(s.compare_with_replica(*lane, recovered));
      s.ports.post(State::measured(*lane));
    }
    s.lanes.emplace(collection.name, std::move(lane));
  }
  SYNCLINE_ASSIGN(const std::uint64_t bytes, s.store->journal_bytes());
  s.journal_bytes = bytes;
  return recovered;
}

// ── journal ─────────────────────────────────────────────────────────────────────────────────────

void RecordsShell::carry_out(const engine::Append& action) {
  State& s = *state_;
  const std::lock_guard lock(s.append_mutex);
  s.appends.push_back(action);
  if (s.is_commit_posted) return;
  s.is_commit_posted = true;
  s.journal.post([&s] { s.commit(); });
}

void RecordsShell::State::commit() {
  std::vector<engine::Append> group;
  {
    const std::lock_guard lock(append_mutex);
    group.swap(appends);
    is_commit_posted = false;
  }
  std::vector<core::RecordBatchPtr> batches;
  std::vector<storage::SourceProgress> progresses;
  std::uint64_t bytes = 0;
  for (const engine::Append& append : group) {
    if (!append.batch->records.empty()) batches.push_back(append.batch);
    for (const core::Record& record : append.batch->records) bytes += record.unit.bytes.size();
    if (append.read_id == 0) continue;
    const std::lock_guard lock(progress_mutex);
    auto it = progress.find(append.read_id);
    if (it == progress.end()) continue;
    progresses.push_back({append.batch->log.collection, std::move(it->second)});
    progress.erase(it);
  }
  const core::Status status = [&] {
    const std::lock_guard lock(store_mutex);
    return store->append(batches, progresses);
  }();
  if (status.ok()) journal_bytes += bytes;
  for (const engine::Append& append : group) {
    if (status.ok()) {
      ports.post(engine::Appended{append.append_id});
    } else {
      ports.post(engine::AppendFailed{append.append_id, status.error()});
    }
  }
}

void RecordsShell::carry_out(const engine::Trim& action) {
  State& s = *state_;
  s.journal.post([&s, action] {
    const std::lock_guard lock(s.store_mutex);
    // Failing to trim loses nothing; the next plan asks again after a restart.
    if (s.store->trim(action.log, action.seqs).ok()) {
      if (auto bytes = s.store->journal_bytes(); bytes.ok()) s.journal_bytes = *bytes;
    }
  });
}

void RecordsShell::carry_out(const engine::SaveAcks& action) {
  State& s = *state_;
  s.journal.post([&s, action] {
    const std::lock_guard lock(s.store_mutex);
    const core::Status saved = s.store->save_acks(action.log, action.peer, action.held);
    (void)saved;  // lost: after a restart the peer is asked again
  });
}

void RecordsShell::carry_out(const engine::SendRecords& action) {
  State& s = *state_;
  s.journal.post([&s, action] {
    SeqSet left = action.seqs;
    std::uint64_t bytes = 0;
    while (!left.empty()) {
      auto batch = s.read_journal(action.log, left, kSendBytesMax);
      if (!batch.ok() || batch->records.empty()) break;
      left = left.minus(seqs_of(*batch));
      for (const core::Record& record : batch->records) bytes += record.unit.bytes.size();
      auto shared = std::make_shared<core::RecordBatch>(std::move(batch).value());
      if (!s.ports.send(action.peer, core::AppendRecords{std::move(shared)})) return;
    }
    if (bytes > 0) s.ports.post(engine::RecordsSent{action.peer, action.log, bytes});
    if (left.empty()) return;
    Lane* lane = s.lane(action.log.collection);
    if (lane != nullptr && lane->replica) {
      lane->replica_thread->post(
          [&s, lane, action, left] { s.send_from_replica(*lane, action, left); });
    } else {
      s.give_up(action, left, "the journal has given them up");
    }
  });
}

void RecordsShell::with_store(std::function<void(storage::Store&)> task) {
  State& s = *state_;
  s.journal.post([&s, task = std::move(task)] {
    const std::lock_guard lock(s.store_mutex);
    task(*s.store);
  });
}

std::vector<std::string> RecordsShell::config_keys(const CollectionName& collection) {
  const std::lock_guard lock(state_->store_mutex);
  auto keys = state_->store->config_keys(collection);
  return keys.ok() ? std::move(keys).value() : std::vector<std::string>();
}

core::Result<std::map<LogId, SeqSet>> RecordsShell::with_config_key(
    const CollectionName& collection, const std::string& pattern) {
  const std::lock_guard lock(state_->store_mutex);
  return state_->store->with_config_key(collection, pattern);
}

std::uint64_t RecordsShell::journal_bytes() const {
  return state_->journal_bytes;
}

}  // namespace syncline::node
