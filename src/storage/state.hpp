// What store.cpp, journal.cpp and notes.cpp share. Private to the room.
#pragma once

#include <map>

#include "sqlite/database.hpp"
#include "storage/store.hpp"

namespace syncline::storage {

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
