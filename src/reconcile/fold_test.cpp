#include "reconcile/fold.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace syncline::reconcile {
namespace {

using core::Cell;

UnitVersion version(std::uint64_t hlc, const char* origin,
                    std::vector<std::pair<std::int64_t, std::int64_t>> rows) {
  UnitVersion v;
  v.hlc = hlc;
  v.origin = core::NodeId(origin);
  v.unit.key = "u";
  core::TableRows table{"t", {"id", "value"}, {}};
  for (auto [id, value] : rows) table.rows.push_back({id, value});
  v.unit.tables.push_back(std::move(table));
  return v;
}

TableRules by_id(core::MergeRule rule = core::MergeRule::kUnion) {
  return {
      {"t", {{KeyKind::kColumns, {"id"}}, rule, rule == core::MergeRule::kLatest ? "value" : ""}}};
}

std::map<std::int64_t, std::int64_t> rows_of(const core::Unit& unit) {
  std::map<std::int64_t, std::int64_t> out;
  for (const auto& row : unit.tables.at(0).rows) {
    out[std::get<std::int64_t>(row[0])] = std::get<std::int64_t>(row[1]);
  }
  return out;
}

TEST(Fold, newer_versions_win_by_row_and_missing_rows_stay) {
  const auto folded =
      fold({version(1, "a", {{1, 10}, {2, 20}}), version(2, "a", {{1, 11}})}, by_id());
  EXPECT_EQ(rows_of(folded.unit), (std::map<std::int64_t, std::int64_t>{{1, 11}, {2, 20}}));
  EXPECT_EQ(folded.contributing, (std::vector<std::size_t>{0, 1}));
}

TEST(Fold, a_version_that_is_covered_by_newer_ones_need_not_be_kept) {
  const auto folded = fold({version(1, "a", {{1, 10}}), version(2, "a", {{1, 11}})}, by_id());
  EXPECT_EQ(folded.contributing, (std::vector<std::size_t>{1}));
}

TEST(Fold, latest_goes_by_the_column_before_the_clock) {
  const auto folded = fold({version(1, "a", {{1, 99}}), version(2, "b", {{1, 5}})},
                           by_id(core::MergeRule::kLatest));
  EXPECT_EQ(rows_of(folded.unit).at(1), 99);
}

TEST(Fold, columns_that_only_some_versions_know_survive) {
  UnitVersion old = version(1, "a", {{1, 10}});
  UnitVersion wide = version(2, "b", {{2, 20}});
  wide.unit.tables[0].columns.push_back("extra");
  wide.unit.tables[0].rows[0].push_back(std::string("x"));
  const auto folded = fold({old, wide}, by_id());
  EXPECT_EQ(folded.unit.tables[0].columns, (std::vector<std::string>{"extra", "id", "value"}));
}

// Any order, any repetition, and folding in two steps: always the same unit.
RC_GTEST_PROP(FoldProperty, is_commutative_associative_and_idempotent, ()) {
  const auto rule = *rc::gen::element(core::MergeRule::kUnion, core::MergeRule::kLatest);
  std::vector<UnitVersion> versions;
  const int count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) {
    std::vector<std::pair<std::int64_t, std::int64_t>> rows;
    for (std::int64_t id = 0; id < 4; ++id) {
      if (*rc::gen::inRange(0, 2) == 1) rows.push_back({id, *rc::gen::inRange(0, 5)});
    }
    versions.push_back(
        version(*rc::gen::inRange<std::uint64_t>(1, 4), *rc::gen::element("a", "b", "c"), rows));
    // One origin never tells two things at one time.
    for (int j = 0; j < i; ++j) {
      if (versions[j].hlc == versions[i].hlc && versions[j].origin == versions[i].origin) {
        versions[i].unit = versions[j].unit;
      }
    }
  }
  const core::Unit all = fold(versions, by_id(rule)).unit;

  std::vector<UnitVersion> shuffled = versions;
  shuffled.push_back(versions[0]);
  std::reverse(shuffled.begin(), shuffled.end());
  std::rotate(shuffled.begin(),
              shuffled.begin() + *rc::gen::inRange<std::size_t>(0, shuffled.size()),
              shuffled.end());
  RC_ASSERT(fold(shuffled, by_id(rule)).unit == all);

  // One by one, keeping only what contributes: what a replica does.
  std::vector<UnitVersion> kept;
  for (const UnitVersion& next : shuffled) {
    kept.push_back(next);
    const Folded step = fold(kept, by_id(rule));
    std::vector<UnitVersion> contributing;
    for (std::size_t i : step.contributing) contributing.push_back(kept[i]);
    kept = std::move(contributing);
  }
  RC_ASSERT(fold(kept, by_id(rule)).unit == all);
}

}  // namespace
}  // namespace syncline::reconcile
