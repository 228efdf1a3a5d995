// Opening, one transaction per merge, and what is read again when one fails.
#include "collections/sqlite/partition.hpp"

#include "collections/sqlite/replica_file.hpp"

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;
using core::LogId;
using core::SeqSet;
using core::Status;
namespace db = syncline::sqlite;

Partition::Partition(db::Database file, const core::CollectionConfig& config)
    : db_(std::move(file)),
      config_(config),
      rules_(encode_rules(config)),
      deriver_(make_deriver(config)) {}

core::Result<std::unique_ptr<Partition>> Partition::open(const std::string& path,
                                                         const core::CollectionConfig& config,
                                                         const core::ConfigKey& config_key) {
  SYNCLINE_ASSIGN(auto file, open_replica_file(path, config.name, config_key));
  std::unique_ptr<Partition> partition(new Partition(std::move(file), config));
  SYNCLINE_TRY(partition->load());
  SYNCLINE_TRY(partition->derive_if_new());
  return partition;
}

Status Partition::load() {
  layouts_.clear();
  shape_by_bytes_.clear();
  shapes_.clear();
  schemas_now_.clear();
  schemas_.clear();
  referenced_.clear();
  unmeasured_.clear();
  tables_ = {};
  SYNCLINE_TRY(load_logs());
  SYNCLINE_TRY(load_schemas());
  SYNCLINE_TRY(load_shapes());
  fingerprint_ = {};
  is_fingerprint_changed_ = false;
  SYNCLINE_ASSIGN(auto meta,
                  db_.prepare("SELECT value FROM syncline_meta WHERE name = 'fingerprint'"));
  SYNCLINE_ASSIGN(const bool has_fingerprint, meta.step());
  if (has_fingerprint && !reconcile::parse_fingerprint(meta.bytes(0), fingerprint_)) {
    return Error{ErrorKind::kCorrupt, "the replica's fingerprint is damaged", db_.path()};
  }
  SYNCLINE_ASSIGN(pending_, db_.ask_number("SELECT count(*) FROM syncline_refs WHERE is_pending"));
  return load_derivation();
}

Status Partition::load_logs() {
  logs_.clear();
  log_names_.clear();
  SYNCLINE_ASSIGN(auto rows, db_.prepare("SELECT log, origin, epoch, merged FROM syncline_logs"));
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) return {};
    const LogId id{
        config_.name, core::NodeId(rows.text(1)), {static_cast<std::uint64_t>(rows.number(2))}};
    auto merged = core::parse_seq_set(rows.bytes(3), std::size_t{1} << 24);
    if (!merged) {
      return Error{ErrorKind::kCorrupt, "the replica's table of logs is damaged", db_.path()};
    }
    logs_[id] = {rows.number(0), std::move(*merged), false};
    log_names_[rows.number(0)] = id;
  }
}

core::Result<Partition::Log*> Partition::log_of(const LogId& id) {
  auto found = logs_.find(id);
  if (found != logs_.end()) return &found->second;
  SYNCLINE_ASSIGN(db::Statement* const insert,
                  sql("INSERT INTO syncline_logs (origin, epoch) VALUES (?, ?)"));
  insert->bind(1, std::string_view(id.origin.text));
  SYNCLINE_TRY(insert->bind(2, static_cast<std::int64_t>(id.epoch.value)).run());
  Log& log = logs_[id];
  log.number = db_.last_rowid();
  log_names_[log.number] = id;
  return &log;
}

const LogId* Partition::log_by(std::int64_t number) const {
  auto it = log_names_.find(number);
  return it == log_names_.end() ? nullptr : &it->second;
}

// `text` is a literal: its address outlives the cache.
core::Result<db::Statement*> Partition::sql(const char* text) {
  std::unique_ptr<db::Statement>& cached = statements_[std::string_view(text)];
  if (!cached) {
    auto prepared = db_.prepare(text, true);
    if (!prepared.ok()) {
      statements_.erase(std::string_view(text));
      return prepared.error();
    }
    cached = std::make_unique<db::Statement>(std::move(prepared).value());
  }
  cached->reset();
  return cached.get();
}

core::Result<MergeReport> Partition::merge(std::span<const Incoming> records) {
  auto report = merge_all(records);
  if (report.ok()) return report;
  // The transaction is gone; what is in memory must say what the file says.
  const Status loaded = load();
  if (!loaded.ok()) return loaded.error();
  return report;
}

core::Result<MergeReport> Partition::merge_all(std::span<const Incoming> records) {
  MergeReport report;
  SYNCLINE_ASSIGN(auto transaction, db::Transaction::begin(db_));
  for (const Incoming& incoming : records) SYNCLINE_TRY(merge_one(incoming, report));
  if (report.merged > 0) SYNCLINE_TRY(finish(report));
  for (auto& [text, statement] : statements_) statement->reset();
  SYNCLINE_TRY(transaction.commit());
  return report;
}

Status Partition::finish(MergeReport&) {
  for (const std::int64_t number : unmeasured_) {
    SYNCLINE_ASSIGN(auto unit, load_unit(number));
    if (!unit || !unit->is_here) continue;
    SYNCLINE_ASSIGN(const core::Unit rows, read_unit(*unit));
    const core::Digest256 hash = core::seal(rows).hash;
    if (hash == unit->hash) {
      unit->measured.reset();
    } else {
      unit->measured = hash;
    }
    SYNCLINE_TRY(save_unit(*unit));
  }
  unmeasured_.clear();
  SYNCLINE_TRY(derive());
  for (auto& [id, log] : logs_) {
    if (!log.is_changed) continue;
    SYNCLINE_ASSIGN(db::Statement* const update,
                    sql("UPDATE syncline_logs SET merged = ? WHERE log = ?"));
    update->bind(1, std::string_view(to_string(log.merged)));
    SYNCLINE_TRY(update->bind(2, log.number).run());
    log.is_changed = false;
  }
  if (is_fingerprint_changed_) {
    SYNCLINE_ASSIGN(db::Statement* const update,
                    sql("INSERT OR REPLACE INTO syncline_meta VALUES ('fingerprint', ?)"));
    SYNCLINE_TRY(update->bind(1, std::string_view(to_string(fingerprint_))).run());
    is_fingerprint_changed_ = false;
  }
  return {};
}

std::map<LogId, SeqSet> Partition::merged() const {
  std::map<LogId, SeqSet> out;
  for (const auto& [id, log] : logs_) {
    if (!log.merged.empty()) out[id] = log.merged;
  }
  return out;
}

}  // namespace syncline::collections::sqlite
