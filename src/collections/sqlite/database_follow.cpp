// Following rows by rowid: of root tables, and of child tables up to their roots.
#include <algorithm>

#include "collections/sqlite/database_read.hpp"

namespace syncline::collections::sqlite {

using core::Cell;
using core::Result;
using core::Status;
using syncline::sqlite::quoted;
using syncline::sqlite::Statement;

namespace {

std::uint64_t hash_of_cells(const Statement& row, int first) {
  std::uint64_t hash = 1469598103934665603u;  // FNV-1a
  const auto add = [&](std::string_view bytes) {
    for (unsigned char c : bytes) hash = (hash ^ c) * 1099511628211u;
  };
  for (int i = first; i < row.columns(); ++i) {
    add(row.is_null(i) ? std::string_view("\x00", 1) : std::string_view("\x01", 1));
    const std::string_view bytes = row.bytes(i);
    const std::uint64_t size = bytes.size();
    add({reinterpret_cast<const char*>(&size), sizeof(size)});
    add(bytes);
  }
  return hash;
}

std::int64_t first_above(const std::optional<std::int64_t>& last) {
  return last ? *last + 1 : INT64_MIN;
}
bool is_at_end(const std::optional<std::int64_t>& last) {
  return last && *last == INT64_MAX;
}

}  // namespace

Result<std::optional<Probe>> DatabaseRead::probe_at(const MemberLayout& member,
                                                    std::int64_t rowid) {
  std::vector<std::string> columns{"c." + member.rowid};
  for (std::size_t column : member.key_columns) columns.push_back(column_sql(member, column, "c"));
  SYNCLINE_ASSIGN(Statement select, db_.prepare("SELECT " + join(columns) + " FROM " +
                                                quoted(member.table->found_as) + " AS c WHERE c." +
                                                member.rowid + " = ?1"));
  select.bind(1, rowid);
  SYNCLINE_ASSIGN(const bool has_row, select.step());
  if (!has_row) return std::optional<Probe>();
  return std::optional<Probe>(Probe{rowid, hash_of_cells(select, 1)});
}

// The rows that were there are there still, up to where reading goes on from.
Status DatabaseRead::verify(const MemberLayout& member) {
  if (member.rowid.empty()) return {};
  Follow& followed = follow(member);
  if (!followed.last) return {};
  bool is_moved = false;
  while (!followed.probes.empty()) {
    SYNCLINE_ASSIGN(const auto now, probe_at(member, followed.probes.back().rowid));
    if (now && *now == followed.probes.back()) break;
    followed.probes.pop_back();
    is_moved = true;
  }
  if (!is_moved && !followed.probes.empty()) return {};
  if (followed.probes.empty()) {
    followed.last.reset();
    followed.covered_to.reset();
  } else {
    followed.last = followed.probes.back().rowid;
  }
  followed.orphans.clear();  // their numbers may be other rows' by now
  followed.orphans_beyond = 0;
  return {};
}

Status DatabaseRead::begin_following() {
  const auto& highest = max_rowids_.back();
  for (std::size_t u = 0; u < layout_.units.size(); ++u) {
    const UnitLayout& unit = layout_.units[u];
    const MemberLayout& root = unit.root();
    const Pass& pass = state(u).pass;
    const bool is_root_new =
        root.rowid.empty() ? !pass.has_ended && pass.at.empty() : !follow(root).last.has_value();
    for (std::size_t m = 1; m < unit.members.size(); ++m) {
      const MemberLayout& member = unit.members[m];
      if (member.rowid.empty() || !is_root_new || follow(member).last) continue;
      const auto there = highest.find(member.table->name);
      if (there != highest.end()) follow(member).covered_to = there->second;
    }
  }
  return {};
}

Result<bool> DatabaseRead::look_at_open(std::size_t unit) {
  auto [at, is_first] = open_at_.try_emplace(unit);
  if (is_first) at->second = Position{};
  if (!at->second) return true;
  RootState& root = state(unit);
  for (auto it = root.open.upper_bound(*at->second); it != root.open.end();) {
    if (is_time_over()) return false;
    const Position position = *it;
    SYNCLINE_ASSIGN(const Seen seen, consider(unit, position));
    if (seen == Seen::kLimit) return false;
    at->second = position;
    it = root.open.upper_bound(position);
  }
  at->second.reset();
  return true;
}

Result<bool> DatabaseRead::follow_root(std::size_t unit) {
  const MemberLayout& root = layout_.units[unit].root();
  if (root.rowid.empty()) return true;
  Follow& followed = follow(root);
  if (is_at_end(followed.last)) return true;
  const std::string rowid = "c." + root.rowid;
  SYNCLINE_ASSIGN(Statement rows,
                  db_.prepare("SELECT " + rowid + " FROM " + quoted(root.table->found_as) +
                              " AS c WHERE " + rowid + " >= ?1 ORDER BY " + rowid));
  rows.bind(1, first_above(followed.last));
  std::optional<std::int64_t> done;
  bool is_end = false;
  Status failed;
  while (!is_end && !is_time_over()) {
    auto has_row = rows.step();
    if (!has_row.ok()) {
      failed = has_row.error();
      break;
    }
    is_end = !*has_row;
    if (is_end) break;
    auto seen = consider(unit, {rows.number(0)});
    if (!seen.ok()) failed = seen.error();
    if (!seen.ok() || *seen == Seen::kLimit) break;
    done = rows.number(0);
  }
  if (done) {
    SYNCLINE_ASSIGN(const auto probe, probe_at(root, *done));
    if (probe) followed.move_to(*probe);
  }
  if (!failed.ok()) return failed.error();
  return is_end;
}

// SELECT rowid of the child, position of its root … FROM child LEFT JOIN its parents.
Result<DatabaseRead::ChildQuery*> DatabaseRead::child_query(std::size_t unit, std::size_t m) {
  auto found = child_queries_.find({unit, m});
  if (found != child_queries_.end()) return &found->second;
  const auto& members = layout_.units[unit].members;
  std::string from = quoted(members[m].table->found_as) + " AS t0";
  std::size_t at = m;
  int depth = 0;
  while (members[at].parent >= 0) {
    const auto parent = static_cast<std::size_t>(members[at].parent);
    const std::string child_alias = "t" + std::to_string(depth);
    const std::string parent_alias = "t" + std::to_string(++depth);
    std::vector<std::string> equal;
    for (std::size_t i = 0; i < members[at].link_columns.size(); ++i) {
      equal.push_back(column_sql(members[parent], members[at].parent_columns[i], parent_alias) +
                      " = " + column_sql(members[at], members[at].link_columns[i], child_alias));
    }
    from += " LEFT JOIN " + quoted(members[parent].table->found_as) + " AS " + parent_alias +
            " ON " + join(equal, " AND ");
    at = parent;
  }
  const std::string rowid = "t0." + members[m].rowid;
  const std::string select = "SELECT " + rowid + ", " +
                             join(position_sql(members[0], "t" + std::to_string(depth))) +
                             " FROM " + from + " WHERE ";
  SYNCLINE_ASSIGN(Statement above, db_.prepare(select + rowid + " >= ?1 ORDER BY " + rowid, true));
  SYNCLINE_ASSIGN(Statement one, db_.prepare(select + rowid + " = ?1", true));
  return &child_queries_.emplace(std::pair(unit, m), ChildQuery{std::move(above), std::move(one)})
              .first->second;
}

namespace {
Position root_of(const Statement& row) {
  Position root;
  for (int i = 1; i < row.columns(); ++i) {
    if (row.is_null(i)) return {};
    root.push_back(row.cell(i));
  }
  return root;
}

void remember_orphan(Follow& followed, std::int64_t rowid) {
  if (followed.orphans.size() < kOrphansMax) {
    followed.orphans.insert(rowid);
  } else if (followed.orphans.count(rowid) == 0) {
    ++followed.orphans_beyond;
  }
}
}  // namespace

Result<bool> DatabaseRead::follow_child(std::size_t unit, std::size_t m) {
  const MemberLayout& member = layout_.units[unit].members[m];
  if (member.rowid.empty()) return true;
  Follow& followed = follow(member);
  if (is_at_end(followed.last)) return true;
  SYNCLINE_ASSIGN(ChildQuery* const query, child_query(unit, m));
  Statement& rows = query->above;
  rows.bind(1, first_above(followed.last));
  std::optional<std::int64_t> done;
  Position last_root;
  bool is_end = false;
  Status failed;
  for (unsigned count = 0; !is_end && (count % 16 != 0 || !is_time_over()); ++count) {
    auto has_row = rows.step();
    if (!has_row.ok()) {
      failed = has_row.error();
      break;
    }
    is_end = !*has_row;
    if (is_end) break;
    const std::int64_t rowid = rows.number(0);
    Position root = root_of(rows);
    if (root.empty()) {
      remember_orphan(followed, rowid);
    } else if (root != last_root && (!followed.covered_to || rowid > *followed.covered_to) &&
               !is_covered(unit, root, member, rowid)) {
      auto seen = consider(unit, root);
      if (!seen.ok()) failed = seen.error();
      if (!seen.ok() || *seen == Seen::kLimit) break;
    }
    done = rowid;
    last_root = std::move(root);
  }
  rows.reset();
  if (done) {
    SYNCLINE_ASSIGN(const auto probe, probe_at(member, *done));
    if (probe) followed.move_to(*probe);
  }
  if (!failed.ok()) return failed.error();
  return is_end;
}

Result<bool> DatabaseRead::look_at_orphans(std::size_t unit, std::size_t m) {
  const MemberLayout& member = layout_.units[unit].members[m];
  if (member.rowid.empty() || !orphans_seen_.insert(member.table->name).second) return true;
  Follow& followed = follow(member);
  if (followed.orphans.empty()) {
    followed.orphans_beyond = 0;
    return true;
  }
  SYNCLINE_ASSIGN(ChildQuery* const query, child_query(unit, m));
  Statement& one = query->at;
  for (auto it = followed.orphans.begin(); it != followed.orphans.end();) {
    one.bind(1, *it);
    auto has_row = one.step();
    const Position root = has_row.ok() && *has_row ? root_of(one) : Position{};
    one.reset();
    if (!has_row.ok()) return has_row.error();
    if (*has_row && root.empty()) {
      ++it;
      continue;
    }
    if (*has_row && !is_covered(unit, root, member, *it)) {
      SYNCLINE_ASSIGN(const Seen seen, consider(unit, root));
      if (seen == Seen::kLimit) {
        orphans_seen_.erase(member.table->name);
        return false;
      }
    }
    it = followed.orphans.erase(it);
  }
  return true;
}

}  // namespace syncline::collections::sqlite
