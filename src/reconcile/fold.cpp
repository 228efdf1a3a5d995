#include "reconcile/fold.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

namespace syncline::reconcile {

using core::Cell;

namespace {

// SQLite's order of storage classes: NULL, numbers, text, blobs.
int class_of(const Cell& cell) {
  switch (cell.index()) {
    case 0:
      return 0;
    case 1:
    case 2:
      return 1;
    case 3:
      return 2;
    default:
      return 3;
  }
}
double number_of(const Cell& cell) {
  return cell.index() == 1 ? static_cast<double>(std::get<std::int64_t>(cell))
                           : std::get<double>(cell);
}
bool is_less(const Cell& a, const Cell& b) {
  if (class_of(a) != class_of(b)) return class_of(a) < class_of(b);
  if (class_of(a) == 1) {
    if (number_of(a) != number_of(b)) return number_of(a) < number_of(b);
    return false;
  }
  return a < b;
}

struct Candidate {
  std::size_t version = 0;
  const core::TableRows* table = nullptr;
  const std::vector<Cell>* row = nullptr;
};

const Cell* cell_of(const Candidate& candidate, const std::string& column) {
  const auto& columns = candidate.table->columns;
  auto it = std::find(columns.begin(), columns.end(), column);
  return it == columns.end() ? nullptr
                             : &(*candidate.row)[static_cast<std::size_t>(it - columns.begin())];
}

bool is_newer(const UnitVersion& a, const UnitVersion& b) {
  return std::tie(a.hlc, a.origin) > std::tie(b.hlc, b.origin);
}

bool wins(const Candidate& a, const Candidate& b, const TableRule* rule,
          const std::vector<UnitVersion>& versions) {
  if (rule != nullptr && rule->rule == core::MergeRule::kLatest && !rule->latest_by.empty()) {
    static const Cell kNull;
    const Cell* x = cell_of(a, rule->latest_by);
    const Cell* y = cell_of(b, rule->latest_by);
    if (x == nullptr) x = &kNull;
    if (y == nullptr) y = &kNull;
    if (is_less(*x, *y)) return false;
    if (is_less(*y, *x)) return true;
  }
  const UnitVersion& va = versions[a.version];
  const UnitVersion& vb = versions[b.version];
  if (is_newer(va, vb)) return true;
  if (is_newer(vb, va)) return false;
  return *a.row > *b.row;  // one version told twice: any fixed order will do
}

std::string row_name(const Candidate& candidate, const TableRule* rule) {
  std::vector<Cell> cells;
  RowKey whole;
  const RowKey& key = rule != nullptr ? rule->key : whole;
  if (rule == nullptr || key.kind == KeyKind::kContent) {
    whole.columns = candidate.table->columns;
    return key_text(candidate.table->table, whole, *candidate.row);
  }
  for (const std::string& column : key.columns) {
    const Cell* cell = cell_of(candidate, column);
    cells.push_back(cell == nullptr ? Cell{} : *cell);
  }
  return key_text(candidate.table->table, key, cells);
}

}  // namespace

TableRules table_rules(const std::vector<UnitPlan>& plans, const core::CollectionConfig& config) {
  TableRules rules;
  for (const UnitPlan& plan : plans) {
    for (const Member& member : plan.members) {
      TableRule rule;
      rule.key = member.key;
      auto configured = config.tables.find(member.table);
      if (configured != config.tables.end()) {
        rule.rule = configured->second.rule;
        rule.latest_by = configured->second.latest_by;
      }
      rules.emplace(member.table, std::move(rule));
    }
  }
  return rules;
}

void normalize(core::Unit& unit) {
  for (core::TableRows& table : unit.tables) {
    std::vector<std::size_t> order(table.columns.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return table.columns[a] < table.columns[b]; });
    const bool is_sorted = std::is_sorted(table.columns.begin(), table.columns.end());
    if (!is_sorted) {
      std::vector<std::string> columns;
      for (std::size_t i : order) columns.push_back(std::move(table.columns[i]));
      table.columns = std::move(columns);
      for (auto& row : table.rows) {
        std::vector<Cell> cells;
        cells.reserve(row.size());
        for (std::size_t i : order) cells.push_back(std::move(row[i]));
        row = std::move(cells);
      }
    }
    std::sort(table.rows.begin(), table.rows.end());
  }
}

namespace {

const TableRule* rule_of(const UnitVersion& version, const TableRules& rules,
                         const std::string& table) {
  const TableRules& own = version.rules != nullptr ? *version.rules : rules;
  auto found = own.find(table);
  return found == own.end() ? nullptr : &found->second;
}

// Tables in the order of the newest version, then those that only older ones have, by name.
std::vector<std::string> tables_of(const std::vector<UnitVersion>& versions, std::size_t newest) {
  std::vector<std::string> order;
  for (const auto& table : versions[newest].unit.tables) order.push_back(table.table);
  std::set<std::string> others;
  for (const UnitVersion& version : versions) {
    for (const auto& table : version.unit.tables) {
      if (std::find(order.begin(), order.end(), table.table) == order.end()) {
        others.insert(table.table);
      }
    }
  }
  order.insert(order.end(), others.begin(), others.end());
  return order;
}

std::map<std::string, Candidate> winners_of(const std::vector<UnitVersion>& versions,
                                            const TableRules& rules, const std::string& name) {
  std::map<std::string, Candidate> winners;
  for (std::size_t v = 0; v < versions.size(); ++v) {
    const TableRule* rule = rule_of(versions[v], rules, name);
    for (const core::TableRows& table : versions[v].unit.tables) {
      if (table.table != name) continue;
      for (const auto& row : table.rows) {
        const Candidate candidate{v, &table, &row};
        auto [it, is_new] = winners.try_emplace(row_name(candidate, rule), candidate);
        if (!is_new && wins(candidate, it->second, rule, versions)) it->second = candidate;
      }
    }
  }
  return winners;
}

}  // namespace

Folded fold(const std::vector<UnitVersion>& versions, const TableRules& rules) {
  Folded folded;
  std::size_t newest = 0;
  for (std::size_t i = 1; i < versions.size(); ++i) {
    if (is_newer(versions[i], versions[newest])) newest = i;
  }
  folded.unit.key = versions[newest].unit.key;
  folded.unit.config_key = versions[newest].unit.config_key;
  std::set<std::size_t> contributing{newest};
  for (const std::string& name : tables_of(versions, newest)) {
    const std::map<std::string, Candidate> winners = winners_of(versions, rules, name);
    if (winners.empty()) continue;
    std::set<std::string> columns;  // sorted, as normalize() leaves them
    for (const auto& [key, winner] : winners) {
      columns.insert(winner.table->columns.begin(), winner.table->columns.end());
      contributing.insert(winner.version);
    }
    core::TableRows merged{name, {columns.begin(), columns.end()}, {}};
    std::vector<std::pair<std::vector<Cell>, RowOrigin>> rows;
    for (const auto& [key, winner] : winners) {
      std::vector<Cell> row;
      row.reserve(merged.columns.size());
      for (const std::string& column : merged.columns) {
        const Cell* cell = cell_of(winner, column);
        row.push_back(cell == nullptr ? Cell{} : *cell);
      }
      rows.emplace_back(std::move(row), RowOrigin{winner.version, key});
    }
    // Rows that differ by their names alone keep one order on every node: that of the names.
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<RowOrigin>& origins = folded.origins.emplace_back();
    for (auto& [row, origin] : rows) {
      merged.rows.push_back(std::move(row));
      origins.push_back(std::move(origin));
    }
    folded.unit.tables.push_back(std::move(merged));
  }
  folded.contributing.assign(contributing.begin(), contributing.end());
  return folded;
}

}  // namespace syncline::reconcile
