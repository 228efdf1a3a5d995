// Grammar (docs/formats/unit.md; DO NOT CHANGE: it is hashed and kept on disk):
//   unit   = version(1) text(key) text(config_key) varint(tables) table*
//   table  = text(name) varint(columns) text(column)* varint(rows) row*
//   row    = cell × columns
//   cell   = 0 | 1 zigzag | 2 f64 | 3 text | 4 text(blob)
#include "core/unit.hpp"

#include "core/bytes.hpp"
#include "core/sha256.hpp"

namespace syncline::core {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kNameBytesMax = 1024;
constexpr std::size_t kKeyBytesMax = 64 * 1024;

struct CellWriter {
  ByteWriter& out;
  void operator()(std::monostate) const { out.u8(0); }
  void operator()(std::int64_t value) const {
    out.u8(1);
    out.zigzag(value);
  }
  void operator()(double value) const {
    out.u8(2);
    out.f64(value);
  }
  void operator()(const std::string& value) const {
    out.u8(3);
    out.text(value);
  }
  void operator()(const Blob& value) const {
    out.u8(4);
    out.text(value.bytes);
  }
};

Cell read_cell(ByteReader& in) {
  switch (in.u8()) {
    case 0:
      return std::monostate{};
    case 1:
      return in.zigzag();
    case 2:
      return in.f64();
    case 3:
      return std::string(in.text(in.left()));
    case 4:
      return Blob{std::string(in.text(in.left()))};
    default:
      in.fail();
      return std::monostate{};
  }
}

bool read_table(ByteReader& in, const UnitLimits& limits, std::size_t& rows_left,
                TableRows& table) {
  table.table = std::string(in.text(kNameBytesMax));
  const std::uint64_t columns = in.varint();
  if (!in.ok() || columns > limits.columns_max || columns > in.left()) return false;
  for (std::uint64_t i = 0; i < columns; ++i) {
    table.columns.emplace_back(in.text(kNameBytesMax));
  }
  const std::uint64_t rows = in.varint();
  // A row takes at least one byte per cell, so the bytes at hand bound the rows.
  if (!in.ok() || rows > rows_left || (rows > 0 && columns == 0)) return false;
  if (rows > 0 && rows > in.left() / columns) return false;
  rows_left -= static_cast<std::size_t>(rows);
  table.rows.reserve(static_cast<std::size_t>(rows));
  for (std::uint64_t r = 0; r < rows; ++r) {
    std::vector<Cell> row;
    row.reserve(static_cast<std::size_t>(columns));
    for (std::uint64_t c = 0; c < columns; ++c) row.push_back(read_cell(in));
    if (!in.ok()) return false;
    table.rows.push_back(std::move(row));
  }
  return in.ok();
}

}  // namespace

std::string encode(const Unit& unit) {
  ByteWriter out;
  out.u8(kVersion);
  out.text(unit.key);
  out.text(unit.config_key.text);
  out.varint(unit.tables.size());
  for (const TableRows& table : unit.tables) {
    out.text(table.table);
    out.varint(table.columns.size());
    for (const std::string& column : table.columns) out.text(column);
    out.varint(table.rows.size());
    for (const auto& row : table.rows) {
      SYNCLINE_CHECK(row.size() == table.columns.size(), "table", table.table, row.size());
      for (const Cell& cell : row) std::visit(CellWriter{out}, cell);
    }
  }
  return out.take();
}

Result<Unit> decode_unit(std::string_view bytes, const UnitLimits& limits) {
  const Error corrupt{ErrorKind::kCorrupt, "these bytes are no unit; fetch it from another node",
                      ""};
  if (bytes.size() > limits.bytes_max) {
    return Error{ErrorKind::kInvalid,
                 "a unit of " + std::to_string(bytes.size()) + " bytes is larger than " +
                     std::to_string(limits.bytes_max),
                 ""};
  }
  ByteReader in(bytes);
  if (in.u8() != kVersion) return corrupt;
  Unit unit;
  unit.key = std::string(in.text(kKeyBytesMax));
  unit.config_key = ConfigKey(in.text(kNameBytesMax));
  const std::uint64_t tables = in.varint();
  if (!in.ok() || tables > limits.tables_max) return corrupt;
  std::size_t rows_left = limits.rows_max;
  for (std::uint64_t t = 0; t < tables; ++t) {
    TableRows table;
    if (!read_table(in, limits, rows_left, table)) return corrupt;
    unit.tables.push_back(std::move(table));
  }
  if (!in.at_end()) return corrupt;
  return unit;
}

EncodedUnit seal(const Unit& unit) {
  EncodedUnit sealed;
  sealed.key = unit.key;
  sealed.config_key = unit.config_key;
  sealed.bytes = encode(unit);
  sealed.hash = sha256(sealed.bytes);
  return sealed;
}

}  // namespace syncline::core
