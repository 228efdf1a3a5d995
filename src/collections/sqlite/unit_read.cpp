// A unit made again from its rows, and the bytes of its records.
#include "collections/sqlite/partition.hpp"

namespace syncline::collections::sqlite {

using core::Cell;
using core::Error;
using core::ErrorKind;
namespace db = syncline::sqlite;

core::Result<ShapeLayout*> Partition::layout_of(const StoredUnit& unit) {
  const auto shape = shapes_.find(unit.shape);
  std::vector<const SchemaInfo*> schemas;
  for (const RecordName& name : unit.versions) {
    SYNCLINE_ASSIGN(const auto record, load_record(name));
    const SchemaInfo* schema = record ? schema_by(record->schema) : nullptr;
    if (schema == nullptr) continue;
    if (std::find(schemas.begin(), schemas.end(), schema) == schemas.end()) {
      schemas.push_back(schema);
    }
  }
  if (shape == shapes_.end() || schemas.empty()) {
    return Error{ErrorKind::kCorrupt, "the replica's note of unit '" + unit.key + "' is damaged",
                 db_.path()};
  }
  return layout_of(*shape->second, std::move(schemas));
}

core::Result<core::Unit> Partition::read_unit(const StoredUnit& unit) {
  SYNCLINE_ASSIGN(ShapeLayout* const layout, layout_of(unit));
  std::map<std::pair<int, std::int64_t>, std::string> names;  // of this unit's own rows
  const auto changed = [&](const KeptTable& table, std::int64_t rowid, const char* what) {
    return Error{ErrorKind::kConflict,
                 "row " + std::to_string(rowid) + " of table '" + table.name + "' " + what,
                 db_.path()};
  };
  core::Unit out;
  out.key = unit.key;
  out.config_key = unit.config_key;
  for (std::size_t t = 0; t < layout->tables.size() && t < unit.rows.size(); ++t) {
    TableLayout& table = layout->tables[t];
    core::TableRows& rows = out.tables.emplace_back();
    rows.table = layout->shape->tables[t];
    rows.columns = table.columns;
    for (const RowRun& run : unit.rows[t]) {
      if (run.first == 0) continue;  // hidden
      db::Statement& select = *table.select;
      select.reset();
      select.bind(1, run.first).bind(2, run.first + run.count - 1);
      for (std::int64_t expected = run.first; expected < run.first + run.count; ++expected) {
        SYNCLINE_ASSIGN(const bool has_row, select.step());
        if (!has_row || select.number(0) != expected) {
          select.reset();
          return changed(*table.table, expected, "is not there any more");
        }
        std::vector<Cell>& row = rows.rows.emplace_back();
        row.reserve(table.columns.size());
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
          Cell cell = select.cell(static_cast<int>(i) + 1);
          if (const KeptTable* parent = table.parents[i]; parent != nullptr) {
            const std::int64_t* id = std::get_if<std::int64_t>(&cell);
            const auto inside = id == nullptr ? names.end() : names.find({parent->number, *id});
            if (inside != names.end()) {
              cell = inside->second;
            } else {
              SYNCLINE_ASSIGN(auto noted,
                              noted_reference(*table.table, expected,
                                              table.table->find(table.columns[i])->name));
              SYNCLINE_ASSIGN(const std::int64_t leads_to,
                              noted ? id_of(*parent, *noted) : core::Result<std::int64_t>(0));
              if (leads_to != (id == nullptr ? 0 : *id)) {
                select.reset();
                return changed(*table.table, expected, "refers to another row");
              }
              cell = noted ? Cell(std::move(*noted)) : Cell();
            }
          }
          row.push_back(std::move(cell));
        }
        if (!layout->has_references || table.table->hidden.empty()) continue;
        std::vector<Cell> key;
        for (const int at : table.key_at) {
          key.push_back(at < 0 ? Cell{} : row[static_cast<std::size_t>(at)]);
        }
        names[{table.table->number, expected}] =
            table.meaning->is_root
                ? unit.key
                : reconcile::key_text(table.table->name, table.meaning->key, key);
      }
      select.reset();
    }
  }
  return out;
}

core::Result<std::string> Partition::bytes_of(const StoredUnit& unit, const RecordName& name,
                                              const core::Digest256& hash) {
  SYNCLINE_ASSIGN(auto kept, kept_bytes(name));
  if (kept) return std::move(*kept);
  SYNCLINE_ASSIGN(const core::Unit rows, read_unit(unit));
  core::EncodedUnit sealed = core::seal(rows);
  if (sealed.hash != hash) {
    return Error{ErrorKind::kConflict, "its rows are not those that were merged", db_.path()};
  }
  return std::move(sealed.bytes);
}

core::Result<std::vector<Version>> Partition::versions_of(const StoredUnit& unit) {
  std::vector<Version> versions;
  for (const RecordName& name : unit.versions) {
    SYNCLINE_ASSIGN(const auto record, load_record(name));
    const core::LogId* log = log_by(name.log);
    const SchemaInfo* schema = record ? schema_by(record->schema) : nullptr;
    if (!record || log == nullptr || schema == nullptr) {
      return Error{ErrorKind::kCorrupt, "the replica's note of unit '" + unit.key + "' is damaged",
                   db_.path()};
    }
    SYNCLINE_ASSIGN(const std::string bytes, bytes_of(unit, name, record->hash));
    Version version;
    SYNCLINE_ASSIGN(version.unit, core::decode_unit(bytes));
    version.name = name;
    version.record.seq = {name.seq};
    version.record.hlc = record->hlc;
    version.record.committed_at = record->committed_at;
    version.record.unit.hash = record->hash;
    version.record.unit.config_key = version.unit.config_key;
    version.origin = log->origin;
    version.schema = schema;
    versions.push_back(std::move(version));
  }
  return versions;
}

}  // namespace syncline::collections::sqlite
