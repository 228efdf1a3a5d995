// Which tables and columns a replica has, and the SQL that gives it those it lacks.
//
// A replica's tables follow from the schemas it has seen, in the order in which they came: the
// first one that knows a column gives it its type and default, a later one adds columns. So this
// model is rebuilt from the stored schemas and never read back from the file.
// - A column's type is one of SQLite's words or left to its affinity; a default is a constant or
//   none: CURRENT_TIMESTAMP would be another value on every node.
// - Unique is what names a row (reconcile::row_key), and nothing else: other UNIQUE constraints
// need
//   not hold for the union of many databases. They become plain indexes.
// - NOT NULL is not kept. Foreign keys are declared where their parent's columns are unique here.
// - Every table has an INTEGER PRIMARY KEY or an index, so that VACUUM keeps its rowids.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/unit.hpp"
#include "reconcile/plan.hpp"
#include "reconcile/schema.hpp"

namespace syncline::collections::sqlite {

enum class Affinity { kBlob, kText, kNumeric, kInteger, kReal };
// SQLite's own rule ("Determination Of Column Affinity").
Affinity affinity_of(std::string_view type);
// Whether the cell comes back as it is from a column of this affinity. A "no" may be wrong, a "yes"
// never is.
bool is_kept(const core::Cell& cell, Affinity affinity);

struct KeptColumn {
  std::string name;
  Affinity affinity = Affinity::kBlob;
  bool has_default = false;
};

struct KeptTable {
  int number = 0;  // in side tables; in the order of creation
  std::string name;
  std::vector<KeptColumn> columns;
  std::string hidden;            // the surrogate that is given anew here; empty: none
  std::vector<std::string> key;  // unique here; empty: only content names a row
  const KeptColumn* find(std::string_view column) const;
  // A name under which SQL sees the rowid; empty if columns took them all.
  std::string rowid() const;
};

class KeptTables {
 public:
  // What must be run for the replica to have all tables of the plans; the model has them then.
  // kInvalid: a name that no replica can have. The model is unchanged.
  core::Result<std::vector<std::string>> take(const reconcile::Schema& schema,
                                              const std::vector<reconcile::UnitPlan>& plans);

  KeptTables copy() const;
  const KeptTable* find(std::string_view table) const;  // letters' case does not count
  const KeptTable* find(int number) const;
  const std::vector<std::unique_ptr<KeptTable>>& all() const { return tables_; }

 private:
  KeptTable* find_own(std::string_view table);
  void create(const reconcile::Table& table, const reconcile::Schema& schema,
              std::vector<std::string>& sql) const;
  void extend(KeptTable& kept, const reconcile::Table& table, std::vector<std::string>& sql) const;
  bool is_declarable(const reconcile::ForeignKey& key) const;

  std::vector<std::unique_ptr<KeptTable>> tables_;
};

}  // namespace syncline::collections::sqlite
