// Numbers that mean nothing elsewhere, and what stands in their place in a unit.
//
// A surrogate primary key gets another value in every database, so no unit carries it. A foreign
// key onto one carries, as text, the natural key of the row that it refers to: key_text() of that
// row. Where the column referred to is itself such a foreign key, both carry the same text.
// docs/formats/unit.md has the rule in full; sources write by it, replicas read by it.
#pragma once

#include <string>
#include <vector>

#include "reconcile/plan.hpp"
#include "reconcile/schema.hpp"

namespace syncline::reconcile {

// The column of a table that does not travel: its surrogate, unless the key names the row by it.
// Empty: all columns travel.
std::string hidden_column(const Table& table, const RowKey& key);

// A column whose cells travel as key_text of a row of `parent` (NULL: of none). `parent` is where
// the number comes from: the table whose hidden column it is in the end.
struct Reference {
  std::string column;
  std::string parent;
  bool operator==(const Reference&) const = default;
};

// In the order of the table's columns; only onto tables that take part in one of the plans.
// A foreign key onto anything else is an ordinary column.
std::vector<Reference> references_of(const Schema& schema, const std::vector<UnitPlan>& plans,
                                     const std::string& table);

// The tables that take part in the plans, and foreign keys among them: what travels with units.
Schema travelling(const Schema& schema, const std::vector<UnitPlan>& plans);

}  // namespace syncline::reconcile
