#include "reconcile/schema.hpp"

#include <algorithm>
#include <cctype>

#include "core/bytes.hpp"
#include "core/sha256.hpp"

namespace syncline::reconcile {

namespace {
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kTablesMax = 1024;
constexpr std::size_t kColumnsMax = 2000;
constexpr std::size_t kNameMax = 1024;

void put(core::ByteWriter& out, const std::vector<std::string>& names) {
  out.varint(names.size());
  for (const std::string& name : names) out.text(name);
}
bool get(core::ByteReader& in, std::vector<std::string>& names) {
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > kColumnsMax) return false;
  for (std::uint64_t i = 0; i < count; ++i) names.emplace_back(in.text(kNameMax));
  return in.ok();
}

bool get(core::ByteReader& in, Table& table) {
  table.name = std::string(in.text(kNameMax));
  table.found_as = table.name;
  table.has_rowid = in.u8() == 1;
  const std::uint64_t columns = in.varint();
  if (!in.ok() || table.name.empty() || columns > kColumnsMax) return false;
  for (std::uint64_t i = 0; i < columns; ++i) {
    Column column;
    column.name = std::string(in.text(kNameMax));
    column.found_as = column.name;
    column.type = std::string(in.text(kNameMax));
    column.default_value = std::string(in.text(kNameMax));
    column.key_position = static_cast<int>(in.varint() & 0xffff);
    const bool is_good = in.ok() && !column.name.empty() && is_safe_type(column.type) &&
                         is_safe_default(column.default_value);
    if (!is_good) return false;
    table.columns.push_back(std::move(column));
  }
  const std::uint64_t uniques = in.varint();
  if (!in.ok() || uniques > kColumnsMax) return false;
  for (std::uint64_t i = 0; i < uniques; ++i) {
    if (!get(in, table.uniques.emplace_back())) return false;
  }
  const std::uint64_t keys = in.varint();
  if (!in.ok() || keys > kColumnsMax) return false;
  for (std::uint64_t i = 0; i < keys; ++i) {
    ForeignKey& key = table.foreign_keys.emplace_back();
    if (!get(in, key.columns)) return false;
    key.parent = std::string(in.text(kNameMax));
    if (!get(in, key.parent_columns) || key.columns.size() != key.parent_columns.size()) {
      return false;
    }
  }
  return true;
}
}  // namespace

const Column* Table::find(std::string_view column) const {
  for (const Column& c : columns) {
    if (c.name == column) return &c;
  }
  return nullptr;
}

std::vector<std::string> Table::primary_key() const {
  std::vector<const Column*> keys;
  for (const Column& c : columns) {
    if (c.key_position > 0) keys.push_back(&c);
  }
  std::sort(keys.begin(), keys.end(),
            [](const Column* a, const Column* b) { return a->key_position < b->key_position; });
  std::vector<std::string> names;
  for (const Column* c : keys) names.push_back(c->name);
  return names;
}

std::string Table::surrogate() const {
  const std::vector<std::string> key = primary_key();
  if (key.size() != 1 || !has_rowid) return {};
  for (const ForeignKey& reference : foreign_keys) {  // then it names the row it refers to
    const auto& refers = reference.columns;
    if (std::find(refers.begin(), refers.end(), key[0]) != refers.end()) return {};
  }
  std::string type = find(key[0])->type;
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return type == "INTEGER" ? key[0] : std::string();
}

const Table* Schema::find(const std::string& table) const {
  auto it = tables.find(table);
  return it == tables.end() ? nullptr : &it->second;
}

std::string encode(const Schema& schema) {
  core::ByteWriter out;
  out.u8(kVersion);
  out.varint(schema.tables.size());
  for (const auto& [name, table] : schema.tables) {
    out.text(name);
    out.u8(table.has_rowid ? 1 : 0);
    out.varint(table.columns.size());
    for (const Column& column : table.columns) {
      out.text(column.name);
      out.text(column.type);
      out.text(column.default_value);
      out.varint(static_cast<std::uint64_t>(column.key_position));
    }
    out.varint(table.uniques.size());
    for (const auto& unique : table.uniques) put(out, unique);
    out.varint(table.foreign_keys.size());
    for (const ForeignKey& key : table.foreign_keys) {
      put(out, key.columns);
      out.text(key.parent);
      put(out, key.parent_columns);
    }
  }
  return out.take();
}

core::Result<Schema> decode_schema(std::string_view bytes) {
  const core::Error corrupt{core::ErrorKind::kCorrupt, "these bytes are no schema", ""};
  core::ByteReader in(bytes);
  if (in.u8() != kVersion) return corrupt;
  const std::uint64_t tables = in.varint();
  if (!in.ok() || tables > kTablesMax) return corrupt;
  Schema schema;
  for (std::uint64_t i = 0; i < tables; ++i) {
    Table table;
    if (!get(in, table)) return corrupt;
    const std::string name = table.name;
    schema.tables.emplace(name, std::move(table));
  }
  if (!in.at_end()) return corrupt;
  return schema;
}

std::string id_of(const Schema& schema) {
  return to_hex(core::sha256(encode(schema))).substr(0, 16);
}

bool is_safe_type(std::string_view type) {
  return std::all_of(type.begin(), type.end(), [](unsigned char c) {
    return std::isalnum(c) || c == ' ' || c == '(' || c == ')' || c == ',' || c == '_';
  });
}

namespace {
// [sign] digits [. digits] [e [sign] digits], a digit before or after the point. No more: "--"
// begins a comment.
bool is_number(std::string_view text) {
  std::size_t at = 0;
  const auto sign = [&] { at += at < text.size() && (text[at] == '-' || text[at] == '+') ? 1 : 0; };
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) ++at;
    return at - from;
  };
  sign();
  std::size_t count = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    count += digits();
  }
  if (count == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    sign();
    if (digits() == 0) return false;
  }
  return at == text.size();
}
}  // namespace

bool is_safe_default(std::string_view literal) {
  if (literal.empty() || literal == "NULL" || literal == "CURRENT_TIMESTAMP" ||
      literal == "CURRENT_DATE" || literal == "CURRENT_TIME" || literal == "TRUE" ||
      literal == "FALSE") {
    return true;
  }
  if (literal.front() == '\'') {  // a string: quotes inside are doubled
    if (literal.size() < 2 || literal.back() != '\'') return false;
    const std::string_view inside = literal.substr(1, literal.size() - 2);
    for (std::size_t i = 0; i < inside.size(); ++i) {
      if (inside[i] != '\'') continue;
      if (i + 1 >= inside.size() || inside[i + 1] != '\'') return false;
      ++i;
    }
    return true;
  }
  return is_number(literal);
}

}  // namespace syncline::reconcile
