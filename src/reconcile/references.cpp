#include "reconcile/references.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace syncline::reconcile {

namespace {

const Member* member_of(const std::vector<UnitPlan>& plans, const std::string& table) {
  for (const UnitPlan& plan : plans) {
    for (const Member& member : plan.members) {
      if (member.table == table) return &member;
    }
  }
  return nullptr;
}

// Where the number in this column comes from; empty: from nowhere, the cell speaks for itself.
std::string origin_of(const Schema& schema, const std::vector<UnitPlan>& plans, const Table& table,
                      const std::string& column,
                      std::set<std::pair<std::string, std::string>>& visited) {
  if (!visited.insert({table.name, column}).second) return {};
  for (const ForeignKey& key : table.foreign_keys) {
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      if (key.columns[i] != column) continue;
      const Table* parent = schema.find(key.parent);
      const Member* member = member_of(plans, key.parent);
      if (parent == nullptr || member == nullptr) continue;
      if (hidden_column(*parent, member->key) == key.parent_columns[i]) return key.parent;
      std::string further = origin_of(schema, plans, *parent, key.parent_columns[i], visited);
      if (!further.empty()) return further;
    }
  }
  return {};
}

}  // namespace

std::string hidden_column(const Table& table, const RowKey& key) {
  std::string surrogate = table.surrogate();
  const bool is_named =
      std::find(key.columns.begin(), key.columns.end(), surrogate) != key.columns.end();
  return is_named ? std::string() : surrogate;
}

std::vector<Reference> references_of(const Schema& schema, const std::vector<UnitPlan>& plans,
                                     const std::string& table) {
  std::vector<Reference> references;
  const Table* found = schema.find(table);
  if (found == nullptr) return references;
  for (const Column& column : found->columns) {
    std::set<std::pair<std::string, std::string>> visited;
    std::string parent = origin_of(schema, plans, *found, column.name, visited);
    if (!parent.empty()) references.push_back({column.name, std::move(parent)});
  }
  return references;
}

Schema travelling(const Schema& schema, const std::vector<UnitPlan>& plans) {
  Schema out;
  for (const auto& [name, table] : schema.tables) {
    if (member_of(plans, name) == nullptr) continue;
    Table& kept = out.tables.emplace(name, table).first->second;
    std::erase_if(kept.foreign_keys,
                  [&](const ForeignKey& key) { return member_of(plans, key.parent) == nullptr; });
  }
  return out;
}

}  // namespace syncline::reconcile
