// What units of one database look like: tables and columns resolved once for each version of its
// schema, so that reading rows needs no names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"
#include "reconcile/plan.hpp"
#include "reconcile/references.hpp"
#include "reconcile/schema.hpp"
#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

struct MemberLayout {
  const reconcile::Table* table = nullptr;
  reconcile::RowKey key;
  int parent = -1;                          // position in UnitLayout::members; -1: the root
  std::vector<std::size_t> link_columns;    // columns of this table …
  std::vector<std::size_t> parent_columns;  // … that equal these of the parent
  std::vector<std::size_t> key_columns;     // in the order of key.columns
  std::vector<std::size_t> travelling;      // columns that stand in units, sorted by name
  std::vector<std::string> refers_to;       // per column: table of the row it names; empty: none
  std::string rowid;                        // how SQL calls the rowid here; empty: WITHOUT ROWID
  std::vector<std::size_t> position;        // columns of the position, of a table WITHOUT ROWID
};

struct UnitLayout {
  std::vector<MemberLayout> members;    // root first, each parent before its children
  std::vector<std::size_t> config_key;  // columns of the root
  std::vector<std::string> config_key_names;
  std::size_t changed_by = kNone;  // column of the root
  static constexpr std::size_t kNone = std::size_t(-1);
  const MemberLayout& root() const { return members.front(); }
};

struct Layout {
  reconcile::Schema schema;  // all ordinary tables
  std::vector<reconcile::UnitPlan> plans;
  std::vector<UnitLayout> units;
  std::int64_t schema_cookie = 0;
  std::string schema_id;  // of what travels
  std::string schema_bytes;
  std::vector<std::string> problems;  // what the configuration names and this database lacks

  const MemberLayout* find(const std::string& table) const;
};

// kMissing: the database has no table yet. kInvalid: it has no table that the configuration calls
// the unit, or its columns cannot be told apart.
core::Result<std::shared_ptr<const Layout>> read_layout(syncline::sqlite::Database& db,
                                                        const core::CollectionConfig& config);

// SQL for the position of a row of this table: "c.rowid", or "c.a, c.b".
std::vector<std::string> position_sql(const MemberLayout& member, const std::string& alias);
std::string column_sql(const MemberLayout& member, std::size_t column, const std::string& alias);
std::string join(const std::vector<std::string>& parts, const char* between = ", ");

}  // namespace syncline::collections::sqlite
