// Which tables make a unit, in which order, and what names each row.
//
// The root is configured (`unit = "games"`), or each table that refers to no other. Every table
// that reaches a root by foreign keys belongs to its unit; a table that a unit's rows refer to and
// that is no part of it is a root of its own, so that the reference leads somewhere.
#pragma once

#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"
#include "core/unit.hpp"
#include "reconcile/schema.hpp"

namespace syncline::reconcile {

enum class KeyKind { kColumns, kContent };

// What names a row on every node: configured, else a primary key that is not a surrogate, else a
// UNIQUE constraint, else all columns but the surrogate (the surrogate where there is no other).
struct RowKey {
  KeyKind kind = KeyKind::kContent;
  std::vector<std::string> columns;
};
RowKey row_key(const Table& table, const core::TableConfig* configured);

struct Member {
  std::string table;
  int parent = -1;                   // position in UnitPlan::members; -1: the root
  const ForeignKey* link = nullptr;  // to the parent; null for the root
  RowKey key;
};
struct UnitPlan {
  std::vector<Member> members;  // each parent before its children
};
// kInvalid: the configured root is not there.
core::Result<std::vector<UnitPlan>> plan_units(const Schema& schema,
                                               const core::CollectionConfig& config);

// "games:g-17", or "match_history#<hash>" for rows that only their content names. Cells in the
// order of key.columns; for kContent: all but the surrogate, by name, and NULL cells do not count,
// so that a row is named alike by databases whose schemas differ by columns it does not use.
std::string key_text(const std::string& table, const RowKey& key,
                     const std::vector<core::Cell>& cells);

// hex8 and 2 make "hex8_2p": parts joined by '_', a number of players marked with 'p'.
core::ConfigKey config_key_of(const std::vector<std::string>& columns,
                              const std::vector<core::Cell>& cells);

}  // namespace syncline::reconcile
