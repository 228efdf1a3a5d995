#include "routing/router.hpp"

#include <algorithm>

#include "routing/rank.hpp"
#include "routing/reasons.hpp"

namespace syncline::routing {

// ── contents ────────────────────────────────────────────────────────────────────────────────────

NodeIndex Router::index_of(const core::NodeId& id) const {
  const auto at =
      std::lower_bound(nodes_.begin(), nodes_.end(), id,
                       [](const NodeView& node, const core::NodeId& key) { return node.id < key; });
  if (at == nodes_.end() || at->id != id) return kNoNode;
  return static_cast<NodeIndex>(at - nodes_.begin());
}

NameNumber Router::number_of(const std::string& name) {
  if (name.empty()) return 0;
  return names_.try_emplace(name, static_cast<NameNumber>(names_.size() + 1)).first->second;
}

Cell Router::cell_of(const NodeView& node, const Policy& policy) {
  return make_cell(node, policy, number_of(node.domain.provider), number_of(node.domain.storage));
}

void Router::put(NodeView node) {
  NodeIndex index = index_of(node.id);
  if (index == kNoNode) {
    const auto at = std::lower_bound(
        nodes_.begin(), nodes_.end(), node.id,
        [](const NodeView& other, const core::NodeId& key) { return other.id < key; });
    index = static_cast<NodeIndex>(at - nodes_.begin());
    nodes_.insert(at, std::move(node));
    for (auto& [name, table] : tables_) table.cells.insert(table.cells.begin() + index, Cell{});
  } else {
    if (nodes_[index] == node) return;
    nodes_[index] = std::move(node);
  }
  for (auto& [name, table] : tables_) {
    table.cells[index] = cell_of(nodes_[index], table.policy);
  }
}

void Router::remove(const core::NodeId& id) {
  const NodeIndex index = index_of(id);
  if (index == kNoNode) return;
  nodes_.erase(nodes_.begin() + index);
  for (auto& [name, table] : tables_) table.cells.erase(table.cells.begin() + index);
}

void Router::set_policy(Policy policy) {
  Table table{std::move(policy), {}};
  table.cells.reserve(nodes_.size());
  for (const NodeView& node : nodes_) table.cells.push_back(cell_of(node, table.policy));
  tables_[table.policy.collection] = std::move(table);
}

const NodeView* Router::find(const core::NodeId& id) const {
  const NodeIndex index = index_of(id);
  return index == kNoNode ? nullptr : &nodes_[index];
}

const Policy* Router::policy(const core::CollectionName& collection) const {
  const auto table = tables_.find(collection);
  return table == tables_.end() ? nullptr : &table->second.policy;
}

// ── questions ───────────────────────────────────────────────────────────────────────────────────

std::vector<bool> Router::flags_of(const std::vector<core::NodeId>& ids) const {
  std::vector<bool> flags(nodes_.size(), false);
  for (const core::NodeId& id : ids) {
    const NodeIndex index = index_of(id);
    if (index != kNoNode) flags[index] = true;
  }
  return flags;
}

std::vector<bool> Router::matching(const std::vector<std::string>& globs) const {
  std::vector<bool> flags;
  if (globs.empty()) return flags;
  flags.reserve(nodes_.size());
  for (const NodeView& node : nodes_) flags.push_back(core::any_glob_matches(globs, node.id.text));
  return flags;
}

TargetQuestion Router::question(const Table& table, const Job& job) const {
  TargetQuestion question;
  question.job = &job;
  question.policy = &table.policy;
  question.is_config_key_placed =
      job.config_key.empty() ||
      core::any_glob_matches(table.policy.placement.config_keys, job.config_key.text);
  question.from = job.from.empty() ? kNoNode : index_of(job.from);
  if (question.from != kNoNode) {
    question.from_provider = table.cells[question.from].provider;
    question.from_storage = table.cells[question.from].storage;
  }
  if (!job.only.empty()) question.is_named = flags_of(job.only);
  question.is_excluded = matching(job.exclude);
  return question;
}

SourceQuestion Router::question(const Table& table, const Pull& pull) const {
  SourceQuestion question;
  question.pull = &pull;
  question.policy = &table.policy;
  question.to = pull.to.empty() ? kNoNode : index_of(pull.to);
  if (question.to != kNoNode) question.to_provider = table.cells[question.to].provider;
  question.is_holder = flags_of(pull.holders);
  question.is_excluded = matching(pull.exclude);
  return question;
}

template <typename Question>
Route Router::route(const Table& table, const Question& question) const {
  Route route;
  route.reserve(table.cells.size());
  for (NodeIndex node = 0; node < table.cells.size(); ++node) {
    const Cell& cell = table.cells[node];
    if (block_of(cell, node, question) != Block::kNone) continue;
    route.push_back({node, points_of(cell, question)});
  }
  order_by_points(route);
  return route;
}

template <typename Question>
std::vector<facade::RouteVerdict> Router::explain(const Table& table, const Question& question,
                                                  std::size_t chosen_max) const {
  std::vector<facade::RouteVerdict> verdicts;
  for (const Ranked& ranked : route(table, question)) {
    const NodeView& node = nodes_[ranked.node];
    facade::RouteVerdict verdict;
    verdict.node = node.id.text;
    verdict.is_chosen = chosen_max == 0 || verdicts.size() < chosen_max;
    verdict.score = ranked.points / double{kPoint};
    verdict.reason = reason_of(node, table.cells[ranked.node], question);
    if (!verdict.is_chosen) {
      verdict.reason = "enough others rank higher (" + verdict.reason + ")";
    }
    verdicts.push_back(std::move(verdict));
  }
  for (NodeIndex index = 0; index < table.cells.size(); ++index) {
    const Block block = block_of(table.cells[index], index, question);
    if (block == Block::kNone) continue;
    facade::RouteVerdict verdict;
    verdict.node = nodes_[index].id.text;
    verdict.reason = reason_of(block, nodes_[index], question);
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

Route Router::targets(const Job& job) const {
  const auto table = tables_.find(job.collection);
  if (table == tables_.end()) return {};
  return route(table->second, question(table->second, job));
}

Route Router::sources(const Pull& pull) const {
  const auto table = tables_.find(pull.collection);
  if (table == tables_.end()) return {};
  return route(table->second, question(table->second, pull));
}

std::vector<core::NodeId> Router::target_ids(const Job& job) const {
  std::vector<core::NodeId> ids;
  for (const Ranked& ranked : targets(job)) ids.push_back(id_of(ranked.node));
  return ids;
}

std::vector<core::NodeId> Router::source_ids(const Pull& pull) const {
  std::vector<core::NodeId> ids;
  for (const Ranked& ranked : sources(pull)) ids.push_back(id_of(ranked.node));
  return ids;
}

std::vector<facade::RouteVerdict> Router::explain_targets(const Job& job,
                                                          std::size_t chosen_max) const {
  const auto table = tables_.find(job.collection);
  if (table == tables_.end()) return {};
  return explain(table->second, question(table->second, job), chosen_max);
}

std::vector<facade::RouteVerdict> Router::explain_sources(const Pull& pull,
                                                          std::size_t chosen_max) const {
  const auto table = tables_.find(pull.collection);
  if (table == tables_.end()) return {};
  return explain(table->second, question(table->second, pull), chosen_max);
}

int Router::distinct_domains(const std::set<core::NodeId>& nodes,
                             const core::NodeId& origin) const {
  std::vector<const Domain*> holders;
  for (const core::NodeId& id : nodes) {
    const NodeView* node = find(id);
    if (node != nullptr) holders.push_back(&node->domain);
  }
  const NodeView* from = origin.empty() ? nullptr : find(origin);
  return routing::distinct_domains(holders, from == nullptr ? nullptr : &from->domain);
}

}  // namespace syncline::routing
