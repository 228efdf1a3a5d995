// The journal: append with one fsync, read, trim.
#include <algorithm>

#include "core/config.hpp"
#include "storage/state.hpp"
#include "storage/store.hpp"

namespace syncline::storage {

using core::LogId;
using core::SeqSet;
using core::Status;

namespace {

std::string_view bytes_of(const core::Digest256& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

bool to_digest(std::string_view bytes, core::Digest256& digest) {
  if (bytes.size() != digest.bytes.size()) return false;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(digest.bytes.data()));
  return true;
}

}  // namespace

Status Store::append(std::span<const core::RecordBatchPtr> batches,
                     std::span<const SourceProgress> progresses) {
  State& s = *state_;
  // Progress alone is read again should it be forgotten.
  std::optional<LazyCommits> lazy;
  if (batches.empty()) lazy.emplace(s.db);
  auto attempt = [&]() -> Status {
    SYNCLINE_ASSIGN(sqlite::Transaction transaction, sqlite::Transaction::begin(s.db));
    for (const core::RecordBatchPtr& batch : batches) SYNCLINE_TRY(s.insert_records(*batch));
    for (const SourceProgress& progress : progresses) SYNCLINE_TRY(s.save_progress(progress));
    return transaction.commit();
  };
  Status status = attempt();
  if (!status.ok()) s.reload();
  return status;
}

Status Store::State::insert_records(const core::RecordBatch& batch) {
  SYNCLINE_ASSIGN(auto insert, db.prepare("INSERT OR IGNORE INTO records (log, seq, committed_at, "
                                          "hlc, unit_key, config_key, schema, "
                                          "hash, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  SYNCLINE_ASSIGN(
      auto know,
      db.prepare("INSERT OR REPLACE INTO known_units (collection, unit_key, hash, config_key) "
                 "VALUES (?, ?, ?, ?)"));
  SYNCLINE_ASSIGN(auto key, db.prepare("INSERT OR IGNORE INTO record_keys VALUES (?, ?, ?)"));
  SYNCLINE_ASSIGN(auto learn, db.prepare("INSERT OR IGNORE INTO schemas VALUES (?, ?)"));
  for (const auto& [schema, bytes] : batch.schemas) {
    learn.bind(1, std::string_view(schema)).bind_blob(2, bytes);
    SYNCLINE_TRY(learn.run());
  }
  SYNCLINE_ASSIGN(Log* const log, this->log(batch.log));
  for (const core::Record& record : batch.records) {
    const core::EncodedUnit& unit = record.unit;
    if (log->state.held.contains(record.seq.value)) continue;
    const auto seq = static_cast<std::int64_t>(record.seq.value);
    insert.bind(1, log->number).bind(2, seq);
    insert.bind(3, record.committed_at.ms).bind(4, static_cast<std::int64_t>(record.hlc));
    insert.bind(5, std::string_view(unit.key));
    insert.bind(6, std::string_view(unit.config_key.text));
    insert.bind(7, std::string_view(unit.schema));
    insert.bind_blob(8, bytes_of(unit.hash)).bind_blob(9, unit.bytes);
    SYNCLINE_TRY(insert.run());
    if (!unit.config_key.empty()) {
      key.bind(1, log->number).bind(2, std::string_view(unit.config_key.text)).bind(3, seq);
      SYNCLINE_TRY(key.run());
    }
    log->state.held.insert(record.seq.value, record.seq.value);
    if (batch.log.origin != self) continue;
    know.bind(1, std::string_view(batch.log.collection.text));
    know.bind(2, std::string_view(unit.key)).bind_blob(3, bytes_of(unit.hash));
    know.bind(4, std::string_view(unit.config_key.text));
    SYNCLINE_TRY(know.run());
  }
  return save_log(*log);
}

Status Store::State::save_progress(const SourceProgress& progress) {
  SYNCLINE_ASSIGN(
      auto move,
      db.prepare("INSERT OR REPLACE INTO cursors (collection, database, cursor) VALUES (?, ?, ?)"));
  for (const auto& [database, cursor] : progress.cursors) {
    move.bind(1, std::string_view(progress.collection.text));
    move.bind(2, std::string_view(database)).bind_blob(3, cursor);
    SYNCLINE_TRY(move.run());
  }
  return {};
}

core::Result<core::RecordBatch> Store::read(const LogId& id, const SeqSet& wanted,
                                            std::size_t bytes_max) {
  core::RecordBatch batch;
  batch.log = id;
  auto found = state_->logs.find(id);
  if (found == state_->logs.end()) return batch;
  SYNCLINE_ASSIGN(
      auto rows,
      state_->db.prepare(
          "SELECT seq, committed_at, hlc, unit_key, config_key, schema, hash, payload FROM records "
          "WHERE log = ? AND seq BETWEEN ? AND ? ORDER BY seq"));
  std::size_t bytes = 0;
  for (const core::SeqRange& range : wanted.ranges()) {
    rows.bind(1, found->second.number).bind(2, static_cast<std::int64_t>(range.first));
    rows.bind(3, static_cast<std::int64_t>(range.last));
    while (true) {
      SYNCLINE_ASSIGN(const bool has_row, rows.step());
      if (!has_row) break;
      core::Record record;
      record.seq = {static_cast<std::uint64_t>(rows.number(0))};
      record.committed_at = {rows.number(1)};
      record.hlc = static_cast<std::uint64_t>(rows.number(2));
      record.unit.key = rows.text(3);
      record.unit.config_key = core::ConfigKey(rows.text(4));
      record.unit.schema = rows.text(5);
      if (!to_digest(rows.bytes(6), record.unit.hash)) {
        return core::Error{core::ErrorKind::kCorrupt, "a record in the journal has no hash",
                           state_->db.path()};
      }
      record.unit.bytes = rows.text(7);
      if (!batch.records.empty() && bytes + record.unit.bytes.size() > bytes_max) {
        SYNCLINE_TRY(state_->add_schemas(batch));
        return batch;
      }
      bytes += record.unit.bytes.size();
      batch.records.push_back(std::move(record));
    }
    rows.reset();
  }
  SYNCLINE_TRY(state_->add_schemas(batch));
  return batch;
}

Status Store::State::add_schemas(core::RecordBatch& batch) {
  SYNCLINE_ASSIGN(auto row, db.prepare("SELECT bytes FROM schemas WHERE id = ?"));
  for (const core::Record& record : batch.records) {
    const std::string& id = record.unit.schema;
    if (record.is_superseded() || batch.schemas.count(id) > 0) continue;
    row.bind(1, std::string_view(id));
    SYNCLINE_ASSIGN(const bool is_there, row.step());
    if (!is_there) {
      return core::Error{core::ErrorKind::kCorrupt, "the journal lacks schema " + id, db.path()};
    }
    batch.schemas.emplace(id, row.bytes(0));
    row.reset();
  }
  return {};
}

core::Result<std::vector<RecordSize>> Store::record_sizes(const LogId& id, const SeqSet& wanted) {
  std::vector<RecordSize> sizes;
  auto found = state_->logs.find(id);
  if (found == state_->logs.end()) return sizes;
  SYNCLINE_ASSIGN(auto rows,
                  state_->db.prepare("SELECT seq, length(payload), committed_at FROM records "
                                     "WHERE log = ? AND seq BETWEEN ? AND ? ORDER BY seq"));
  for (const core::SeqRange& range : wanted.ranges()) {
    rows.bind(1, found->second.number).bind(2, static_cast<std::int64_t>(range.first));
    rows.bind(3, static_cast<std::int64_t>(range.last));
    while (true) {
      SYNCLINE_ASSIGN(const bool has_row, rows.step());
      if (!has_row) break;
      sizes.push_back({static_cast<std::uint64_t>(rows.number(0)),
                       static_cast<std::uint32_t>(rows.number(1)),
                       {rows.number(2)}});
    }
    rows.reset();
  }
  return sizes;
}

Status Store::mark_merged(const LogId& id, const SeqSet& seqs) {
  SYNCLINE_ASSIGN(State::Log* const log, state_->log(id));
  log->state.merged.insert(seqs);
  const LazyCommits lazy(state_->db);
  return state_->save_log(*log);
}

Status Store::trim(const LogId& id, const SeqSet& seqs) {
  State& s = *state_;
  const LazyCommits lazy(s.db);
  auto attempt = [&]() -> Status {
    SYNCLINE_ASSIGN(sqlite::Transaction transaction, sqlite::Transaction::begin(s.db));
    SYNCLINE_ASSIGN(State::Log* const log, s.log(id));
    SYNCLINE_TRY(s.erase_records(*log, seqs));
    log->state.trimmed.insert(seqs);
    SYNCLINE_TRY(s.save_log(*log));
    return transaction.commit();
  };
  Status status = attempt();
  if (!status.ok()) s.reload();
  return status;
}

Status Store::forget(const LogId& id, const SeqSet& seqs) {
  State& s = *state_;
  auto attempt = [&]() -> Status {
    SYNCLINE_ASSIGN(sqlite::Transaction transaction, sqlite::Transaction::begin(s.db));
    SYNCLINE_ASSIGN(State::Log* const log, s.log(id));
    SYNCLINE_TRY(s.erase_records(*log, seqs));
    log->state.held = log->state.held.minus(seqs);
    log->state.merged = log->state.merged.minus(seqs);
    log->state.trimmed = log->state.trimmed.minus(seqs);
    SYNCLINE_TRY(s.save_log(*log));
    return transaction.commit();
  };
  Status status = attempt();
  if (!status.ok()) s.reload();
  return status;
}

Status Store::State::erase_records(const Log& log, const SeqSet& seqs) {
  SYNCLINE_ASSIGN(auto erase,
                  db.prepare("DELETE FROM records WHERE log = ? AND seq BETWEEN ? AND ?"));
  for (const core::SeqRange& range : seqs.ranges()) {
    erase.bind(1, log.number).bind(2, static_cast<std::int64_t>(range.first));
    erase.bind(3, static_cast<std::int64_t>(range.last));
    SYNCLINE_TRY(erase.run());
  }
  return {};
}

core::Result<std::uint64_t> Store::journal_bytes() {
  SYNCLINE_ASSIGN(const std::int64_t bytes,
                  state_->db.ask_number("SELECT coalesce(sum(length(payload)), 0) FROM records"));
  return static_cast<std::uint64_t>(bytes);
}

core::Result<std::vector<std::string>> Store::config_keys(const core::CollectionName& collection) {
  std::vector<std::string> keys;
  SYNCLINE_ASSIGN(
      auto rows,
      state_->db.prepare(
          "SELECT DISTINCT config_key FROM record_keys JOIN logs USING (log) WHERE collection = ? "
          "ORDER BY 1"));
  rows.bind(1, std::string_view(collection.text));
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) return keys;
    keys.push_back(rows.text(0));
  }
}

core::Result<std::map<LogId, SeqSet>> Store::with_config_key(const core::CollectionName& collection,
                                                             const std::string& pattern) {
  std::map<LogId, SeqSet> out;
  SYNCLINE_ASSIGN(const auto keys, config_keys(collection));
  SYNCLINE_ASSIGN(auto rows, state_->db.prepare(
                                 "SELECT origin, epoch, seq FROM record_keys JOIN logs USING (log) "
                                 "WHERE collection = ? AND config_key = ? ORDER BY log, seq"));
  for (const std::string& key : keys) {
    if (!core::glob_matches(pattern, key)) continue;
    rows.bind(1, std::string_view(collection.text)).bind(2, std::string_view(key));
    while (true) {
      SYNCLINE_ASSIGN(const bool has_row, rows.step());
      if (!has_row) break;
      const LogId id{
          collection, core::NodeId(rows.text(0)), {static_cast<std::uint64_t>(rows.number(1))}};
      const auto seq = static_cast<std::uint64_t>(rows.number(2));
      out[id].insert(seq, seq);
    }
    rows.reset();
  }
  return out;
}

}  // namespace syncline::storage
