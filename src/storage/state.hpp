// What store.cpp, journal.cpp and notes.cpp share. Private to the room.
#pragma once

#include <map>

#include "core/check.hpp"
#include "sqlite/database.hpp"
#include "storage/store.hpp"

namespace syncline::storage {

// While it lives, a commit does not wait for the disk. What it wrote comes there with the next
// one that does, in the order written (SQLite, WAL mode, synchronous = NORMAL): for what a
// restart finds out again.
class LazyCommits {
 public:
  explicit LazyCommits(sqlite::Database& db) : db_(db) {
    const core::Status eased = db_.run("PRAGMA synchronous = NORMAL");
    (void)eased;  // it waits for the disk, then
  }
  ~LazyCommits() {
    // Going on without would acknowledge what is not on the disk.
    const core::Status done = db_.run("PRAGMA synchronous = FULL");
    SYNCLINE_CHECK(done.ok(), "synchronous = FULL", done.ok() ? "" : core::to_string(done.error()));
  }
  LazyCommits(const LazyCommits&) = delete;
  LazyCommits& operator=(const LazyCommits&) = delete;

 private:
  sqlite::Database& db_;
};

struct Store::State {
  State(sqlite::Database d, core::NodeId s) : db(std::move(d)), self(std::move(s)) {}

  struct Log {
    std::int64_t number = 0;
    LogState state;
  };
  core::Status load_logs();
  core::Result<Log*> log(const core::LogId& id);
  core::Status save_log(const Log& log);
  core::Status insert_records(const core::RecordBatch& batch);
  core::Status save_progress(const SourceProgress& progress);
  core::Status erase_records(const Log& log, const core::SeqSet& seqs);
  // The schemas that the batch's records name.
  core::Status add_schemas(core::RecordBatch& batch);
  // Undoes in memory what a transaction that failed had begun.
  void reload() {
    logs.clear();
    const core::Status loaded = load_logs();
    (void)loaded;  // unreadable now: the next call says so again
  }

  sqlite::Database db;
  core::NodeId self;
  std::map<core::LogId, Log> logs;
};

}  // namespace syncline::storage
