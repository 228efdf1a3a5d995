#include "collections/sqlite/replica_tables.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "reconcile/references.hpp"
#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;
using reconcile::Column;
using reconcile::ForeignKey;
using reconcile::Schema;
using reconcile::Table;
using syncline::sqlite::quoted;

namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}
bool is_same(std::string_view a, std::string_view b) {
  return upper(a) == upper(b);
}

bool has_same(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& n) { return is_same(n, name); });
}
bool is_same_set(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return a.size() == b.size() &&
         std::all_of(a.begin(), a.end(), [&](const std::string& n) { return has_same(b, n); });
}

std::string joined(const std::vector<std::string>& columns) {
  std::string out;
  for (const std::string& column : columns) out += (out.empty() ? "" : ", ") + quoted(column);
  return out;
}

// "VARCHAR(20)", "DOUBLE PRECISION": words and up to two numbers. A word that begins a constraint
// would be more than a type.
bool is_plain_type(std::string_view type) {
  static constexpr std::array kConstraints = {
      "PRIMARY", "UNIQUE", "NOT",       "NULL",       "DEFAULT", "CHECK",         "REFERENCES",
      "COLLATE", "AS",     "GENERATED", "CONSTRAINT", "ON",      "AUTOINCREMENT", "FOREIGN",
      "ALWAYS",  "STORED", "VIRTUAL",   "ASC",        "DESC",    "DEFERRABLE",    "KEY"};
  const std::size_t open = type.find('(');
  std::string words = upper(type.substr(0, open));
  for (char& c : words) {
    if (c != ' ' && c != '_' && std::isalnum(static_cast<unsigned char>(c)) == 0) return false;
  }
  std::size_t at = 0;
  while (at < words.size()) {
    if (words[at] == ' ') {
      ++at;
      continue;
    }
    const std::size_t end = std::min(words.find(' ', at), words.size());
    const std::string_view word = std::string_view(words).substr(at, end - at);
    if (std::isdigit(static_cast<unsigned char>(word.front())) != 0) return false;
    if (std::find(kConstraints.begin(), kConstraints.end(), word) != kConstraints.end()) {
      return false;
    }
    at = end;
  }
  if (open == std::string_view::npos) return true;
  if (open == 0 || type.back() != ')') return false;
  const std::string_view inside = type.substr(open + 1, type.size() - open - 2);
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || c == ' '; };
  const std::size_t comma = inside.find(',');
  const auto is_size = [&](std::string_view part) {
    return std::all_of(part.begin(), part.end(), is_digit) &&
           std::any_of(part.begin(), part.end(), [](char c) { return c != ' '; }) &&
           part.find_first_of("0123456789") != std::string_view::npos &&
           part.substr(part.find_first_not_of(' '),
                       part.find_last_not_of(' ') - part.find_first_not_of(' ') + 1)
                   .find(' ') == std::string_view::npos;
  };
  if (comma == std::string_view::npos) return is_size(inside);
  return is_size(inside.substr(0, comma)) && is_size(inside.substr(comma + 1));
}

const char* type_for(Affinity affinity) {
  switch (affinity) {
    case Affinity::kText:
      return "TEXT";
    case Affinity::kNumeric:
      return "NUMERIC";
    case Affinity::kInteger:
      return "INTEGER";
    case Affinity::kReal:
      return "REAL";
    case Affinity::kBlob:
      return "";
  }
  return "";
}
std::string declared_type(const std::string& type) {
  return is_plain_type(type) ? type : type_for(affinity_of(type));
}

bool is_constant(const std::string& literal) {
  return !literal.empty() && upper(literal).rfind("CURRENT_", 0) != 0 && upper(literal) != "NULL" &&
         reconcile::is_safe_default(literal);
}

std::string declaration(const Column& column) {
  std::string text = quoted(column.name);
  const std::string type = declared_type(column.type);
  if (!type.empty()) text += " " + type;
  if (is_constant(column.default_value)) text += " DEFAULT " + column.default_value;
  return text;
}

bool is_possible_name(const std::string& name) {
  return !name.empty() && name.find('\0') == std::string::npos;
}

core::Status check_names(const Table& table) {
  const std::string name = upper(table.name);
  if (!is_possible_name(name) || name.rfind("SQLITE_", 0) == 0 || name.rfind("SYNCLINE_", 0) == 0) {
    return Error{ErrorKind::kInvalid,
                 "a schema has a table that no replica can have: '" + table.name + "'", ""};
  }
  std::vector<std::string> names;
  for (const Column& column : table.columns) {
    if (!is_possible_name(column.name) || has_same(names, column.name)) {
      return Error{ErrorKind::kInvalid,
                   "table '" + table.name + "' has a column twice, or one " + "without a name: '" +
                       column.name + "'",
                   ""};
    }
    names.push_back(column.name);
  }
  if (names.empty()) {
    return Error{ErrorKind::kInvalid, "table '" + table.name + "' has no column", ""};
  }
  return {};
}

KeptTable kept_from(const Table& table, const reconcile::RowKey& key, const std::string& hidden) {
  KeptTable kept;
  kept.name = table.name;
  for (const Column& column : table.columns) {
    kept.columns.push_back(
        {column.name, affinity_of(declared_type(column.type)), is_constant(column.default_value)});
  }
  kept.hidden = hidden;
  if (key.kind == reconcile::KeyKind::kColumns) kept.key = key.columns;
  const bool knows_all = std::all_of(kept.key.begin(), kept.key.end(), [&](const auto& column) {
    return kept.find(column) != nullptr;
  });
  if (!knows_all) kept.key.clear();
  return kept;
}

}  // namespace

Affinity affinity_of(std::string_view type) {
  const std::string t = upper(type);
  const auto has = [&](const char* part) { return t.find(part) != std::string::npos; };
  if (has("INT")) return Affinity::kInteger;
  if (has("CHAR") || has("CLOB") || has("TEXT")) return Affinity::kText;
  if (t.empty() || has("BLOB")) return Affinity::kBlob;
  if (has("REAL") || has("FLOA") || has("DOUB")) return Affinity::kReal;
  return Affinity::kNumeric;
}

bool is_kept(const core::Cell& cell, Affinity affinity) {
  switch (cell.index()) {
    case 0:
      return true;
    case 1:
      return affinity != Affinity::kText && affinity != Affinity::kReal;
    case 2: {
      if (affinity == Affinity::kText) return false;
      const double value = std::get<double>(cell);
      if (affinity == Affinity::kBlob) return true;
      if (affinity == Affinity::kReal) return value != 0 || !std::signbit(value);
      return std::trunc(value) != value;
    }
    case 3: {  // text that may look like a number becomes one
      if (affinity == Affinity::kText || affinity == Affinity::kBlob) return true;
      const std::string& text = std::get<std::string>(cell);
      const std::size_t first = text.find_first_not_of(" \t\n\v\f\r");
      if (first == std::string::npos) return true;
      const char c = text[first];
      return (c < '0' || c > '9') && c != '-' && c != '+' && c != '.';
    }
    default:
      return true;
  }
}

const KeptColumn* KeptTable::find(std::string_view column) const {
  for (const KeptColumn& c : columns) {
    if (is_same(c.name, column)) return &c;
  }
  return nullptr;
}

std::string KeptTable::rowid() const {
  if (!hidden.empty()) return hidden;
  for (const char* alias : {"rowid", "_rowid_", "oid"}) {
    if (find(alias) == nullptr) return alias;
  }
  return {};
}

const KeptTable* KeptTables::find(std::string_view table) const {
  for (const auto& kept : tables_) {
    if (kept->name == table) return kept.get();
  }
  for (const auto& kept : tables_) {
    if (is_same(kept->name, table)) return kept.get();
  }
  return nullptr;
}
KeptTables KeptTables::copy() const {
  KeptTables out;
  for (const auto& kept : tables_) out.tables_.push_back(std::make_unique<KeptTable>(*kept));
  return out;
}
KeptTable* KeptTables::find_own(std::string_view table) {
  return const_cast<KeptTable*>(std::as_const(*this).find(table));
}
const KeptTable* KeptTables::find(int number) const {
  const auto index = static_cast<std::size_t>(number - 1);
  return index < tables_.size() ? tables_[index].get() : nullptr;
}

core::Result<std::vector<std::string>> KeptTables::take(
    const Schema& schema, const std::vector<reconcile::UnitPlan>& plans) {
  std::vector<const reconcile::Member*> members;
  for (const reconcile::UnitPlan& plan : plans) {
    for (const reconcile::Member& member : plan.members) {
      const Table* table = schema.find(member.table);
      SYNCLINE_TRY(check_names(*table));
      KeptTable trial = kept_from(*table, {}, {});
      if (const KeptTable* known = find(member.table)) trial.hidden = known->hidden;
      if (trial.rowid().empty()) {
        return Error{
            ErrorKind::kInvalid,
            "table '" + member.table + "' uses rowid, _rowid_ and " + "oid as columns: rename one",
            ""};
      }
      members.push_back(&member);
    }
  }
  // All tables first: a foreign key may lead to one that comes later.
  std::vector<const Table*> created;
  std::vector<std::string> sql;
  for (const reconcile::Member* member : members) {
    const Table& table = *schema.find(member->table);
    if (find(table.name) != nullptr) continue;
    auto kept = std::make_unique<KeptTable>(
        kept_from(table, member->key, reconcile::hidden_column(table, member->key)));
    kept->number = static_cast<int>(tables_.size()) + 1;
    tables_.push_back(std::move(kept));
    created.push_back(&table);
  }
  for (const Table* table : created) create(*table, schema, sql);
  for (const reconcile::Member* member : members) {
    extend(*find_own(member->table), *schema.find(member->table), sql);
  }
  return sql;
}

bool KeptTables::is_declarable(const ForeignKey& key) const {
  const KeptTable* parent = find(key.parent);
  if (parent == nullptr || key.columns.empty()) return false;
  if (!parent->hidden.empty() && key.parent_columns.size() == 1 &&
      is_same(key.parent_columns[0], parent->hidden)) {
    return true;
  }
  return !parent->key.empty() && is_same_set(parent->key, key.parent_columns);
}

void KeptTables::create(const Table& table, const Schema&, std::vector<std::string>& sql) const {
  const KeptTable& kept = *find(table.name);
  const bool is_primary =
      kept.hidden.empty() && !kept.key.empty() && is_same_set(kept.key, table.primary_key());
  std::string text = "CREATE TABLE " + quoted(table.name) + " (";
  bool has_unique = !kept.hidden.empty();
  bool needs_key = !kept.key.empty();
  for (const Column& column : table.columns) {
    text += (&column == &table.columns.front() ? "\n  " : ",\n  ");
    if (!kept.hidden.empty() && is_same(column.name, kept.hidden)) {
      text += quoted(column.name) + " INTEGER PRIMARY KEY";
      continue;
    }
    const bool is_alone = is_primary && kept.key.size() == 1 && is_same(column.name, kept.key[0]);
    if (is_alone && upper(column.type) == "INTEGER") {
      // DESC: an ordinary column, not another name of the rowid; its value may be NULL or wait.
      text += quoted(column.name) + " INTEGER PRIMARY KEY DESC";
      needs_key = false;
      has_unique = true;
      continue;
    }
    text += declaration(column);
  }
  if (needs_key) {
    text +=
        std::string(",\n  ") + (is_primary ? "PRIMARY KEY (" : "UNIQUE (") + joined(kept.key) + ")";
    has_unique = true;
  }
  for (const ForeignKey& key : table.foreign_keys) {
    if (!is_declarable(key)) continue;
    text += ",\n  FOREIGN KEY (" + joined(key.columns) + ") REFERENCES " +
            quoted(find(key.parent)->name) + " (" + joined(key.parent_columns) +
            ") DEFERRABLE INITIALLY DEFERRED";
  }
  sql.push_back(text + "\n)");
  std::vector<std::vector<std::string>> indexes = table.uniques;
  if (!is_primary && kept.hidden.empty()) indexes.push_back(table.primary_key());
  int number = 0;
  for (const auto& columns : indexes) {
    if (columns.empty() || is_same_set(columns, kept.key)) continue;
    sql.push_back("CREATE INDEX " +
                  quoted("syncline_" + table.name + "_" + std::to_string(++number)) + " ON " +
                  quoted(table.name) + " (" + joined(columns) + ")");
    has_unique = true;
  }
  if (!has_unique) {  // VACUUM gives new rowids to a table without any index
    sql.push_back("CREATE INDEX " + quoted("syncline_" + table.name + "_0") + " ON " +
                  quoted(table.name) + " (" + quoted(table.columns.front().name) + ")");
  }
}

void KeptTables::extend(KeptTable& kept, const Table& table, std::vector<std::string>& sql) const {
  for (const Column& column : table.columns) {
    if (kept.find(column.name) != nullptr) continue;
    std::string text = "ALTER TABLE " + quoted(kept.name) + " ADD COLUMN " + declaration(column);
    for (const ForeignKey& key : table.foreign_keys) {
      const bool is_its = key.columns.size() == 1 && is_same(key.columns[0], column.name);
      if (!is_its || is_constant(column.default_value) || !is_declarable(key)) continue;
      text += " REFERENCES " + quoted(find(key.parent)->name) + " (" +
              quoted(key.parent_columns[0]) + ") DEFERRABLE INITIALLY DEFERRED";
      break;
    }
    kept.columns.push_back(
        {column.name, affinity_of(declared_type(column.type)), is_constant(column.default_value)});
    sql.push_back(std::move(text));
  }
}

}  // namespace syncline::collections::sqlite
