// Units and records in their side tables.
#include "collections/sqlite/packing.hpp"
#include "collections/sqlite/partition.hpp"
#include "core/bytes.hpp"

namespace syncline::collections::sqlite {

using core::Digest256;
using core::Error;
using core::ErrorKind;
using core::Status;
namespace db = syncline::sqlite;

namespace {

std::string_view view_of(const Digest256& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}
bool digest_of(std::string_view bytes, Digest256& out) {
  core::ByteReader in(bytes);
  out = in.digest();
  return in.at_end();
}

// rows     = (varint(runs) (varint(first) varint(count))*)*     one group per table of the shape
// versions = (varint(log) varint(seq))*
std::string encode_rows(const std::vector<RowRuns>& rows) {
  core::ByteWriter out;
  for (const RowRuns& runs : rows) {
    out.varint(runs.size());
    for (const RowRun& run : runs) {
      out.zigzag(run.first);
      out.varint(static_cast<std::uint64_t>(run.count));
    }
  }
  return out.take();
}
bool decode_rows(std::string_view bytes, std::vector<RowRuns>& rows) {
  core::ByteReader in(bytes);
  while (in.ok() && in.left() > 0) {
    RowRuns& runs = rows.emplace_back();
    const std::uint64_t count = in.varint();
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
      RowRun run;
      run.first = in.zigzag();
      run.count = static_cast<std::int64_t>(in.varint());
      runs.push_back(run);
    }
  }
  return in.ok();
}
std::string encode_versions(const std::vector<RecordName>& versions) {
  core::ByteWriter out;
  for (const RecordName& name : versions) {
    out.varint(static_cast<std::uint64_t>(name.log));
    out.varint(name.seq);
  }
  return out.take();
}
bool decode_versions(std::string_view bytes, std::vector<RecordName>& versions) {
  core::ByteReader in(bytes);
  while (in.ok() && in.left() > 0) {
    RecordName name;
    name.log = static_cast<std::int64_t>(in.varint());
    name.seq = in.varint();
    versions.push_back(name);
  }
  return in.ok();
}

core::Result<StoredUnit> unit_from(const db::Statement& row, const std::string& path) {
  StoredUnit unit;
  unit.number = row.number(0);
  unit.key = row.text(1);
  unit.config_key = core::ConfigKey(row.text(2));
  unit.is_here = !row.is_null(3);
  if (!unit.is_here) return unit;
  bool is_good = digest_of(row.bytes(3), unit.hash);
  if (!row.is_null(4)) is_good &= digest_of(row.bytes(4), unit.measured.emplace());
  unit.shape = row.number(5);
  is_good = is_good && decode_rows(row.bytes(6), unit.rows) &&
            decode_versions(row.bytes(7), unit.versions);
  if (!is_good)
    return Error{ErrorKind::kCorrupt, "the replica's note of unit '" + unit.key + "' is damaged",
                 path};
  return unit;
}

}  // namespace

core::Result<std::optional<StoredUnit>> Partition::find_unit(const std::string& key) {
  SYNCLINE_ASSIGN(db::Statement* const select,
                  sql("SELECT unit, key, config_key, hash, measured, shape, rows, versions "
                      "FROM syncline_units WHERE key = ?"));
  SYNCLINE_ASSIGN(const bool is_there, select->bind(1, std::string_view(key)).step());
  std::optional<StoredUnit> found;
  if (is_there) {
    SYNCLINE_ASSIGN(found, unit_from(*select, db_.path()));
  }
  select->reset();
  return found;
}

core::Result<std::optional<StoredUnit>> Partition::load_unit(std::int64_t number) {
  SYNCLINE_ASSIGN(db::Statement* const select,
                  sql("SELECT unit, key, config_key, hash, measured, shape, rows, versions "
                      "FROM syncline_units WHERE unit = ?"));
  SYNCLINE_ASSIGN(const bool is_there, select->bind(1, number).step());
  std::optional<StoredUnit> found;
  if (is_there) {
    SYNCLINE_ASSIGN(found, unit_from(*select, db_.path()));
  }
  select->reset();
  return found;
}

core::Result<std::int64_t> Partition::name_unit(const std::string& key,
                                                const core::ConfigKey& config_key) {
  SYNCLINE_ASSIGN(auto known, find_unit(key));
  if (known) return known->number;
  SYNCLINE_ASSIGN(db::Statement* const insert,
                  sql("INSERT INTO syncline_units (key, config_key) VALUES (?, ?)"));
  insert->bind(1, std::string_view(key)).bind(2, std::string_view(config_key.text));
  SYNCLINE_TRY(insert->run());
  return db_.last_rowid();
}

Status Partition::save_unit(StoredUnit& unit) {
  SYNCLINE_ASSIGN(
      db::Statement* const insert,
      sql("INSERT INTO syncline_units (unit, key, config_key, hash, measured, shape, rows, "
          "versions) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (unit) DO UPDATE SET "
          "config_key = ?3, hash = ?4, measured = ?5, shape = ?6, rows = ?7, versions = ?8"));
  if (unit.number == 0) {
    insert->bind_null(1);
  } else {
    insert->bind(1, unit.number);
  }
  insert->bind(2, std::string_view(unit.key)).bind(3, std::string_view(unit.config_key.text));
  insert->bind_blob(4, view_of(unit.hash));
  if (unit.measured) {
    insert->bind_blob(5, view_of(*unit.measured));
  } else {
    insert->bind_null(5);
  }
  insert->bind(6, unit.shape).bind_blob(7, encode_rows(unit.rows));
  insert->bind_blob(8, encode_versions(unit.versions));
  SYNCLINE_TRY(insert->run());
  if (unit.number == 0) unit.number = db_.last_rowid();
  unit.is_here = true;
  return {};
}

Status Partition::save_record(const RecordName& name, const StoredRecord& record) {
  SYNCLINE_ASSIGN(db::Statement* const insert,
                  sql("INSERT OR REPLACE INTO syncline_records (log, seq, unit, hlc, committed_at, "
                      "schema, hash, "
                      "config_key, is_superseded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert->bind(1, name.log).bind(2, static_cast<std::int64_t>(name.seq)).bind(3, record.unit);
  insert->bind(4, static_cast<std::int64_t>(record.hlc)).bind(5, record.committed_at.ms);
  insert->bind(6, record.schema).bind_blob(7, view_of(record.hash));
  if (record.config_key) {
    insert->bind(8, std::string_view(record.config_key->text));
  } else {
    insert->bind_null(8);
  }
  return insert->bind(9, std::int64_t{record.is_superseded}).run();
}

core::Result<std::optional<StoredRecord>> Partition::load_record(const RecordName& name) {
  SYNCLINE_ASSIGN(db::Statement* const select,
                  sql("SELECT unit, hlc, committed_at, schema, hash, config_key, is_superseded "
                      "FROM syncline_records WHERE log = ? AND seq = ?"));
  select->bind(1, name.log).bind(2, static_cast<std::int64_t>(name.seq));
  SYNCLINE_ASSIGN(const bool is_there, select->step());
  std::optional<StoredRecord> record;
  if (is_there) {
    record.emplace();
    record->unit = select->number(0);
    record->hlc = static_cast<std::uint64_t>(select->number(1));
    record->committed_at = {select->number(2)};
    record->schema = select->number(3);
    if (!digest_of(select->bytes(4), record->hash)) {
      return Error{ErrorKind::kCorrupt, "the replica's note of a record is damaged", db_.path()};
    }
    if (!select->is_null(5)) record->config_key = core::ConfigKey(select->text(5));
    record->is_superseded = select->number(6) != 0;
  }
  select->reset();
  return record;
}

Status Partition::supersede(const RecordName& name) {
  SYNCLINE_ASSIGN(db::Statement* const update,
                  sql("UPDATE syncline_records SET is_superseded = 1 WHERE log = ? AND seq = ?"));
  update->bind(1, name.log).bind(2, static_cast<std::int64_t>(name.seq));
  SYNCLINE_TRY(update->run());
  return drop_bytes(name);
}

// It can no longer be read here: it is not merged, so that it is fetched and merged again.
Status Partition::forget_record(const RecordName& name) {
  SYNCLINE_ASSIGN(db::Statement* const remove,
                  sql("DELETE FROM syncline_records WHERE log = ? AND seq = ?"));
  remove->bind(1, name.log).bind(2, static_cast<std::int64_t>(name.seq));
  SYNCLINE_TRY(remove->run());
  SYNCLINE_TRY(drop_bytes(name));
  if (const core::LogId* id = log_by(name.log)) {
    Log& log = logs_[*id];
    log.merged.erase(name.seq, name.seq);
    log.is_changed = true;
  }
  return {};
}

Status Partition::keep_bytes(const RecordName& name, const std::string& bytes) {
  SYNCLINE_ASSIGN(const std::string packed, pack(bytes));
  SYNCLINE_ASSIGN(db::Statement* const insert,
                  sql("INSERT OR REPLACE INTO syncline_kept (log, seq, bytes) VALUES (?, ?, ?)"));
  insert->bind(1, name.log).bind(2, static_cast<std::int64_t>(name.seq)).bind_blob(3, packed);
  return insert->run();
}

core::Result<std::optional<std::string>> Partition::kept_bytes(const RecordName& name) {
  SYNCLINE_ASSIGN(db::Statement* const select,
                  sql("SELECT bytes FROM syncline_kept WHERE log = ? AND seq = ?"));
  select->bind(1, name.log).bind(2, static_cast<std::int64_t>(name.seq));
  SYNCLINE_ASSIGN(const bool is_there, select->step());
  std::optional<std::string> bytes;
  if (is_there) {
    SYNCLINE_ASSIGN(bytes, unpack(select->bytes(0)));
  }
  select->reset();
  return bytes;
}

Status Partition::drop_bytes(const RecordName& name) {
  SYNCLINE_ASSIGN(db::Statement* const remove,
                  sql("DELETE FROM syncline_kept WHERE log = ? AND seq = ?"));
  remove->bind(1, name.log).bind(2, static_cast<std::int64_t>(name.seq));
  return remove->run();
}

}  // namespace syncline::collections::sqlite
