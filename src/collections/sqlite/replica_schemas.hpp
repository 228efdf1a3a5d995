// The schemas that a replica has seen, each with what it means under the configuration it was
// merged with.
//
// A schema is kept together with the merge rules of the configuration at that time. So a replica
// reads its rows as they were written even after the operator changed the rules; records that come
// later go by the new ones.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"
#include "reconcile/fold.hpp"
#include "reconcile/references.hpp"

namespace syncline::collections::sqlite {

struct TableMeaning {
  reconcile::RowKey key;
  std::string hidden;                            // does not travel; empty: all columns do
  std::vector<reconcile::Reference> references;  // columns whose cells are names of rows
  bool is_root = false;
  // The key does not hold the key of the row above: another unit may come with the same row.
  bool is_movable = false;
};

struct SchemaInfo {
  std::int64_t number = 0;  // in syncline_schemas
  std::string id;
  reconcile::Schema schema;
  std::vector<reconcile::UnitPlan> plans;  // points into `schema`: not to be copied
  reconcile::TableRules rules;
  std::map<std::string, TableMeaning> tables;  // those that take part
  bool has_movable = false;

  SchemaInfo() = default;
  SchemaInfo(const SchemaInfo&) = delete;
  SchemaInfo& operator=(const SchemaInfo&) = delete;
  const TableMeaning* find(const std::string& table) const;
  const std::string* parent_of(const std::string& table, const std::string& column) const;
};

// Fills `info` from the bytes of a schema. kInvalid, kCorrupt: no unit can be read with it.
core::Status understand(std::string_view bytes, const core::CollectionConfig& config,
                        SchemaInfo& info);

// The part of a configuration that says how rows are named and merged.
std::string encode_rules(const core::CollectionConfig& config);
core::Result<core::CollectionConfig> decode_rules(std::string_view bytes);

}  // namespace syncline::collections::sqlite
