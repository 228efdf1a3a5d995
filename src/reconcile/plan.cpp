#include "reconcile/plan.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

#include "core/bytes.hpp"
#include "core/nearest.hpp"
#include "core/sha256.hpp"

namespace syncline::reconcile {

namespace {

bool takes_part(const Table& table, const core::CollectionConfig& config) {
  const auto& excluded = config.tables_exclude;
  if (std::find(excluded.begin(), excluded.end(), table.name) != excluded.end()) return false;
  auto configured = config.tables.find(table.name);
  return configured == config.tables.end() || configured->second.rule != core::MergeRule::kDerived;
}

const core::TableConfig* config_of(const core::CollectionConfig& config, const std::string& table) {
  auto it = config.tables.find(table);
  return it == config.tables.end() ? nullptr : &it->second;
}

// The unit of this root: breadth first, so a table hangs on the shortest way to the root.
UnitPlan plan_from(const Schema& schema, const core::CollectionConfig& config,
                   const std::string& root, std::set<std::string>& taken) {
  UnitPlan plan;
  plan.members.push_back({root, -1, nullptr, row_key(*schema.find(root), config_of(config, root))});
  taken.insert(root);
  for (std::size_t at = 0; at < plan.members.size(); ++at) {
    const std::string parent = plan.members[at].table;
    for (const auto& [name, table] : schema.tables) {
      if (taken.count(name) > 0 || !takes_part(table, config)) continue;
      for (const ForeignKey& key : table.foreign_keys) {
        if (key.parent != parent) continue;
        taken.insert(name);
        plan.members.push_back(
            {name, static_cast<int>(at), &key, row_key(table, config_of(config, name))});
        break;
      }
    }
  }
  return plan;
}

std::string cell_text(const core::Cell& cell) {
  struct {
    std::string operator()(std::monostate) const { return "~"; }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const {
      char text[40];
      std::snprintf(text, sizeof(text), "%.17g", v);
      return text;
    }
    std::string operator()(const std::string& v) const { return v; }
    std::string operator()(const core::Blob& v) const { return to_hex(core::sha256(v.bytes)); }
  } writer;
  return std::visit(writer, cell);
}

}  // namespace

RowKey row_key(const Table& table, const core::TableConfig* configured) {
  if (configured != nullptr && !configured->key.empty()) {
    return {KeyKind::kColumns, configured->key};
  }
  const std::vector<std::string> primary = table.primary_key();
  const std::string surrogate = table.surrogate();
  if (!primary.empty() && surrogate.empty()) return {KeyKind::kColumns, primary};
  for (const auto& unique : table.uniques) {
    const bool is_natural = std::find(unique.begin(), unique.end(), surrogate) == unique.end();
    if (is_natural && !unique.empty()) return {KeyKind::kColumns, unique};
  }
  RowKey content;
  for (const Column& column : table.columns) {
    if (column.name != surrogate) content.columns.push_back(column.name);
  }
  if (content.columns.empty()) return {KeyKind::kColumns, primary};
  std::sort(content.columns.begin(), content.columns.end());
  return content;
}

core::Result<std::vector<UnitPlan>> plan_units(const Schema& schema,
                                               const core::CollectionConfig& config) {
  std::vector<UnitPlan> plans;
  std::set<std::string> taken;
  if (!config.unit.empty()) {
    if (schema.find(config.unit) == nullptr) {
      std::vector<std::string> names;
      for (const auto& [name, table] : schema.tables) names.push_back(name);
      return core::Error{core::ErrorKind::kInvalid,
                         "there is no table '" + config.unit + "' (collection." + "unit)" +
                             core::did_you_mean(config.unit, names),
                         ""};
    }
    plans.push_back(plan_from(schema, config, config.unit, taken));
  } else {
    for (const auto& [name, table] : schema.tables) {
      if (!takes_part(table, config) || taken.count(name) > 0) continue;
      const bool refers = std::any_of(table.foreign_keys.begin(), table.foreign_keys.end(),
                                      [&, own = name](const ForeignKey& key) {
                                        return key.parent != own && schema.find(key.parent);
                                      });
      if (!refers) plans.push_back(plan_from(schema, config, name, taken));
    }
    for (const auto& [name, table] : schema.tables) {  // circles of references
      if (takes_part(table, config) && taken.count(name) == 0) {
        plans.push_back(plan_from(schema, config, name, taken));
      }
    }
  }
  for (std::size_t p = 0; p < plans.size(); ++p) {  // what the units refer to
    for (std::size_t m = 0; m < plans[p].members.size(); ++m) {
      const Table* table = schema.find(plans[p].members[m].table);
      for (const ForeignKey& key : table->foreign_keys) {
        const Table* parent = schema.find(key.parent);
        if (parent == nullptr || taken.count(key.parent) > 0) continue;
        if (!takes_part(*parent, config)) continue;
        taken.insert(key.parent);
        plans.push_back(
            {{{key.parent, -1, nullptr, row_key(*parent, config_of(config, key.parent))}}});
      }
    }
  }
  return plans;
}

std::string key_text(const std::string& table, const RowKey& key,
                     const std::vector<core::Cell>& cells) {
  if (key.kind == KeyKind::kColumns) {
    std::string text = table + ":";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) text += '\x1f';
      text += cell_text(cells[i]);
    }
    return text;
  }
  core::Unit row;
  core::TableRows content{table, {}, {{}}};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (std::holds_alternative<std::monostate>(cells[i])) continue;
    content.columns.push_back(key.columns[i]);
    content.rows[0].push_back(cells[i]);
  }
  row.tables.push_back(std::move(content));
  return table + "#" + to_hex(core::sha256(encode(row)));
}

core::ConfigKey config_key_of(const std::vector<std::string>& columns,
                              const std::vector<core::Cell>& cells) {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) text += '_';
    std::string part = cell_text(cells[i]);
    for (char& c : part) {
      if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < ' ') c = '-';
    }
    text += part;
    if (columns[i] == "num_players") text += 'p';
  }
  return core::ConfigKey(text);
}

}  // namespace syncline::reconcile
