// One record into the database: checked, folded with what is there, written.
#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <tuple>

#include "collections/sqlite/partition.hpp"
#include "core/sha256.hpp"

namespace syncline::collections::sqlite {

using core::Cell;
using core::Error;
using core::ErrorKind;
using core::Status;
namespace db = syncline::sqlite;

namespace {

// Why the unit cannot be one of this schema; empty: it can.
std::string misfit_of(const core::Unit& unit, const SchemaInfo& schema) {
  if (unit.tables.empty()) return "it has no rows";
  std::set<std::string> tables;
  for (const core::TableRows& table : unit.tables) {
    const TableMeaning* meaning = schema.find(table.table);
    if (meaning == nullptr) return "its schema has no table '" + table.table + "'";
    if (!tables.insert(table.table).second) return "it has table '" + table.table + "' twice";
    const reconcile::Table& known = *schema.schema.find(table.table);
    std::set<std::string> columns;
    std::vector<bool> is_reference;
    for (const std::string& column : table.columns) {
      if (known.find(column) == nullptr || column == meaning->hidden ||
          !columns.insert(column).second) {
        return "column '" + table.table + "." + column + "' is not of its schema, or there twice";
      }
      is_reference.push_back(schema.parent_of(table.table, column) != nullptr);
    }
    for (const auto& row : table.rows) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        const bool is_name = row[i].index() == 0 || row[i].index() == 3;
        if (is_reference[i] && !is_name) {
          return "'" + table.table + "." + table.columns[i] +
                 "' holds a number where a name must be";
        }
        const double* number = std::get_if<double>(&row[i]);
        if (number != nullptr && std::isnan(*number)) return "it holds a number that is none";
      }
    }
  }
  return {};
}

// Written as it is, the unit is what fold() would make of it.
bool is_plain(const core::Unit& unit, const ShapeLayout& layout, const SchemaInfo& schema) {
  for (std::size_t t = 0; t < unit.tables.size(); ++t) {
    const core::TableRows& table = unit.tables[t];
    const TableLayout& place = layout.tables[t];
    if (table.rows.empty() || !place.is_plain_key) return false;
    if (schema.has_movable && place.meaning->is_movable) return false;
    if (!std::is_sorted(table.columns.begin(), table.columns.end())) return false;
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      if (r > 0 && !(table.rows[r - 1] < table.rows[r])) return false;
      if (place.meaning->key.kind == reconcile::KeyKind::kContent) continue;
      for (const int at : place.key_at) {
        const Cell& cell = table.rows[r][static_cast<std::size_t>(at)];
        if (cell.index() == 0 || cell.index() == 4) return false;
      }
    }
  }
  return true;
}

reconcile::Folded fold_all(std::vector<Version>& versions) {
  std::vector<reconcile::UnitVersion> input;
  for (Version& version : versions) {
    input.push_back(
        {version.record.hlc, version.origin, std::move(version.unit), &version.schema->rules});
  }
  reconcile::Folded folded = reconcile::fold(input, {});
  for (std::size_t i = 0; i < versions.size(); ++i) versions[i].unit = std::move(input[i].unit);
  return folded;
}

bool is_newer(const Version& a, const Version& b) {
  return std::tie(a.record.hlc, a.origin) > std::tie(b.record.hlc, b.origin);
}

StoredRecord stored_from(const Version& version, const StoredUnit& unit, bool is_superseded) {
  StoredRecord stored;
  stored.hlc = version.record.hlc;
  stored.committed_at = version.record.committed_at;
  stored.unit = unit.number;
  stored.schema = version.schema->number;
  stored.hash = version.record.unit.hash;
  if (version.record.unit.config_key != unit.config_key) {
    stored.config_key = version.record.unit.config_key;
  }
  stored.is_superseded = is_superseded;
  return stored;
}

}  // namespace

Status Partition::merge_one(const Incoming& incoming, MergeReport& report) {
  const core::Record& record = *incoming.record;
  SYNCLINE_ASSIGN(Log* const log, log_of(incoming.batch->log));
  if (log->merged.contains(record.seq.value)) {
    ++report.repeated;
    return {};
  }
  const RecordName name{log->number, record.seq.value};
  std::string refusal;
  if (record.is_superseded()) {
    SYNCLINE_ASSIGN(const SchemaInfo* const schema,
                    schema_of(*incoming.batch, record.unit.schema, refusal));
    StoredRecord stored{record.hlc, record.committed_at, 0, 0, record.unit.hash, {}, true};
    if (schema != nullptr) stored.schema = schema->number;
    stored.config_key = record.unit.config_key;
    SYNCLINE_ASSIGN(stored.unit, name_unit(record.unit.key, record.unit.config_key));
    SYNCLINE_TRY(save_record(name, stored));
  } else {
    SYNCLINE_ASSIGN(std::optional<Checked> checked, check(incoming, refusal));
    if (!checked) {
      SYNCLINE_TRY(put_aside(incoming, log->number, refusal, report));
    } else {
      Version version;
      version.name = name;
      version.record.seq = record.seq;
      version.record.hlc = record.hlc;
      version.record.committed_at = record.committed_at;
      version.record.unit.hash = record.unit.hash;
      version.record.unit.config_key = record.unit.config_key;
      version.origin = incoming.batch->log.origin;
      version.unit = std::move(checked->unit);
      version.schema = checked->schema;
      SYNCLINE_TRY(take_version(std::move(version), report));
    }
  }
  log->merged.insert(record.seq.value, record.seq.value);
  log->is_changed = true;
  ++report.merged;
  return {};
}

core::Result<std::optional<Partition::Checked>> Partition::check(const Incoming& incoming,
                                                                 std::string& refusal) {
  const core::EncodedUnit& sent = incoming.record->unit;
  const std::optional<Checked> nothing;
  if (core::sha256(sent.bytes) != sent.hash) {
    refusal = "its bytes do not have its hash";
    return nothing;
  }
  auto unit = core::decode_unit(sent.bytes);
  if (!unit.ok()) {
    refusal = unit.error().what;
    return nothing;
  }
  if (unit->key != sent.key || unit->config_key != sent.config_key) {
    refusal = "its bytes are those of another unit";
    return nothing;
  }
  SYNCLINE_ASSIGN(const SchemaInfo* const schema, schema_of(*incoming.batch, sent.schema, refusal));
  if (schema == nullptr) return nothing;
  refusal = misfit_of(*unit, *schema);
  if (!refusal.empty()) return nothing;
  return std::optional<Checked>(Checked{std::move(unit).value(), schema});
}

Status Partition::put_aside(const Incoming& incoming, std::int64_t log, const std::string& reason,
                            MergeReport& report) {
  const core::Record& record = *incoming.record;
  SYNCLINE_ASSIGN(
      db::Statement* const insert,
      sql("INSERT OR REPLACE INTO syncline_aside (log, seq, reason, key, config_key, schema, hash, "
          "hlc, committed_at, bytes, schema_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert->bind(1, log).bind(2, static_cast<std::int64_t>(record.seq.value));
  insert->bind(3, std::string_view(reason)).bind(4, std::string_view(record.unit.key));
  insert->bind(5, std::string_view(record.unit.config_key.text));
  insert->bind(6, std::string_view(record.unit.schema));
  insert->bind_blob(7, {reinterpret_cast<const char*>(record.unit.hash.bytes.data()), 32});
  insert->bind(8, static_cast<std::int64_t>(record.hlc)).bind(9, record.committed_at.ms);
  insert->bind_blob(10, record.unit.bytes);
  auto schema = incoming.batch->schemas.find(record.unit.schema);
  if (schema == incoming.batch->schemas.end()) {
    insert->bind_null(11);
  } else {
    insert->bind_blob(11, schema->second);
  }
  SYNCLINE_TRY(insert->run());
  std::ostringstream line;
  line << "record " << record.seq << " of " << incoming.batch->log << " ('" << record.unit.key
       << "') cannot be merged: " << reason << "; it is kept in syncline_aside of " << db_.path();
  report.problems.push_back(line.str());
  return {};
}

Status Partition::take_version(Version version, MergeReport& report) {
  if (deriver_) {
    for (const core::TableRows& table : version.unit.tables) touched_.insert(table.table);
  }
  SYNCLINE_ASSIGN(std::optional<StoredUnit> known, find_unit(version.unit.key));
  if (known && known->is_here) return refold(std::move(version), std::move(*known), report);
  StoredUnit unit = known ? std::move(*known) : StoredUnit();
  unit.key = version.unit.key;
  std::vector<Version> versions;
  versions.push_back(std::move(version));
  return write_new(std::move(versions), std::move(unit));
}

Status Partition::write_new(std::vector<Version> versions, StoredUnit unit) {
  const Version& version = versions[0];
  SYNCLINE_ASSIGN(const Shape* const shape, shape_of(version.unit));
  SYNCLINE_ASSIGN(ShapeLayout* const layout, layout_of(*shape, {version.schema}));
  if (versions.size() == 1 && is_plain(version.unit, *layout, *version.schema)) {
    SYNCLINE_ASSIGN(auto written, write_plain(*layout, version.unit));
    if (written) {
      unit.config_key = version.unit.config_key;
      unit.hash = version.record.unit.hash;
      unit.shape = shape->number;
      unit.rows = std::move(written->runs);
      fingerprint_.add(unit.key, unit.hash);
      is_fingerprint_changed_ = true;
      SYNCLINE_TRY(settle_versions(unit, versions, {0}, !written->is_faithful));
      if (!written->is_faithful) unmeasured_.insert(unit.number);
      return {};
    }
  }
  return store_folded(std::move(unit), std::move(versions), {});
}

Status Partition::refold(Version version, StoredUnit unit, MergeReport& report) {
  // The same content from two nodes is the common case: the newer name stands for it from now on.
  if (unit.versions.size() == 1 && !unit.measured && version.record.unit.hash == unit.hash &&
      !version.schema->has_movable) {
    SYNCLINE_ASSIGN(const auto old, load_record(unit.versions[0]));
    const core::LogId* log = log_by(unit.versions[0].log);
    if (old && log != nullptr && old->schema == version.schema->number && old->hash == unit.hash) {
      const bool is_later =
          std::tie(version.record.hlc, version.origin) > std::tie(old->hlc, log->origin);
      SYNCLINE_TRY(save_record(version.name, stored_from(version, unit, !is_later)));
      if (!is_later) return {};
      SYNCLINE_TRY(supersede(unit.versions[0]));
      unit.versions = {version.name};
      return save_unit(unit);
    }
  }
  is_changed_ = true;
  auto old = versions_of(unit);
  if (!old.ok() && old.error().kind != ErrorKind::kConflict) return old.error();
  std::vector<Version> versions;
  versions.push_back(std::move(version));
  if (!old.ok()) {
    report.problems.push_back("unit '" + unit.key + "' was changed in the replica: " +
                              old.error().what + "; its earlier versions are fetched again");
    for (const RecordName& name : unit.versions) SYNCLINE_TRY(forget_record(name));
    SYNCLINE_TRY(remove_rows(unit));
    fingerprint_.remove(unit.key, unit.hash);
    unit.is_here = false;
    unit.rows.clear();
    return write_new(std::move(versions), std::move(unit));
  }
  for (const Version& one : *old) versions.push_back(one);
  return store_folded(std::move(unit), std::move(versions), std::move(old).value());
}

Status Partition::store_folded(StoredUnit unit, std::vector<Version> versions,
                               std::vector<Version> old_versions) {
  if (unit.number == 0) {
    SYNCLINE_ASSIGN(unit.number, name_unit(unit.key, versions[0].unit.config_key));
  }
  FoldedUnit now;
  now.folded = fold_all(versions);
  now.versions = std::move(versions);
  FoldedUnit before;
  if (!old_versions.empty()) before.folded = fold_all(old_versions);
  before.versions = std::move(old_versions);
  SYNCLINE_ASSIGN(const WrittenRows written, write_rows(now, before, unit));
  SYNCLINE_ASSIGN(const Shape* const shape, shape_of(now.folded.unit));
  if (unit.is_here) fingerprint_.remove(unit.key, unit.hash);
  unit.hash = core::seal(now.folded.unit).hash;
  fingerprint_.add(unit.key, unit.hash);
  is_fingerprint_changed_ = true;
  unit.config_key = now.folded.unit.config_key;
  unit.shape = shape->number;
  unit.rows = written.runs;
  unit.measured.reset();
  if (!written.is_faithful) unmeasured_.insert(unit.number);
  const std::vector<std::size_t>& contributing = now.folded.contributing;
  const bool is_its_rows = written.is_faithful && contributing.size() == 1 &&
                           now.versions[contributing[0]].record.unit.hash == unit.hash;
  return settle_versions(unit, now.versions, contributing, !is_its_rows);
}

Status Partition::settle_versions(StoredUnit& unit, const std::vector<Version>& versions,
                                  const std::vector<std::size_t>& contributing, bool keep) {
  std::vector<std::size_t> order = contributing;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return is_newer(versions[a], versions[b]); });
  unit.versions.clear();
  for (const std::size_t i : order) unit.versions.push_back(versions[i].name);
  SYNCLINE_TRY(save_unit(unit));
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const bool is_used = std::find(order.begin(), order.end(), i) != order.end();
    SYNCLINE_TRY(save_record(versions[i].name, stored_from(versions[i], unit, !is_used)));
    if (is_used && keep) {
      SYNCLINE_TRY(keep_bytes(versions[i].name, core::encode(versions[i].unit)));
    } else if (versions.size() > 1) {
      SYNCLINE_TRY(drop_bytes(versions[i].name));
    }
  }
  return {};
}

}  // namespace syncline::collections::sqlite
