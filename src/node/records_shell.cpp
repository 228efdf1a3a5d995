#include "node/records_shell.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <vector>

#include "collections/sqlite/replica.hpp"
#include "collections/sqlite/source.hpp"
#include "node/serial.hpp"
#include "storage/store.hpp"

namespace syncline::node {

using core::CollectionName;
using core::LogId;
using core::SeqSet;
namespace sqlite = collections::sqlite;

namespace {
// One AppendRecords message: well below the frame's bound, large enough to fill a fast link.
constexpr std::size_t kSendBytesMax = 4u << 20;
constexpr std::size_t kRecoverBytesMax = 16u << 20;
constexpr int kReadUnits = 512;

// What the journal has taken already, for a source that compares instead of following a cursor.
class JournalledUnits final : public sqlite::KnownUnits {
 public:
  JournalledUnits(storage::Store& store, std::mutex& mutex, CollectionName collection)
      : store_(store), mutex_(mutex), collection_(std::move(collection)) {}
  std::optional<core::Digest256> hash_of(const std::string& key) const override {
    const std::lock_guard lock(mutex_);
    return store_.known_unit(collection_, key);
  }

 private:
  storage::Store& store_;
  std::mutex& mutex_;
  CollectionName collection_;
};

SeqSet seqs_of(const core::RecordBatch& batch) {
  SeqSet seqs;
  for (const core::Record& record : batch.records) seqs.insert(record.seq.value, record.seq.value);
  return seqs;
}
}  // namespace

// One sqlite collection.
struct Lane {
  core::CollectionConfig config;
  std::unique_ptr<sqlite::Source> source;
  std::unique_ptr<sqlite::Replica> replica;
  std::unique_ptr<Serial> source_thread;
  std::unique_ptr<Serial> replica_thread;
  std::mutex mutex;
  std::set<std::string> changed;          // relative paths, since the last read
  std::optional<core::Instant> noticed_at;  // of the first of them
};

struct RecordsShell::State {
  const core::Config& config;
  const env::Clock& clock;
  RecordsPorts ports;
  std::mutex store_mutex;  // the journal's thread holds it for one transaction at a time
  std::unique_ptr<storage::Store> store;
  std::map<CollectionName, std::unique_ptr<Lane>> lanes;
  // Cursors of reads whose units are not journalled yet, by read id.
  std::mutex progress_mutex;
  std::map<std::uint64_t, std::map<std::string, std::string>> progress;
  std::mutex append_mutex;
  std::vector<engine::Append> appends;
  bool is_commit_posted = false;
  std::atomic<std::uint64_t> journal_bytes{0};
  Serial journal{"sl-journal"};  // last: its tasks use everything above

  Lane* lane(const CollectionName& name) {
    auto it = lanes.find(name);
    return it == lanes.end() ? nullptr : it->second.get();
  }
  core::Result<core::RecordBatch> read_journal(const LogId& log, const SeqSet& seqs,
                                               std::size_t bytes_max) {
    const std::lock_guard lock(store_mutex);
    return store->read(log, seqs, bytes_max);
  }
  void commit();
  void read(Lane& lane, const engine::ReadSource& action);
  void send_from_replica(Lane& lane, const engine::SendRecords& action, const SeqSet& left);
};

RecordsShell::RecordsShell(const core::Config& config, const env::Clock& clock,
                           std::unique_ptr<storage::Store> store, RecordsPorts ports)
    : state_(new State{config, clock, std::move(ports), std::move(store)}) {}

RecordsShell::~RecordsShell() { close(); }

void RecordsShell::close() {
  for (auto& [name, lane] : state_->lanes) {
    if (lane->source_thread) lane->source_thread->close();
    if (lane->replica_thread) lane->replica_thread->close();
  }
  state_->journal.close();
}

core::Result<engine::Recovered> RecordsShell::recover() {
  State& s = *state_;
  engine::Recovered recovered;
  const auto floor = static_cast<std::uint64_t>(std::max<std::int64_t>(s.clock.wall().ms, 1));
  SYNCLINE_ASSIGN(const std::uint64_t epoch, s.store->next_epoch(floor));
  recovered.epoch = {epoch};
  recovered.incarnation = epoch;
  SYNCLINE_ASSIGN(auto held, s.store->held());
  SYNCLINE_ASSIGN(auto merged, s.store->merged());
  SYNCLINE_ASSIGN(auto trimmed, s.store->trimmed());
  for (auto& [log, seqs] : held) {
    engine::RecoveredLog& one = recovered.logs[log];
    one.held = seqs;
    one.merged = merged[log];
    one.trimmed = trimmed[log];
    if (log.origin != s.config.node.id) continue;
    SYNCLINE_ASSIGN(one.acks, s.store->load_acks(log));
    SYNCLINE_ASSIGN(auto sizes, s.store->record_sizes(log, seqs.minus(one.trimmed)));
    for (const auto& size : sizes) {
      one.records.push_back({size.seq, size.bytes, s.clock.now(), size.committed_at});
    }
  }
  for (const core::CollectionConfig& collection : s.config.collections) {
    if (collection.kind != core::Kind::kSqlite) continue;
    auto lane = std::make_unique<Lane>();
    lane->config = collection;
    const std::string name = collection.name.text;
    if (!collection.root.empty()) {
      SYNCLINE_ASSIGN(lane->source, sqlite::Source::open(
          collection, s.config.node.ephemeral == core::Tristate::kTrue));
      lane->source_thread = std::make_unique<Serial>("sl-src-" + name);
    }
    if (!collection.replica.empty()) {
      SYNCLINE_ASSIGN(lane->replica, sqlite::Replica::open(collection));
      lane->replica_thread = std::make_unique<Serial>("sl-rep-" + name);
      // The replica is the truth of what was merged: it may be ahead of the journal's note.
      for (const auto& [log, seqs] : lane->replica->merged_all()) {
        auto it = recovered.logs.find(log);
        if (it != recovered.logs.end()) it->second.merged = seqs.intersect(it->second.held);
      }
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
  std::vector<storage::Store::SourceProgress> progresses;
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
      lane->replica_thread->post([&s, lane, action, left] {
        s.send_from_replica(*lane, action, left);
      });
    } else {
      s.ports.post(engine::RecordsUnavailable{action.peer, action.log, left,
                                              "the journal has given them up"});
    }
  });
}

void RecordsShell::State::send_from_replica(Lane& lane, const engine::SendRecords& action,
                                            const SeqSet& wanted) {
  SeqSet left = wanted;
  std::uint64_t bytes = 0;
  while (!left.empty()) {
    auto batch = lane.replica->read(action.log, left, kSendBytesMax);
    if (!batch.ok()) return;  // unreadable now is not gone: the peer asks again
    if (batch->records.empty()) break;
    left = left.minus(seqs_of(*batch));
    for (const core::Record& record : batch->records) bytes += record.unit.bytes.size();
    auto shared = std::make_shared<core::RecordBatch>(std::move(batch).value());
    if (!ports.send(action.peer, core::AppendRecords{std::move(shared)})) return;
  }
  if (bytes > 0) ports.post(engine::RecordsSent{action.peer, action.log, bytes});
  if (!left.empty()) {
    ports.post(engine::RecordsUnavailable{action.peer, action.log, left,
                                          "neither journal nor replica has them"});
  }
}

// ── replica ─────────────────────────────────────────────────────────────────────────────────────

void RecordsShell::carry_out(const engine::Merge& action) {
  State& s = *state_;
  Lane* lane = s.lane(action.log.collection);
  if (lane == nullptr || !lane->replica) {
    s.ports.post(engine::MergeFailed{action.log, action.seqs,
                                     {core::ErrorKind::kMissing,
                                      "the collection has no replica here", ""}});
    return;
  }
  s.journal.post([&s, lane, action] {
    std::vector<core::RecordBatchPtr> batches;
    SeqSet left = action.seqs;
    while (!left.empty()) {
      auto batch = s.read_journal(action.log, left, kRecoverBytesMax);
      if (!batch.ok() || batch->records.empty()) break;
      left = left.minus(seqs_of(*batch));
      batches.push_back(std::make_shared<core::RecordBatch>(std::move(batch).value()));
    }
    lane->replica_thread->post([&s, lane, action, batches] {
      SeqSet done;
      for (const auto& batch : batches) done.insert(seqs_of(*batch));
      const auto report = lane->replica->merge(batches);
      if (!report.ok()) {
        s.ports.post(engine::MergeFailed{action.log, action.seqs, report.error()});
        return;
      }
      s.journal.post([&s, action, done] {
        const std::lock_guard lock(s.store_mutex);
        const core::Status noted = s.store->mark_merged(action.log, done);
        (void)noted;  // the replica itself knows; the note only spares work at the next start
      });
      s.ports.post(engine::Merged{action.log, done});
      engine::ReplicaMeasured measured{action.log.collection, lane->replica->units(),
                                       to_string(lane->replica->fingerprint())};
      s.ports.post(std::move(measured));
    });
  });
}

void RecordsShell::verify(const CollectionName& collection) {
  State& s = *state_;
  Lane* lane = s.lane(collection);
  if (lane == nullptr || !lane->replica) {
    s.ports.post(engine::VerifyDone{collection, 0, {}});
    return;
  }
  lane->replica_thread->post([&s, lane, collection] {
    engine::VerifyDone done{collection, 0, {}};
    auto scrub = lane->replica->scrub(std::size_t(-1));
    if (scrub.ok()) {
      done.checked = scrub->checked;
      done.damaged = scrub->damaged;
    } else {
      done.damaged.push_back(core::to_string(scrub.error()));
    }
    s.ports.post(std::move(done));
  });
}

// ── sources ─────────────────────────────────────────────────────────────────────────────────────

void RecordsShell::files_changed(const CollectionName& collection,
                                 const std::string& relative_path) {
  Lane* lane = state_->lane(collection);
  if (lane == nullptr || !lane->source) return;
  std::string database = relative_path;
  for (const char* suffix : {"-wal", "-journal", "-shm"}) {
    if (database.ends_with(suffix)) database.resize(database.size() - std::string(suffix).size());
  }
  const std::lock_guard lock(lane->mutex);
  lane->changed.insert(std::move(database));
  if (!lane->noticed_at) lane->noticed_at = state_->clock.now();
}

void RecordsShell::carry_out(const engine::ReadSource& action) {
  State& s = *state_;
  Lane* lane = s.lane(action.collection);
  if (lane == nullptr || !lane->source) {
    s.ports.post(engine::UnitsRead{action.collection, action.read_id, {}, {}, {}, 0, {}, false});
    return;
  }
  lane->source_thread->post([&s, lane, action] { s.read(*lane, action); });
}

void RecordsShell::State::read(Lane& lane, const engine::ReadSource& action) {
  std::set<std::string> only;
  engine::UnitsRead read;
  read.collection = action.collection;
  read.read_id = action.read_id;
  read.noticed_at = clock.now();
  {
    const std::lock_guard lock(lane.mutex);
    only.swap(lane.changed);
    if (lane.noticed_at) read.noticed_at = *lane.noticed_at;
    lane.noticed_at.reset();
  }
  auto cursors = [&] {
    const std::lock_guard lock(store_mutex);
    return store->cursors(action.collection);
  }();
  if (!cursors.ok()) {
    read.problems.push_back(core::to_string(cursors.error()));
    ports.post(std::move(read));
    return;
  }
  const JournalledUnits known(*store, store_mutex, action.collection);
  sqlite::ReadLimits limits;
  limits.units_max = kReadUnits;
  sqlite::ReadOutcome outcome =
      lane.source->read(*cursors, known, limits, action.full ? nullptr : &only);
  read.units = std::move(outcome.units);
  read.seen_at = std::move(outcome.seen_at);
  read.open_units = outcome.open_units;
  read.problems = std::move(outcome.problems);
  read.has_more = outcome.has_more;
  if (outcome.has_more && !action.full) {
    // What the bounds cut off is looked at by the read that follows.
    const std::lock_guard lock(lane.mutex);
    lane.changed.insert(only.begin(), only.end());
  }
  {
    const std::lock_guard lock(progress_mutex);
    progress[action.read_id] = std::move(outcome.cursors);
  }
  ports.post(std::move(read));
}

void RecordsShell::with_store(std::function<void(storage::Store&)> task) {
  State& s = *state_;
  s.journal.post([&s, task = std::move(task)] {
    const std::lock_guard lock(s.store_mutex);
    task(*s.store);
  });
}

std::uint64_t RecordsShell::journal_bytes() const { return state_->journal_bytes; }

}  // namespace syncline::node
