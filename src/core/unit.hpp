// A unit: one root row with every row that reaches it by foreign keys. It travels whole or not at
// all. Here it is a value: tables, columns and cells, with a deterministic encoding.
//
// The encoding is what is hashed, journalled and sent; docs/formats/unit.md has its grammar.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"

namespace syncline::core {

struct Blob {
  std::string bytes;
  auto operator<=>(const Blob&) const = default;
};

// SQLite's five storage classes.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

struct TableRows {
  std::string table;
  std::vector<std::string> columns;  // sorted by name
  std::vector<std::vector<Cell>>
      rows;  // each as wide as `columns`; sorted, so equal units are equal bytes
  bool operator==(const TableRows&) const = default;
};

struct Unit {
  std::string key;       // natural key of the root row, encoded text; unique in its collection
  ConfigKey config_key;  // e.g. hex8_2p; empty if the collection declares none
  std::vector<TableRows>
      tables;  // root table first, then children, each parent before its children
  bool operator==(const Unit&) const = default;
};

// Limits on what a peer or a source can make us hold at once.
struct UnitLimits {
  std::size_t bytes_max = 64u << 20;  // one unit, encoded; a larger one is refused and reported
  std::size_t tables_max = 256;
  std::size_t columns_max = 2000;  // SQLite's own default
  std::size_t rows_max = 4u << 20;
};

// A unit ready to travel: what journal, wire and replica pass along without looking inside.
struct EncodedUnit {
  std::string key;
  ConfigKey config_key;
  std::string schema;  // id of the schema it was read with (RecordBatch::schemas); not hashed
  Digest256 hash;      // SHA-256 of `bytes`
  std::string bytes;   // encode(unit)
  bool operator==(const EncodedUnit&) const = default;
};

std::string encode(const Unit& unit);
// Bounds every count before it allocates. kCorrupt for any byte string that encode cannot make.
Result<Unit> decode_unit(std::string_view bytes, const UnitLimits& limits = {});
EncodedUnit seal(const Unit& unit);  // encode + hash

}  // namespace syncline::core
