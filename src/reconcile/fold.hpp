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

struct UnitVersion {
  std::uint64_t hlc = 0;
  core::NodeId origin;
  core::Unit unit;
};

struct TableRule {
  RowKey key;
  core::MergeRule rule = core::MergeRule::kUnion;
  std::string latest_by;
};
using TableRules = std::map<std::string, TableRule>;
TableRules table_rules(const std::vector<UnitPlan>& plans, const core::CollectionConfig& config);

struct Folded {
  core::Unit unit;                          // rows sorted, columns united (missing cells NULL)
  std::vector<std::size_t> contributing;    // positions in `versions`, ascending
};
// REQUIRES: at least one version; all of one unit key.
Folded fold(const std::vector<UnitVersion>& versions, const TableRules& rules);

// Rows sorted and columns sorted by name: equal content, equal bytes.
void normalize(core::Unit& unit);

}  // namespace syncline::reconcile
