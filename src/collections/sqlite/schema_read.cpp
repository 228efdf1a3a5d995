#include "collections/sqlite/schema_read.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;
using core::Result;
using reconcile::Column;
using reconcile::ForeignKey;
using reconcile::Schema;
using reconcile::Table;
using syncline::sqlite::Database;
using syncline::sqlite::quoted;

namespace {

constexpr std::size_t kTablesMax = 1024;   // as reconcile::decode_schema
constexpr std::size_t kColumnsMax = 2000;  // SQLite's own default

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && lower(a) == lower(b);
}

std::string kept_table(const std::string& found, const core::CollectionConfig& config) {
  if (is_same_name(found, config.unit)) return config.unit;
  for (const auto& [name, table] : config.tables) {
    if (is_same_name(found, name)) return name;
  }
  for (const std::string& name : config.tables_exclude) {
    if (is_same_name(found, name)) return name;
  }
  return found;
}

// The spelling of a column that the configuration uses, if it names it at all.
std::string configured_spelling(const std::string& name, const core::CollectionConfig& config,
                                const core::TableConfig* table, bool is_root) {
  std::vector<std::string> known;
  if (table != nullptr) {
    known = table->key;
    known.push_back(table->latest_by);
    for (const auto& [from, to] : table->aliases) known.push_back(to);
  }
  if (is_root) {
    known.insert(known.end(), config.config_key.begin(), config.config_key.end());
    known.push_back(config.changed_by);
  }
  for (const std::string& one : known) {
    if (is_same_name(one, name)) return one;
  }
  return name;
}

std::string kept_column(const std::string& found, const core::CollectionConfig& config,
                        const core::TableConfig* table, bool is_root) {
  if (table != nullptr) {
    for (const auto& [from, to] : table->aliases) {
      if (is_same_name(from, found)) return to;
    }
  }
  return configured_spelling(found, config, table, is_root);
}

std::string safe_default(std::string literal) {
  for (const char* word :
       {"NULL", "TRUE", "FALSE", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"}) {
    if (is_same_name(literal, word)) literal = word;
  }
  if (literal == "NULL" || !reconcile::is_safe_default(literal)) return {};
  return literal;
}

// Name as found and whether it has a rowid; ordinary tables only.
struct Found {
  std::string name;
  bool has_rowid = true;
};

Result<std::vector<Found>> ordinary_tables(Database& db) {
  // pragma_table_list tells views, virtual tables and shadows apart (SQLite 3.37 and later).
  SYNCLINE_ASSIGN(
      auto rows,
      db.prepare("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
                 "ORDER BY name"));
  std::vector<Found> tables;
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) return tables;
    const std::string name = lower(rows.text(0));
    if (name.starts_with("sqlite_") || name.starts_with("syncline_")) continue;
    tables.push_back({rows.text(0), rows.number(1) == 0});
  }
}

core::Status read_columns(Database& db, const core::CollectionConfig& config, Table& table) {
  const auto configured = config.tables.find(table.name);
  const core::TableConfig* table_config =
      configured == config.tables.end() ? nullptr : &configured->second;
  SYNCLINE_ASSIGN(
      auto rows,
      db.prepare("SELECT name, type, dflt_value, pk, hidden FROM pragma_table_xinfo(?)"));
  rows.bind(1, std::string_view(table.found_as));
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) break;
    if (rows.number(4) != 0) continue;  // generated
    Column column;
    column.found_as = rows.text(0);
    column.name = kept_column(column.found_as, config, table_config, table.name == config.unit);
    column.type = reconcile::is_safe_type(rows.text(1)) ? rows.text(1) : "";
    column.default_value = safe_default(rows.text(2));
    column.key_position = static_cast<int>(rows.number(3));
    if (table.find(column.name) != nullptr) {
      return Error{ErrorKind::kInvalid,
                   "table " + table.found_as + " has two columns that are kept as '" + column.name +
                       "': take one of them out of its aliases",
                   db.path()};
    }
    table.columns.push_back(std::move(column));
  }
  if (table.columns.size() > kColumnsMax) {
    return Error{ErrorKind::kInvalid,
                 "table " + table.found_as + " has " + std::to_string(table.columns.size()) +
                     " columns, more than " + std::to_string(kColumnsMax),
                 db.path()};
  }
  return {};
}

// The name as kept of a column as found; empty: there is none (an index on an expression, say).
std::string name_of(const Table& table, std::string_view found) {
  for (const Column& column : table.columns) {
    if (is_same_name(column.found_as, found)) return column.name;
  }
  return {};
}

core::Status read_uniques(Database& db, Table& table) {
  SYNCLINE_ASSIGN(
      auto indexes,
      db.prepare("SELECT name FROM pragma_index_list(?) WHERE \"unique\" = 1 AND partial = 0 "
                 "AND origin <> 'pk' ORDER BY name"));
  SYNCLINE_ASSIGN(auto columns, db.prepare("SELECT name FROM pragma_index_info(?) ORDER BY seqno"));
  indexes.bind(1, std::string_view(table.found_as));
  while (true) {
    SYNCLINE_ASSIGN(const bool has_index, indexes.step());
    if (!has_index) break;
    columns.bind(1, std::string_view(indexes.text(0)));
    std::vector<std::string> unique;
    bool is_plain = true;
    while (true) {
      SYNCLINE_ASSIGN(const bool has_column, columns.step());
      if (!has_column) break;
      unique.push_back(name_of(table, columns.text(0)));
      is_plain = is_plain && !unique.back().empty();
    }
    columns.reset();
    if (is_plain && !unique.empty()) table.uniques.push_back(std::move(unique));
  }
  // By content: the names of automatic indexes differ between databases of one making.
  std::sort(table.uniques.begin(), table.uniques.end());
  table.uniques.erase(std::unique(table.uniques.begin(), table.uniques.end()), table.uniques.end());
  return {};
}

core::Status read_foreign_keys(Database& db, Schema& schema, Table& table) {
  SYNCLINE_ASSIGN(
      auto rows,
      db.prepare("SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?) "
                 "ORDER BY id DESC, seq"));  // ids count down from the last declared
  rows.bind(1, std::string_view(table.found_as));
  std::int64_t last_id = -1;
  std::vector<ForeignKey> keys;
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) break;
    if (keys.empty() || rows.number(0) != last_id) keys.emplace_back();
    last_id = rows.number(0);
    ForeignKey& key = keys.back();
    const Table* parent = nullptr;
    for (const auto& [name, candidate] : schema.tables) {
      if (is_same_name(candidate.found_as, rows.text(1))) parent = &candidate;
    }
    if (parent == nullptr) continue;  // its table does not travel, or is not there
    key.parent = parent->name;
    key.columns.push_back(name_of(table, rows.text(2)));
    if (!rows.is_null(3)) {
      key.parent_columns.push_back(name_of(*parent, rows.text(3)));
    } else {
      const std::vector<std::string> primary = parent->primary_key();
      const std::size_t at = key.columns.size() - 1;
      key.parent_columns.push_back(at < primary.size() ? primary[at] : std::string());
    }
  }
  for (ForeignKey& key : keys) {
    const auto is_known = [](const std::string& name) { return !name.empty(); };
    if (!key.columns.empty() && std::all_of(key.columns.begin(), key.columns.end(), is_known) &&
        std::all_of(key.parent_columns.begin(), key.parent_columns.end(), is_known)) {
      table.foreign_keys.push_back(std::move(key));
    }
  }
  return {};
}

}  // namespace

Result<Schema> read_schema(Database& db, const core::CollectionConfig& config) {
  Schema schema;
  SYNCLINE_ASSIGN(const auto found, ordinary_tables(db));
  if (found.size() > kTablesMax) {
    return Error{ErrorKind::kInvalid,
                 "the database has " + std::to_string(found.size()) + " tables, more than " +
                     std::to_string(kTablesMax) + "; leave some out with tables_exclude",
                 db.path()};
  }
  for (const Found& one : found) {
    Table table;
    table.found_as = one.name;
    table.name = kept_table(one.name, config);
    table.has_rowid = one.has_rowid;
    SYNCLINE_TRY(read_columns(db, config, table));
    SYNCLINE_TRY(read_uniques(db, table));
    const std::string name = table.name;
    schema.tables.emplace(name, std::move(table));
  }
  for (auto& [name, table] : schema.tables) SYNCLINE_TRY(read_foreign_keys(db, schema, table));
  return schema;
}

Result<std::int64_t> schema_cookie(Database& db) {
  return db.ask_number("PRAGMA schema_version");
}

}  // namespace syncline::collections::sqlite
