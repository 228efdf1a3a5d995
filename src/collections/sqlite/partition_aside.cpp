// Records that could not be merged: listed, tried again, dropped.
#include <algorithm>

#include "collections/sqlite/partition.hpp"

namespace syncline::collections::sqlite {

using core::LogId;
using core::Status;
namespace db = syncline::sqlite;

core::Result<std::uint64_t> Partition::count_aside() {
  SYNCLINE_ASSIGN(const std::int64_t count, db_.ask_number("SELECT count(*) FROM syncline_aside"));
  return static_cast<std::uint64_t>(count);
}

Status Partition::list_aside(std::size_t count_max, std::vector<AsideRecord>& out) {
  SYNCLINE_ASSIGN(db::Statement* const select,
                  sql("SELECT log, seq, key, reason, length(bytes) FROM syncline_aside "
                      "ORDER BY log, seq"));
  while (out.size() < count_max) {
    SYNCLINE_ASSIGN(const bool has_row, select->step());
    if (!has_row) break;
    const LogId* log = log_by(select->number(0));
    if (log == nullptr) continue;
    out.push_back({*log,
                   {static_cast<std::uint64_t>(select->number(1))},
                   select->text(2),
                   select->text(3),
                   static_cast<std::uint64_t>(select->number(4))});
  }
  select->reset();
  return {};
}

core::Result<MergeReport> Partition::retry_aside(const std::set<RecordId>& only) {
  std::vector<AsideRecord> all;
  SYNCLINE_TRY(list_aside(std::size_t(-1), all));
  std::map<LogId, core::RecordBatch> batches;
  for (const AsideRecord& one : all) {
    if (!only.empty() && only.count({one.log, one.seq}) == 0) continue;
    core::RecordBatch& batch = batches[one.log];
    batch.log = one.log;
    Log& log = logs_.at(one.log);
    SYNCLINE_ASSIGN(auto record, aside_record({log.number, one.seq.value}, batch));
    if (!record) continue;
    batch.records.push_back(std::move(*record));
    // Not merged after all: else merge() would take it for a repetition. Saved with the merge.
    log.merged.erase(one.seq.value, one.seq.value);
    log.is_changed = true;
  }
  std::vector<Incoming> incoming;
  for (const auto& [id, batch] : batches) {
    for (const core::Record& record : batch.records) incoming.push_back({&batch, &record});
  }
  if (incoming.empty()) return MergeReport{};
  SYNCLINE_ASSIGN(MergeReport report, merge(incoming));
  // What is a record now is aside no more. After a crash in between, the next retry does it.
  SYNCLINE_TRY(
      db_.run("DELETE FROM syncline_aside WHERE EXISTS (SELECT 1 FROM syncline_records AS r "
              "WHERE r.log = syncline_aside.log AND r.seq = syncline_aside.seq)"));
  return report;
}

core::Result<std::uint64_t> Partition::drop_aside(const std::set<RecordId>& only) {
  std::vector<AsideRecord> all;
  SYNCLINE_TRY(list_aside(std::size_t(-1), all));
  SYNCLINE_ASSIGN(auto transaction, db::Transaction::begin(db_));
  std::uint64_t dropped = 0;
  for (const AsideRecord& one : all) {
    if (!only.empty() && only.count({one.log, one.seq}) == 0) continue;
    SYNCLINE_ASSIGN(db::Statement* const remove,
                    sql("DELETE FROM syncline_aside WHERE log = ? AND seq = ?"));
    remove->bind(1, logs_.at(one.log).number);
    SYNCLINE_TRY(remove->bind(2, static_cast<std::int64_t>(one.seq.value)).run());
    ++dropped;
  }
  SYNCLINE_TRY(transaction.commit());
  return dropped;
}

}  // namespace syncline::collections::sqlite
