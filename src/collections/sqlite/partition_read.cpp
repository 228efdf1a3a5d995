// Records given back exactly as they came, and the proof that the rows are still those of the
// units.
#include "collections/sqlite/partition.hpp"

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;
using core::Status;
namespace db = syncline::sqlite;

core::Result<std::optional<core::Record>> Partition::record_of(const RecordName& name,
                                                               core::RecordBatch& out) {
  std::optional<core::Record> record;
  SYNCLINE_ASSIGN(const auto stored, load_record(name));
  if (!stored) return aside_record(name, out);
  SYNCLINE_ASSIGN(const auto unit, load_unit(stored->unit));
  if (!unit) return record;
  record.emplace();
  record->seq = {name.seq};
  record->hlc = stored->hlc;
  record->committed_at = stored->committed_at;
  record->unit.key = unit->key;
  record->unit.config_key = stored->config_key ? *stored->config_key : unit->config_key;
  record->unit.hash = stored->hash;
  if (stored->schema != 0) {
    SYNCLINE_ASSIGN(db::Statement* const select,
                    sql("SELECT id, bytes FROM syncline_schemas WHERE schema = ?"));
    SYNCLINE_ASSIGN(const bool is_there, select->bind(1, stored->schema).step());
    if (is_there) {
      record->unit.schema = select->text(0);
      out.schemas.emplace(record->unit.schema, select->text(1));
    }
    select->reset();
  }
  if (stored->is_superseded) return record;
  auto bytes = bytes_of(*unit, name, stored->hash);
  if (bytes.ok()) {
    record->unit.bytes = std::move(bytes).value();
  } else if (bytes.error().kind == ErrorKind::kConflict) {
    record.reset();  // changed by somebody: it cannot be given
  } else {
    return bytes.error();
  }
  return record;
}

core::Result<std::optional<core::Record>> Partition::aside_record(const RecordName& name,
                                                                  core::RecordBatch& out) {
  std::optional<core::Record> record;
  SYNCLINE_ASSIGN(
      db::Statement* const select,
      sql("SELECT key, config_key, schema, hash, hlc, committed_at, bytes, schema_bytes "
          "FROM syncline_aside WHERE log = ? AND seq = ?"));
  select->bind(1, name.log).bind(2, static_cast<std::int64_t>(name.seq));
  SYNCLINE_ASSIGN(const bool is_there, select->step());
  if (is_there && select->bytes(3).size() == 32) {
    record.emplace();
    record->seq = {name.seq};
    record->unit.key = select->text(0);
    record->unit.config_key = core::ConfigKey(select->text(1));
    record->unit.schema = select->text(2);
    std::copy_n(select->bytes(3).begin(), 32,
                reinterpret_cast<char*>(record->unit.hash.bytes.data()));
    record->hlc = static_cast<std::uint64_t>(select->number(4));
    record->committed_at = {select->number(5)};
    record->unit.bytes = select->text(6);
    if (!select->is_null(7)) out.schemas.emplace(record->unit.schema, select->text(7));
  }
  select->reset();
  return record;
}

Status Partition::read(const core::LogId& id, const core::SeqSet& wanted, std::size_t bytes_max,
                       std::size_t& bytes, core::RecordBatch& out) {
  auto log = logs_.find(id);
  if (log == logs_.end()) return {};
  for (const core::SeqRange& range : wanted.intersect(log->second.merged).ranges()) {
    for (std::uint64_t seq = range.first; seq <= range.last; ++seq) {
      if (bytes >= bytes_max) return {};
      SYNCLINE_ASSIGN(auto record, record_of({log->second.number, seq}, out));
      if (!record) continue;
      bytes += record->unit.bytes.size() + record->unit.key.size() + 64;
      out.records.push_back(std::move(*record));
    }
  }
  return {};
}

core::Result<ScrubReport> Partition::scrub(std::size_t units_max) {
  ScrubReport report;
  SYNCLINE_ASSIGN(auto check, db_.prepare("PRAGMA quick_check(20)"));
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, check.step());
    if (!has_row) break;
    if (check.text(0) != "ok") report.damaged.push_back(db_.path() + ": " + check.text(0));
  }
  SYNCLINE_ASSIGN(
      std::int64_t at,
      db_.ask_number(
          "SELECT coalesce((SELECT value FROM syncline_meta WHERE name = 'scrubbed_to'), 0)"));
  const std::int64_t started = at;
  bool has_wrapped = false;
  while (report.checked < units_max) {
    SYNCLINE_ASSIGN(db::Statement* const select,
                    sql("SELECT unit FROM syncline_units WHERE unit > ? AND hash IS NOT NULL "
                        "ORDER BY unit LIMIT 1"));
    SYNCLINE_ASSIGN(const bool is_there, select->bind(1, at).step());
    const std::int64_t next = is_there ? select->number(0) : 0;
    select->reset();
    if (!is_there && (has_wrapped || started == 0)) break;
    if (!is_there) {
      has_wrapped = true;
      at = 0;
      continue;
    }
    if (has_wrapped && next > started) break;
    at = next;
    SYNCLINE_ASSIGN(const auto unit, load_unit(next));
    ++report.checked;
    auto rows = read_unit(*unit);
    if (!rows.ok() && rows.error().kind != ErrorKind::kConflict) return rows.error();
    if (!rows.ok()) {
      report.damaged.push_back("unit '" + unit->key + "': " + to_string(rows.error()));
    } else if (core::seal(*rows).hash != unit->measured.value_or(unit->hash)) {
      report.damaged.push_back("unit '" + unit->key +
                               "': its rows are not those that were merged (" + db_.path() + ")");
    }
  }
  SYNCLINE_ASSIGN(db::Statement* const save,
                  sql("INSERT OR REPLACE INTO syncline_meta VALUES ('scrubbed_to', ?)"));
  SYNCLINE_TRY(save->bind(1, at).run());
  return report;
}

core::Status Partition::add_texts(const std::string& table, const std::string& column,
                                  std::size_t count_max, std::set<std::string>& out) {
  const KeptTable* kept = tables_.find(table);
  if (kept == nullptr || kept->find(column) == nullptr) return {};
  const std::string name = syncline::sqlite::quoted(column);
  SYNCLINE_ASSIGN(auto select, db_.prepare("SELECT DISTINCT " + name + " FROM " +
                                           syncline::sqlite::quoted(kept->name) + " WHERE typeof(" +
                                           name + ") = 'text' AND " + name + " <> ''"));
  while (out.size() < count_max) {
    SYNCLINE_ASSIGN(const bool has_row, select.step());
    if (!has_row) break;
    out.insert(std::string(select.text(0)));
  }
  return {};
}

}  // namespace syncline::collections::sqlite
