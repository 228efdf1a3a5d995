// Opening, migrating, logs and acks. The journal is in journal.cpp, files and sources in notes.cpp.
#include "storage/store.hpp"

#include <algorithm>

#include "env/files.hpp"
#include "storage/migrations.hpp"
#include "storage/state.hpp"

namespace syncline::storage {

using core::Error;
using core::ErrorKind;
using core::LogId;
using core::SeqSet;
using core::Status;

namespace {
constexpr std::int64_t kApplicationId = 0x53796e63;  // "Sync". DO NOT CHANGE

Status migrate(sqlite::Database& db) {
  SYNCLINE_ASSIGN(const std::int64_t version, db.ask_number("PRAGMA user_version"));
  SYNCLINE_ASSIGN(const std::int64_t id, db.ask_number("PRAGMA application_id"));
  if (version > 0 && id != kApplicationId) {
    return Error{ErrorKind::kConflict, "this database is not Syncline's", db.path()};
  }
  const auto known = static_cast<std::int64_t>(std::size(kMigrations));
  if (version > known) {
    return Error{ErrorKind::kConflict,
                 "the state was written by a newer Syncline (schema " + std::to_string(version) +
                     ", this one knows " + std::to_string(known) + "): install that one",
                 db.path()};
  }
  for (std::int64_t next = version; next < known; ++next) {
    SYNCLINE_ASSIGN(sqlite::Transaction transaction, sqlite::Transaction::begin(db));
    SYNCLINE_TRY(db.run(kMigrations[next]));
    SYNCLINE_TRY(db.run("PRAGMA user_version = " + std::to_string(next + 1) +
                        "; PRAGMA application_id = " + std::to_string(kApplicationId)));
    SYNCLINE_TRY(transaction.commit());
  }
  return {};
}
}  // namespace

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

core::Result<std::unique_ptr<Store>> Store::open(const std::string& folder,
                                                 const core::NodeId& self) {
  SYNCLINE_TRY(env::make_folders(folder, 0700));
  SYNCLINE_ASSIGN(sqlite::Database db, sqlite::Database::open(folder + "/syncline.db",
                                                              sqlite::OpenMode::kReadWriteCreate));
  SYNCLINE_TRY(
      db.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
             "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; "
             "PRAGMA cache_size = -16000; PRAGMA journal_size_limit = 67108864"));
  SYNCLINE_TRY(migrate(db));
  auto state = std::make_unique<State>(std::move(db), self);
  SYNCLINE_TRY(state->load_logs());
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

Status Store::State::load_logs() {
  SYNCLINE_ASSIGN(
      auto rows,
      db.prepare("SELECT log, collection, origin, epoch, held, merged, trimmed FROM logs"));
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) return {};
    const LogId id{core::CollectionName(rows.text(1)),
                   core::NodeId(rows.text(2)),
                   {static_cast<std::uint64_t>(rows.number(3))}};
    constexpr std::size_t kRangesMax = std::size_t{1} << 24;
    auto held = core::parse_seq_set(rows.bytes(4), kRangesMax);
    auto merged = core::parse_seq_set(rows.bytes(5), kRangesMax);
    auto trimmed = core::parse_seq_set(rows.bytes(6), kRangesMax);
    if (!held || !merged || !trimmed) {
      return Error{ErrorKind::kCorrupt, "the journal's table of logs is damaged", db.path()};
    }
    logs[id] = {rows.number(0), {std::move(*held), std::move(*merged), std::move(*trimmed)}};
  }
}

core::Result<Store::State::Log*> Store::State::log(const LogId& id) {
  auto found = logs.find(id);
  if (found != logs.end()) return &found->second;
  SYNCLINE_ASSIGN(auto insert,
                  db.prepare("INSERT INTO logs (collection, origin, epoch) VALUES (?, ?, ?)"));
  insert.bind(1, std::string_view(id.collection.text)).bind(2, std::string_view(id.origin.text));
  insert.bind(3, static_cast<std::int64_t>(id.epoch.value));
  SYNCLINE_TRY(insert.run());
  Log& log = logs[id];
  log.number = db.last_rowid();
  return &log;
}

Status Store::State::save_log(const Log& log) {
  SYNCLINE_ASSIGN(auto update,
                  db.prepare("UPDATE logs SET held = ?, merged = ?, trimmed = ? WHERE log = ?"));
  update.bind(1, std::string_view(to_string(log.state.held)));
  update.bind(2, std::string_view(to_string(log.state.merged)));
  update.bind(3, std::string_view(to_string(log.state.trimmed)));
  update.bind(4, log.number);
  return update.run();
}

core::Result<std::uint64_t> Store::next_epoch(std::uint64_t floor) {
  sqlite::Database& db = state_->db;
  SYNCLINE_ASSIGN(sqlite::Transaction transaction, sqlite::Transaction::begin(db));
  SYNCLINE_ASSIGN(
      const std::int64_t last,
      db.ask_number(
          "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'epoch'), 0)"));
  const std::uint64_t next = std::max(floor, static_cast<std::uint64_t>(last) + 1);
  SYNCLINE_TRY(
      db.run("INSERT OR REPLACE INTO meta VALUES ('epoch', '" + std::to_string(next) + "')"));
  SYNCLINE_TRY(transaction.commit());
  return next;
}

namespace {
constexpr std::string_view kRemovedPrefix = "removed/";
}  // namespace

Status Store::save_removed_node(const core::NodeId& node) {
  SYNCLINE_ASSIGN(auto insert, state_->db.prepare("INSERT OR REPLACE INTO meta VALUES (?, '1')"));
  insert.bind(1, std::string_view(std::string(kRemovedPrefix) + node.text));
  return insert.run();
}

core::Result<std::set<core::NodeId>> Store::removed_nodes() {
  std::set<core::NodeId> nodes;
  SYNCLINE_ASSIGN(auto rows, state_->db.prepare("SELECT name FROM meta WHERE name GLOB ?"));
  rows.bind(1, std::string_view(std::string(kRemovedPrefix) + "*"));
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) return nodes;
    nodes.insert(core::NodeId(std::string(rows.text(0).substr(kRemovedPrefix.size()))));
  }
}

core::Result<std::map<LogId, Store::LogState>> Store::logs() {
  std::map<LogId, LogState> out;
  for (const auto& [id, log] : state_->logs) out[id] = log.state;
  return out;
}

Status Store::save_acks(const LogId& id, const core::NodeId& peer, const SeqSet& held) {
  SYNCLINE_ASSIGN(State::Log* const log, state_->log(id));
  SYNCLINE_ASSIGN(
      auto insert,
      state_->db.prepare("INSERT OR REPLACE INTO acks (log, peer, held) VALUES (?, ?, ?)"));
  insert.bind(1, log->number).bind(2, std::string_view(peer.text));
  insert.bind(3, std::string_view(to_string(held)));
  const LazyCommits lazy(state_->db);
  return insert.run();
}

core::Result<std::map<core::NodeId, SeqSet>> Store::load_acks(const LogId& id) {
  std::map<core::NodeId, SeqSet> acks;
  auto found = state_->logs.find(id);
  if (found == state_->logs.end()) return acks;
  SYNCLINE_ASSIGN(auto rows, state_->db.prepare("SELECT peer, held FROM acks WHERE log = ?"));
  rows.bind(1, found->second.number);
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) return acks;
    auto held = core::parse_seq_set(rows.bytes(1), std::size_t{1} << 24);
    if (held) acks[core::NodeId(rows.text(0))] = std::move(*held);
  }
}

}  // namespace syncline::storage
