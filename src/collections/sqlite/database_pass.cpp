// Rows updated in place: by the column that moves, and by comparison.
#include <algorithm>

#include "collections/sqlite/database_read.hpp"

namespace syncline::collections::sqlite {

using core::Cell;
using core::Result;
using syncline::sqlite::quoted;
using syncline::sqlite::Statement;

namespace {

constexpr std::int64_t kUnindexedRowsMax = 20'000;  // looked through for a column without an index
constexpr std::int64_t kTiesMax = 1000;             // rows of one value that are looked at again
// News wait for the end of a read: comparison takes a slice of this length in one that found none,
// nothing in one that did, and goes on in the read that follows.
constexpr core::Duration kPassSlice = core::milliseconds(5);

// "(a, b) > (?3, ?4)"
std::string is_above(const std::vector<std::string>& columns, int first) {
  std::vector<std::string> parameters;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    parameters.push_back("?" + std::to_string(first + static_cast<int>(i)));
  }
  return "(" + join(columns) + ") > (" + join(parameters) + ")";
}

Position position_of(const Statement& row, int first, std::size_t width) {
  Position at;
  for (std::size_t i = 0; i < width; ++i) at.push_back(row.cell(first + static_cast<int>(i)));
  return at;
}

}  // namespace

Result<bool> DatabaseRead::can_follow_changes(std::size_t unit) {
  const UnitLayout& layout = layout_.units[unit];
  const MemberLayout& root = layout.root();
  const std::string column = column_sql(root, layout.changed_by, "c");
  const std::string table = quoted(root.table->found_as);
  SYNCLINE_ASSIGN(Statement plan, db_.prepare("EXPLAIN QUERY PLAN SELECT 1 FROM " + table +
                                              " AS c WHERE " + column + " >= ?1"));
  SYNCLINE_ASSIGN(const bool has_plan, plan.step());
  if (has_plan && plan.text(3).starts_with("SEARCH")) return true;
  SYNCLINE_ASSIGN(const std::int64_t rows,
                  db_.ask_number("SELECT count(*) FROM (SELECT 1 FROM " + table + " LIMIT " +
                                 std::to_string(kUnindexedRowsMax + 1) + ")"));
  if (rows <= kUnindexedRowsMax) return true;
  change_problems_[unit] =
      "table " + root.table->found_as + " has no index on " +
      root.table->columns[layout.changed_by].found_as +
      " (changed_by), so its updates are found late, by comparison: create one";
  return false;
}

Result<bool> DatabaseRead::follow_changes(std::size_t unit) {
  const UnitLayout& layout = layout_.units[unit];
  if (layout.changed_by == UnitLayout::kNone || changes_seen_.count(unit) > 0) return true;
  SYNCLINE_ASSIGN(const bool is_possible, can_follow_changes(unit));
  ChangedBy& changed = state(unit).changed_by;
  const MemberLayout& root = layout.root();
  const std::string column = column_sql(root, layout.changed_by, "c");
  const std::string from = " FROM " + quoted(root.table->found_as) + " AS c";
  if (!is_possible) {
    changes_seen_.insert(unit);
    return true;
  }
  if (std::holds_alternative<std::monostate>(changed.value)) {
    // What is there at the beginning is followed by rowid or compared.
    SYNCLINE_ASSIGN(Statement highest, db_.prepare("SELECT max(" + column + ")" + from));
    SYNCLINE_ASSIGN(const bool has_row, highest.step());
    if (has_row) changed.value = highest.cell(0);
    changes_seen_.insert(unit);
    return true;
  }
  const std::vector<std::string> position = position_sql(root, "c");
  std::string where = column + " >= ?1";
  if (changed.is_between) {
    where = "(" + column + " > ?1 OR (" + column + " = ?1 AND " + is_above(position, 2) + "))";
  } else {
    SYNCLINE_ASSIGN(Statement ties,
                    db_.prepare("SELECT count(*) FROM (SELECT 1" + from + " WHERE " + column +
                                " = ?1 LIMIT " + std::to_string(kTiesMax + 1) + ")"));
    ties.bind(1, changed.value);
    SYNCLINE_ASSIGN(const bool has_count, ties.step());
    if (has_count && ties.number(0) > kTiesMax) where = column + " > ?1";
  }
  SYNCLINE_ASSIGN(Statement rows,
                  db_.prepare("SELECT " + column + ", " + join(position) + from + " WHERE " +
                              where + " ORDER BY " + column + ", " + join(position)));
  rows.bind(1, changed.value);
  for (std::size_t i = 0; changed.is_between && i < changed.at.size(); ++i) {
    rows.bind(static_cast<int>(i) + 2, changed.at[i]);
  }
  while (true) {
    if (is_time_over()) return false;
    SYNCLINE_ASSIGN(const bool has_row, rows.step());
    if (!has_row) break;
    const Position at = position_of(rows, 1, position.size());
    SYNCLINE_ASSIGN(const Seen seen, consider(unit, at));
    if (seen == Seen::kLimit) return false;
    changed = {rows.cell(0), at, true};
  }
  changed.is_between = false;
  changes_seen_.insert(unit);
  return true;
}

// Always true when its share of time is used up: the rest is compared at later looks.
Result<bool> DatabaseRead::run_pass(std::size_t unit) {
  Pass& pass = state(unit).pass;
  const MemberLayout& root = layout_.units[unit].root();
  if (!pass.is_owed && pass.at.empty()) return true;
  // The first pass over a table without rowids is how its units are found at all.
  const bool is_bounded = !root.rowid.empty() || pass.has_ended;
  const auto begin = std::chrono::steady_clock::now();
  core::Duration slice = std::min(pass_left_, kPassSlice);
  if (!context_.out.units.empty()) slice = core::Duration(0);
  const auto is_share_used = [&] {
    return is_bounded && std::chrono::steady_clock::now() - begin >= slice;
  };
  const std::vector<std::string> position = position_sql(root, "c");
  SYNCLINE_ASSIGN(Statement rows,
                  db_.prepare("SELECT " + join(position) + " FROM " + quoted(root.table->found_as) +
                              " AS c" + (pass.at.empty() ? "" : " WHERE " + is_above(position, 1)) +
                              " ORDER BY " + join(position)));
  for (std::size_t i = 0; i < pass.at.size(); ++i) {
    rows.bind(static_cast<int>(i) + 1, pass.at[i]);
  }
  core::Status failed;
  bool is_end = false;
  bool is_limit = false;
  while (!is_limit && !is_share_used() && !is_time_over()) {
    auto has_row = rows.step();
    if (!has_row.ok()) {
      failed = has_row.error();
      break;
    }
    is_end = !*has_row;
    if (is_end) break;
    const Position at = position_of(rows, 0, position.size());
    auto seen = consider(unit, at);
    if (!seen.ok()) failed = seen.error();
    if (!seen.ok()) break;
    is_limit = *seen == Seen::kLimit;
    if (!is_limit) pass.at = at;
  }
  const bool is_out_of_share = is_share_used();
  if (is_bounded) pass_left_ -= std::chrono::steady_clock::now() - begin;
  if (!failed.ok()) return failed.error();
  if (is_end) pass.finish();
  if (!is_end && is_out_of_share && pass_left_ > core::Duration(0)) context_.out.compares_on = true;
  return is_end || (is_out_of_share && !is_limit);
}

}  // namespace syncline::collections::sqlite
