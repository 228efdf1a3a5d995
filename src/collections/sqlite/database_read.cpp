// Portions, and what becomes of a unit that is considered. The ways of finding units are in
// database_follow.cpp and database_pass.cpp.
#include "collections/sqlite/database_read.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;
using core::Result;
using core::Status;
using syncline::sqlite::quoted;
using syncline::sqlite::Statement;
using syncline::sqlite::Transaction;

namespace {
constexpr std::size_t kConsideredMax = 1u << 20;
constexpr std::size_t kWhyMax = 300;
}  // namespace

DatabaseRead::DatabaseRead(LiveDatabase& live, const Layout& layout, Cursor& cursor,
                           ReadContext& context, core::Duration& pass_left)
    : live_(live),
      db_(live.db()),
      layout_(layout),
      cursor_(cursor),
      context_(context),
      pass_left_(pass_left),
      reader_(db_, layout, context.config, context.limits.unit),
      considered_(layout.units.size()) {}

void DatabaseRead::changed() {
  for (std::size_t u = 0; u < layout_.units.size(); ++u) {
    const MemberLayout& root = layout_.units[u].root();
    // All that is there at the beginning is followed; without rowids, it is compared.
    const auto followed = cursor_.tables.find(root.table->name);
    const bool has_begun = followed != cursor_.tables.end() && followed->second.last;
    if (root.rowid.empty() || has_begun) state(u).pass.owe();
  }
}

bool DatabaseRead::is_time_over() const {
  return context_.is_cancelled || std::chrono::steady_clock::now() >= deadline_;
}

Result<DatabaseRead::Left> DatabaseRead::portion() {
  const Cursor before = cursor_;
  const std::size_t units_before = context_.out.units.size();
  const std::size_t bytes_before = context_.bytes;
  auto left = look();
  if (live_.is_as_opened()) return left;
  cursor_ = before;
  context_.out.units.resize(units_before);
  context_.out.seen_at.resize(units_before);
  context_.bytes = bytes_before;
  return Error{ErrorKind::kConflict, "was replaced or written to while it was read", db_.path()};
}

Result<DatabaseRead::Left> DatabaseRead::look() {
  SYNCLINE_ASSIGN(Transaction transaction, Transaction::begin(db_, "BEGIN"));
  SYNCLINE_ASSIGN(const std::int64_t cookie, db_.ask_number("PRAGMA schema_version"));
  if (cookie != layout_.schema_cookie) {
    return Error{ErrorKind::kConflict, "has a new schema", db_.path()};
  }
  cursor_.schema_cookie = cookie;
  deadline_ = std::chrono::steady_clock::now() + context_.limits.transaction_max;
  reader_.begin_snapshot();
  SYNCLINE_TRY(note_max_rowids());
  if (!is_verified_) {
    for (const UnitLayout& unit : layout_.units) {
      for (const MemberLayout& member : unit.members) SYNCLINE_TRY(verify(member));
    }
    SYNCLINE_TRY(begin_following());
    is_verified_ = true;
  }
  for (std::size_t u = 0; u < layout_.units.size(); ++u) {
    SYNCLINE_ASSIGN(const bool are_open_seen, look_at_open(u));
    if (!are_open_seen) return Left::kMore;
    SYNCLINE_ASSIGN(const bool is_root_seen, follow_root(u));
    if (!is_root_seen) return Left::kMore;
    for (std::size_t m = 1; m < layout_.units[u].members.size(); ++m) {
      SYNCLINE_ASSIGN(const bool is_child_seen, follow_child(u, m));
      if (!is_child_seen) return Left::kMore;
      SYNCLINE_ASSIGN(const bool are_orphans_seen, look_at_orphans(u, m));
      if (!are_orphans_seen) return Left::kMore;
    }
    SYNCLINE_ASSIGN(const bool are_changes_seen, follow_changes(u));
    if (!are_changes_seen) return Left::kMore;
  }
  for (std::size_t u = 0; u < layout_.units.size(); ++u) {
    SYNCLINE_ASSIGN(const bool is_pass_done, run_pass(u));
    if (!is_pass_done) return Left::kMore;
  }
  return Left::kNothing;
}

Result<DatabaseRead::Seen> DatabaseRead::consider(std::size_t unit, const Position& at) {
  auto read = reader_.read(unit, at);
  if (!read.ok()) {
    if (read.error().kind != ErrorKind::kCorrupt) return read.error();
    // One damaged page need not hold up what stands on the others.
    std::string key = layout_.units[unit].root().table->name;
    for (const core::Cell& cell : at) {
      key += " at" + reconcile::key_text("", {reconcile::KeyKind::kColumns, {""}}, {cell});
    }
    refuse(key, "stands on damaged pages: " + read.error().what);
    state(unit).open.erase(at);
    return Seen::kDone;
  }
  FoundUnit found = std::move(read).value();
  if (found.state == FoundUnit::kComplete && must_wait(found)) found.state = FoundUnit::kOpen;
  if (found.state == FoundUnit::kComplete && take(unit, at, found) == Seen::kLimit) {
    return Seen::kLimit;
  }
  RootState& root = state(unit);
  if (found.state == FoundUnit::kOpen) {
    if (root.open.size() < kOpenUnitsMax) {
      root.open.insert(at);
    } else {
      root.pass.owe();
    }
  } else {
    root.open.erase(at);
  }
  if (found.state == FoundUnit::kRefused) refuse(found.key, found.why);
  if (considered_[unit].size() >= kConsideredMax) considered_[unit].clear();
  considered_[unit][at] = max_rowids_.size() - 1;
  return Seen::kDone;
}

// Its row names a file that is on its way. A version that was taken before is not held back again.
bool DatabaseRead::must_wait(const FoundUnit& found) {
  const core::AnnounceConfig& announces = context_.config.announces;
  if (context_.named == nullptr || announces.table.empty()) return false;
  if (context_.known.hash_of(found.sealed.key) == found.sealed.hash) return false;
  const auto unit = core::decode_unit(found.sealed.bytes, context_.limits.unit);
  if (!unit.ok()) return false;
  bool waits = false;
  for (const core::TableRows& table : unit->tables) {
    const auto column = std::find(table.columns.begin(), table.columns.end(), announces.column);
    if (table.table != announces.table || column == table.columns.end()) continue;
    const auto at = static_cast<std::size_t>(column - table.columns.begin());
    for (const std::vector<core::Cell>& row : table.rows) {
      const auto* name = std::get_if<std::string>(&row[at]);
      if (name == nullptr || name->empty() || !context_.named->must_wait(*name)) continue;
      waits = true;
      std::set<std::string>& told = context_.out.waiting_for;
      if (told.size() < kWaitingForMax) told.insert(*name);
    }
  }
  if (waits && waiting_.insert(found.sealed.key).second) ++context_.out.waiting_units;
  return waits;
}

DatabaseRead::Seen DatabaseRead::take(std::size_t, const Position&, FoundUnit& found) {
  core::EncodedUnit& unit = found.sealed;
  cursor_.refused.erase(unit.key);
  const auto taken = taken_.find(unit.key);
  const auto last =
      taken != taken_.end() ? std::optional(taken->second) : context_.known.hash_of(unit.key);
  if (last && *last == unit.hash) return Seen::kDone;
  ReadOutcome& out = context_.out;
  if (out.units.size() >= context_.limits.units_max ||
      (!out.units.empty() && context_.bytes + unit.bytes.size() > context_.limits.bytes_max)) {
    return Seen::kLimit;
  }
  context_.bytes += unit.bytes.size();
  taken_[unit.key] = unit.hash;
  out.schemas.emplace(layout_.schema_id, layout_.schema_bytes);
  out.units.push_back(std::move(unit));
  out.seen_at.push_back(context_.now);
  return Seen::kDone;
}

void DatabaseRead::refuse(const std::string& key, const std::string& why) {
  if (cursor_.refused.size() >= kRefusedMax && cursor_.refused.count(key) == 0) return;
  cursor_.refused[key] = why.substr(0, kWhyMax);
}

std::vector<std::string> DatabaseRead::problems() const {
  std::vector<std::string> lines = layout_.problems;
  for (std::string& line : reader_.problems()) lines.push_back(std::move(line));
  for (const auto& [unit, line] : change_problems_) lines.push_back(line);
  return lines;
}

// ── what rows a snapshot has ────────────────────────────────────────────────────────────────────

Status DatabaseRead::note_max_rowids() {
  auto& highest = max_rowids_.emplace_back();
  for (const UnitLayout& unit : layout_.units) {
    for (const MemberLayout& member : unit.members) {
      if (member.rowid.empty()) continue;
      SYNCLINE_ASSIGN(Statement select, db_.prepare("SELECT max(c." + member.rowid + ") FROM " +
                                                    quoted(member.table->found_as) + " AS c"));
      SYNCLINE_ASSIGN(const bool has_row, select.step());
      if (has_row && !select.is_null(0)) highest[member.table->name] = select.number(0);
    }
  }
  return {};
}

bool DatabaseRead::is_covered(std::size_t unit, const Position& root, const MemberLayout& member,
                              std::int64_t rowid) {
  const MemberLayout& root_member = layout_.units[unit].root();
  if (!root_member.rowid.empty()) {
    const Follow& followed = follow(root_member);
    // The root is still to be followed; its unit is read then, with this row.
    if (!followed.last || std::get<std::int64_t>(root[0]) > *followed.last) return true;
  }
  const auto seen = considered_[unit].find(root);
  if (seen == considered_[unit].end()) return false;
  const auto& highest = max_rowids_[seen->second];
  const auto there = highest.find(member.table->name);
  return there != highest.end() && rowid <= there->second;
}

}  // namespace syncline::collections::sqlite
