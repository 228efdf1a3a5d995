// A database's tables as values: what a unit's rows mean, and what a replica must create.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"

namespace syncline::reconcile {

struct Column {
  std::string name;           // as kept (aliases applied)
  std::string found_as;       // as the source calls it; not part of the encoding
  std::string type;           // as declared: "TEXT", "INTEGER" …
  std::string default_value;  // SQL literal; empty = none
  int key_position = 0;       // 1, 2 … in the primary key; 0 = not in it
  bool operator==(const Column&) const = default;
};

struct ForeignKey {
  std::vector<std::string> columns;
  std::string parent;
  std::vector<std::string> parent_columns;
  bool operator==(const ForeignKey&) const = default;
};

struct Table {
  std::string name;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> uniques;  // beside the primary key
  std::vector<ForeignKey> foreign_keys;
  bool has_rowid = true;
  std::string found_as;  // as the source calls it; not part of the encoding

  const Column* find(std::string_view column) const;
  std::vector<std::string> primary_key() const;
  // The single INTEGER PRIMARY KEY: an alias of the rowid, a number that means nothing elsewhere.
  // Empty if the table has none, or if it is a foreign key: then it names the row it refers to.
  std::string surrogate() const;
  bool operator==(const Table&) const = default;
};

struct Schema {
  std::map<std::string, Table> tables;
  const Table* find(const std::string& table) const;
  bool operator==(const Schema&) const = default;
};

// Deterministic; id = first 16 hex digits of its SHA-256.
std::string encode(const Schema& schema);
core::Result<Schema> decode_schema(std::string_view bytes);
std::string id_of(const Schema& schema);

// Only what a peer may make us put into SQL: letters of a type, a literal of a default.
bool is_safe_type(std::string_view type);
bool is_safe_default(std::string_view literal);

}  // namespace syncline::reconcile
