#include "collections/sqlite/names.hpp"

#include <algorithm>

#include "reconcile/plan.hpp"

namespace syncline::collections::sqlite {

using core::Cell;
using core::Result;
using core::Status;
using syncline::sqlite::quoted;
using syncline::sqlite::Statement;

namespace {
constexpr std::size_t kChainMax = 1000;
constexpr std::size_t kKnownMax = 200'000;
}  // namespace

Statement* Names::statement(const MemberLayout& member, Status& status) {
  const std::string& table = member.table->name;
  auto found = statements_.find(table);
  if (found != statements_.end()) return &found->second;
  const std::string id = "r." + quoted(member.table->find(member.table->surrogate())->found_as);
  std::vector<std::string> columns{id};
  for (std::size_t column : member.key_columns) columns.push_back(column_sql(member, column, "r"));
  auto made = db_.prepare("SELECT " + join(columns) + " FROM " + quoted(member.table->found_as) +
                              " AS r WHERE " + id + " = ?1",
                          true);
  if (!made.ok()) {
    status = made.error();
    return nullptr;
  }
  return &statements_.emplace(table, std::move(made).value()).first->second;
}

Result<Names::Outcome> Names::name_of(const std::string& table, const Cell& id) {
  const MemberLayout& member = *layout_.find(table);
  if (const auto* number = std::get_if<std::int64_t>(&id)) {
    auto known = known_.find({table, *number});
    if (known != known_.end()) return Outcome{Outcome::kName, known->second, 0};
  }
  Status status;
  Statement* select = statement(member, status);
  if (select == nullptr) return status.error();
  select->bind(1, id);
  auto has_row = select->step();
  std::int64_t row_id = 0;
  std::vector<Cell> cells;
  if (has_row.ok() && *has_row) {
    row_id = select->number(0);
    for (int i = 1; i < select->columns(); ++i) cells.push_back(select->cell(i));
  }
  select->reset();  // the statement is needed again for rows further on
  if (!has_row.ok()) return has_row.error();
  if (!*has_row) return Outcome{};
  const auto on_stack = std::find(stack_.begin(), stack_.end(), Row{table, row_id});
  if (on_stack != stack_.end()) {
    return Outcome{Outcome::kCircle, "", static_cast<std::size_t>(on_stack - stack_.begin())};
  }
  if (stack_.size() > kChainMax) return Outcome{Outcome::kCircle, "", 0};
  return make_name(member, row_id, std::move(cells));
}

Result<Names::Outcome> Names::make_name(const MemberLayout& member, std::int64_t id,
                                        std::vector<Cell> cells) {
  const std::string& table = member.table->name;
  const std::size_t self = stack_.size();
  stack_.push_back({table, id});
  bool refers = false;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string& parent = member.refers_to[member.key_columns[i]];
    if (parent.empty() || std::holds_alternative<std::monostate>(cells[i])) continue;
    refers = true;
    auto named = name_of(parent, cells[i]);
    if (!named.ok() || (named->kind == Outcome::kCircle && named->circle_to < self)) {
      stack_.pop_back();
      return named;
    }
    cells[i] = named->kind == Outcome::kName ? Cell(std::move(named->name)) : Cell();
  }
  stack_.pop_back();
  std::string name = reconcile::key_text(table, member.key, cells);
  // A name made of further names may have been cut where a chain is too long: where it is cut
  // depends on where one begins, so only plain names are remembered.
  if (!refers) {
    if (known_.size() >= kKnownMax) known_.clear();
    known_.emplace(Row{table, id}, name);
  }
  return Outcome{Outcome::kName, std::move(name), 0};
}

Status Names::translate(const MemberLayout& member, std::vector<Cell>& cells) {
  const std::string surrogate = member.table->surrogate();
  stack_.clear();
  Row self{member.table->name, 0};
  if (!surrogate.empty()) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (member.table->columns[i].name != surrogate) continue;
      if (const auto* number = std::get_if<std::int64_t>(&cells[i])) self.second = *number;
    }
  } else {
    self.first.clear();  // nothing refers to this table by number
  }
  stack_.push_back(std::move(self));
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string& parent = member.refers_to[i];
    if (parent.empty() || std::holds_alternative<std::monostate>(cells[i])) continue;
    SYNCLINE_ASSIGN(Outcome named, name_of(parent, cells[i]));
    cells[i] = named.kind == Outcome::kName ? Cell(std::move(named.name)) : Cell();
  }
  return {};
}

}  // namespace syncline::collections::sqlite
