// Many versions of one unit become one: the same, whatever the order in which they arrive.
//
// Per row, by its key: `union` and all others take the row of the newest version that has it, by
// (hlc, origin); `latest` takes the row with the largest value of its column, then the newest
// version. A row that a newer version lacks stays: deletion is not replicated. The versions that
// still contribute a row must be kept, the others may be forgotten.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/unit.hpp"
#include "reconcile/plan.hpp"

namespace syncline::reconcile {

struct TableRule {
  RowKey key;
  core::MergeRule rule = core::MergeRule::kUnion;
  std::string latest_by;
};
using TableRules = std::map<std::string, TableRule>;

struct UnitVersion {
  std::uint64_t hlc = 0;
  core::NodeId origin;
  core::Unit unit;
  // Of the schema this version was read with; null: those given to fold(). With its own rules a
  // row's name depends on the version alone, and never on which other schemas were seen before.
  const TableRules* rules = nullptr;
};

TableRules table_rules(const std::vector<UnitPlan>& plans, const core::CollectionConfig& config);

struct RowOrigin {
  std::size_t version = 0;  // position in `versions`; its columns are those that the row has
  std::string name;         // key_text() of the row
};
struct Folded {
  core::Unit unit;                              // rows sorted, columns united (missing cells NULL)
  std::vector<std::size_t> contributing;        // positions in `versions`, ascending
  std::vector<std::vector<RowOrigin>> origins;  // parallel to the rows of each table of `unit`
};
// REQUIRES: at least one version; all of one unit key.
Folded fold(const std::vector<UnitVersion>& versions, const TableRules& rules);

// Rows sorted and columns sorted by name: equal content, equal bytes.
void normalize(core::Unit& unit);

}  // namespace syncline::reconcile
