#include "collections/sqlite/unit_reader.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "core/text.hpp"
#include "reconcile/fold.hpp"
#include "reconcile/plan.hpp"

namespace syncline::collections::sqlite {

using core::Cell;
using core::Result;
using core::Status;
using syncline::sqlite::Database;
using syncline::sqlite::quoted;
using syncline::sqlite::Statement;

namespace {

constexpr std::size_t kKeyBytesMax = 64u << 10;  // as core::decode_unit
constexpr std::size_t kConfigKeyBytesMax = 1024;
constexpr std::size_t kMappedRowsMax = 4u << 20;  // about 200 MB; larger tables are looked through
constexpr double kCostsMs = 50;                   // from here on a missing index is told

std::vector<std::string> all_columns(const MemberLayout& member) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < member.table->columns.size(); ++i) {
    columns.push_back(column_sql(member, i, "c"));
  }
  return columns;
}

std::string equals(const std::vector<std::string>& columns, int first) {
  std::string out;
  for (const std::string& column : columns) {
    out += (out.empty() ? "" : " AND ") + column + " = ?" + std::to_string(first++);
  }
  return out;
}

std::vector<std::string> link_sql(const MemberLayout& member) {
  std::vector<std::string> columns;
  for (std::size_t column : member.link_columns) columns.push_back(column_sql(member, column, "c"));
  return columns;
}

std::string text_of(const Cell& cell) {
  return reconcile::key_text("", {reconcile::KeyKind::kColumns, {""}}, {cell});
}

// Equal for all links that SQLite may call equal: 1, 1.0 and '1', and letters of either case.
std::uint64_t link_hash(const std::vector<Cell>& link) {
  std::uint64_t hash = 1469598103934665603u;  // FNV-1a
  for (Cell cell : link) {
    if (const auto* real = std::get_if<double>(&cell)) {
      const bool is_whole = *real > -9e18 && *real < 9e18 &&
                            static_cast<double>(static_cast<std::int64_t>(*real)) == *real;
      if (is_whole) cell = static_cast<std::int64_t>(*real);
    }
    for (unsigned char c : text_of(cell)) {
      hash = (hash ^ static_cast<unsigned>(std::tolower(c))) * 1099511628211u;
    }
  }
  return hash;
}

std::size_t bytes_of(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return text->size() + 4;
  if (const auto* blob = std::get_if<core::Blob>(&cell)) return blob->bytes.size() + 4;
  return 9;
}

bool is_toobig(Database& db) {
  return (sqlite3_errcode(db.raw()) & 0xff) == SQLITE_TOOBIG;
}

}  // namespace

UnitReader::UnitReader(Database& db, const Layout& layout, const core::CollectionConfig& config,
                       const core::UnitLimits& limits)
    : db_(db),
      layout_(layout),
      config_(config),
      limits_(limits),
      names_(db, layout),
      access_(layout.units.size()),
      complete_(layout.units.size()) {}

void UnitReader::begin_snapshot() {
  names_.begin_snapshot();
  for (auto& unit : access_) {
    for (Access& access : unit) access.has_map = false;  // to be extended by what is new
  }
}

Status UnitReader::prepare(std::size_t unit) {
  if (!access_[unit].empty()) return {};
  const UnitLayout& layout = layout_.units[unit];
  const MemberLayout& root = layout.root();
  access_[unit].resize(layout.members.size());
  for (std::size_t m = 0; m < layout.members.size(); ++m) {
    const Status prepared = prepare_member(unit, m);
    if (!prepared.ok()) {
      access_[unit].clear();
      return prepared;
    }
  }
  if (config_.complete_when.empty() ||
      (!config_.unit.empty() && root.table->name != config_.unit)) {
    return {};
  }
  // The condition sees the root table under its names as kept, and as found.
  std::vector<std::string> columns{"c.*"};
  for (std::size_t i = 0; i < root.table->columns.size(); ++i) {
    const reconcile::Column& column = root.table->columns[i];
    if (column.name == column.found_as) continue;
    columns.push_back(column_sql(root, i, "c") + " AS " + quoted(column.name));
  }
  auto made = db_.prepare("SELECT 1 FROM (SELECT " + join(columns) + " FROM " +
                              quoted(root.table->found_as) + " AS c WHERE " +
                              equals(position_sql(root, "c"), 1) + ") AS " +
                              quoted(root.table->name) + " WHERE (" + config_.complete_when + "\n)",
                          true);
  if (!made.ok()) {
    access_[unit].clear();
    return core::Error{
        core::ErrorKind::kInvalid,
        "complete_when does not fit this database (" + made.error().what + "): its units wait",
        db_.path()};
  }
  complete_[unit] = std::move(made).value();
  return {};
}

Status UnitReader::prepare_member(std::size_t unit, std::size_t m) {
  const MemberLayout& member = layout_.units[unit].members[m];
  Access& access = access_[unit][m];
  const std::string from = "SELECT " + join(all_columns(member)) + " FROM " +
                           quoted(member.table->found_as) + " AS c WHERE ";
  if (member.parent < 0) {
    SYNCLINE_ASSIGN(access.select, db_.prepare(from + equals(position_sql(member, "c"), 1), true));
    return {};
  }
  const std::string by_link = from + equals(link_sql(member), 1);
  SYNCLINE_ASSIGN(Statement plan, db_.prepare("EXPLAIN QUERY PLAN " + by_link));
  SYNCLINE_ASSIGN(const bool has_plan, plan.step());
  access.is_indexed = !has_plan || plan.text(3).starts_with("SEARCH");
  SYNCLINE_ASSIGN(access.select, db_.prepare(by_link, true));
  if (!access.is_indexed && !member.rowid.empty()) {
    SYNCLINE_ASSIGN(access.at_row, db_.prepare(by_link + " AND c." + member.rowid + " = ?" +
                                                   std::to_string(member.link_columns.size() + 1),
                                               true));
  }
  return {};
}

// Without an index, one walk through the table serves all units of a read.
Status UnitReader::extend_map(const MemberLayout& member, Access& access) {
  if (access.has_map) return {};
  access.has_map = true;
  const auto begin = std::chrono::steady_clock::now();
  const std::string rowid = "c." + member.rowid;
  std::vector<std::string> columns{rowid};
  for (const std::string& column : link_sql(member)) columns.push_back(column);
  SYNCLINE_ASSIGN(Statement rows,
                  db_.prepare("SELECT " + join(columns) + " FROM " +
                              quoted(member.table->found_as) + " AS c WHERE " + rowid +
                              (access.map.empty() ? " >= " : " > ") + "?1 ORDER BY " + rowid));
  rows.bind(1, access.map.empty() ? INT64_MIN : access.mapped_to);
  while (true) {
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) break;
    std::vector<Cell> link;
    for (int i = 1; i < rows.columns(); ++i) link.push_back(rows.cell(i));
    access.mapped_to = rows.number(0);
    access.map.emplace(link_hash(link), access.mapped_to);
    if (access.map.size() > kMappedRowsMax) {
      access.map.clear();
      access.at_row.reset();  // from here on each unit looks through the whole table
      break;
    }
  }
  access.scan_ms +=
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return {};
}

Result<bool> UnitReader::is_complete(std::size_t unit, const Position& at) {
  if (!complete_[unit]) return true;
  Statement& check = *complete_[unit];
  for (std::size_t i = 0; i < at.size(); ++i) check.bind(static_cast<int>(i) + 1, at[i]);
  auto holds = check.step();
  check.reset();
  return holds;
}

std::string UnitReader::too_large() const {
  return "is larger than " + core::say_bytes(static_cast<double>(limits_.bytes_max)) + " or has " +
         "more than " + std::to_string(limits_.rows_max) + " rows, and does not travel";
}

Result<UnitReader::Sized> UnitReader::take_rows(const MemberLayout& member, Statement& select,
                                                Rows& out) {
  const int width = static_cast<int>(member.table->columns.size());
  while (true) {
    auto has_row = select.step();
    if (!has_row.ok() || !*has_row) {
      const bool is_one_cell_too_large = !has_row.ok() && is_toobig(db_);
      select.reset();
      if (is_one_cell_too_large) return Sized::kTooLarge;
      if (!has_row.ok()) return has_row.error();
      return Sized::kFits;
    }
    std::vector<Cell> cells;
    cells.reserve(static_cast<std::size_t>(width));
    for (int i = 0; i < width; ++i) {
      cells.push_back(select.cell(i));
      bytes_ += bytes_of(cells.back());
    }
    out.cells.push_back(std::move(cells));
    if (++rows_ > limits_.rows_max || bytes_ > limits_.bytes_max) {
      select.reset();
      return Sized::kTooLarge;
    }
  }
}

Result<UnitReader::Sized> UnitReader::read_linked(const MemberLayout& member, Access& access,
                                                  const std::vector<Cell>& link, Rows& out) {
  const auto bind_link = [&](Statement& statement) {
    for (std::size_t i = 0; i < link.size(); ++i) statement.bind(static_cast<int>(i) + 1, link[i]);
  };
  if (!access.is_indexed && access.at_row) SYNCLINE_TRY(extend_map(member, access));
  if (access.is_indexed || !access.at_row) {
    const auto begin = std::chrono::steady_clock::now();
    bind_link(*access.select);
    const auto taken = take_rows(member, *access.select, out);
    if (!access.is_indexed) {
      access.scan_ms +=
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
              .count();
    }
    return taken;
  }
  const auto [first, last] = access.map.equal_range(link_hash(link));
  for (auto it = first; it != last; ++it) {
    bind_link(*access.at_row);
    access.at_row->bind(static_cast<int>(link.size()) + 1, it->second);
    SYNCLINE_ASSIGN(const Sized sized, take_rows(member, *access.at_row, out));
    if (sized == Sized::kTooLarge) return sized;
  }
  return Sized::kFits;
}

Result<UnitReader::Sized> UnitReader::read_children(std::size_t unit, std::size_t m,
                                                    std::vector<Rows>& rows) {
  const MemberLayout& member = layout_.units[unit].members[m];
  std::set<std::vector<Cell>> links;
  for (const auto& parent : rows[static_cast<std::size_t>(member.parent)].cells) {
    std::vector<Cell> link;
    for (std::size_t column : member.parent_columns) link.push_back(parent[column]);
    const bool has_null = std::any_of(link.begin(), link.end(), [](const Cell& cell) {
      return std::holds_alternative<std::monostate>(cell);
    });
    if (!has_null) links.insert(std::move(link));
  }
  for (const auto& link : links) {
    SYNCLINE_ASSIGN(const Sized sized, read_linked(member, access_[unit][m], link, rows[m]));
    if (sized == Sized::kTooLarge) return sized;
  }
  return Sized::kFits;
}

Result<FoundUnit> UnitReader::read(std::size_t unit, const Position& at) {
  SYNCLINE_TRY(prepare(unit));
  const UnitLayout& layout = layout_.units[unit];
  std::vector<Rows> rows(layout.members.size());
  bytes_ = rows_ = 0;
  FoundUnit found;
  Statement& root = *access_[unit][0].select;
  for (std::size_t i = 0; i < at.size(); ++i) root.bind(static_cast<int>(i) + 1, at[i]);
  SYNCLINE_ASSIGN(Sized sized, take_rows(layout.root(), root, rows[0]));
  if (sized == Sized::kFits && rows[0].cells.empty()) return found;
  SYNCLINE_ASSIGN(const bool is_ready, is_complete(unit, at));
  if (!is_ready) {
    found.state = FoundUnit::kOpen;
    return found;
  }
  for (std::size_t m = 1; m < layout.members.size() && sized == Sized::kFits; ++m) {
    SYNCLINE_ASSIGN(sized, read_children(unit, m, rows));
  }
  if (sized == Sized::kFits) return seal(unit, rows);
  found.state = FoundUnit::kRefused;
  found.why = too_large();
  found.key = layout.root().table->name;  // what names the row may be what is too large
  for (const Cell& cell : at) {
    found.key += " at " + text_of(cell);
  }
  return found;
}

Result<FoundUnit> UnitReader::seal(std::size_t unit, std::vector<Rows>& rows) {
  const UnitLayout& layout = layout_.units[unit];
  FoundUnit found;
  core::Unit out;
  for (std::size_t m = 0; m < layout.members.size(); ++m) {
    const MemberLayout& member = layout.members[m];
    if (rows[m].cells.empty()) continue;
    for (auto& cells : rows[m].cells) SYNCLINE_TRY(names_.translate(member, cells));
    core::TableRows table{member.table->name, {}, {}};
    std::vector<std::size_t> kept;
    for (std::size_t column : member.travelling) {
      const bool is_used =
          !member.table->columns[column].default_value.empty() ||
          std::any_of(rows[m].cells.begin(), rows[m].cells.end(), [&](const auto& cells) {
            return !std::holds_alternative<std::monostate>(cells[column]);
          });
      if (!is_used) continue;
      kept.push_back(column);
      table.columns.push_back(member.table->columns[column].name);
    }
    if (kept.empty()) {  // rows of nothing but NULL: one column keeps their number
      kept.push_back(member.travelling.front());
      table.columns.push_back(member.table->columns[kept[0]].name);
    }
    std::vector<Cell> key;
    for (std::size_t column : m == 0 ? member.key_columns : std::vector<std::size_t>()) {
      key.push_back(rows[0].cells[0][column]);
    }
    if (m == 0) {
      out.key = reconcile::key_text(member.table->name, member.key, key);
      std::vector<Cell> config_key;
      for (std::size_t column : layout.config_key) config_key.push_back(rows[0].cells[0][column]);
      if (!config_key.empty()) {
        out.config_key = reconcile::config_key_of(layout.config_key_names, config_key);
      }
    }
    for (auto& cells : rows[m].cells) {
      std::vector<Cell> row;
      row.reserve(kept.size());
      for (std::size_t column : kept) row.push_back(std::move(cells[column]));
      table.rows.push_back(std::move(row));
    }
    out.tables.push_back(std::move(table));
  }
  reconcile::normalize(out);
  found.key = out.key;
  found.state = FoundUnit::kRefused;
  if (out.key.size() > kKeyBytesMax || out.config_key.text.size() > kConfigKeyBytesMax) {
    found.key.resize(std::min<std::size_t>(found.key.size(), 100));
    found.why = "has a key or config key that is too long, and does not travel";
    return found;
  }
  if (out.tables.size() > limits_.tables_max) {
    found.why = "has rows in more than " + std::to_string(limits_.tables_max) + " tables";
    return found;
  }
  found.sealed = core::seal(out);
  if (found.sealed.bytes.size() > limits_.bytes_max) {
    found.why = too_large();
    found.sealed = {};
    return found;
  }
  found.sealed.schema = layout_.schema_id;
  found.state = FoundUnit::kComplete;
  return found;
}

std::vector<std::string> UnitReader::problems() const {
  std::vector<std::string> lines;
  for (std::size_t u = 0; u < access_.size(); ++u) {
    for (std::size_t m = 0; m < access_[u].size(); ++m) {
      const Access& access = access_[u][m];
      if (access.is_indexed || access.scan_ms < kCostsMs) continue;
      const MemberLayout& member = layout_.units[u].members[m];
      std::vector<std::string> columns;
      for (std::size_t column : member.link_columns) {
        columns.push_back(member.table->columns[column].found_as);
      }
      lines.push_back("table " + member.table->found_as + " has no index on (" + join(columns) +
                      "), so finding rows of new units means looking through all of it (" +
                      core::say_seconds(access.scan_ms / 1000) + "): create one");
    }
  }
  return lines;
}

}  // namespace syncline::collections::sqlite
