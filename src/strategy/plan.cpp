#include "strategy/plan.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "strategy/missing.hpp"

namespace syncline::strategy {

namespace {

using core::NodeId;
using core::StrategyName;

StrategyChoice strategy_of(const View& view, const core::CollectionConfig& collection) {
  const routing::NodeView* self = view.router->find(view.self);
  return choose_strategy(collection, self == nullptr ? routing::NodeView{} : *self);
}

routing::Job push_job(const View& view, const core::CollectionName& collection,
                      std::uint64_t bytes) {
  routing::Job job;
  job.collection = collection;
  job.bytes = bytes;
  job.from = view.self;
  job.is_link_required = true;
  job.now = view.now;
  return job;
}

// Enough receivers for new data to be durable. Safety goes before placement: where those that want
// it are too few, anybody holds it.
routing::Receivers receivers_of(const View& view, const core::CollectionName& collection,
                                std::uint64_t bytes) {
  routing::Job job = push_job(view, collection, bytes);
  routing::Receivers chosen =
      view.router->choose_receivers(job, view.acks, view.extra_pushes, view.slow);
  if (chosen.domains >= view.acks) return chosen;
  job.is_placement_waived = true;
  routing::Receivers wider =
      view.router->choose_receivers(job, view.acks, view.extra_pushes, view.slow);
  if (wider.domains <= chosen.domains) return chosen;
  wider.why += ", some of which the placement does not name: safety goes first";
  return wider;
}

bool leads(const View& view) {
  return view.leader == view.self;
}

// Receivers for safety first, then everybody else who wants it: what a leader broadcasts.
std::vector<NodeId> broadcast_targets(const View& view, const core::CollectionName& collection,
                                      std::uint64_t bytes, std::vector<NodeId> first) {
  for (const NodeId& target : view.router->target_ids(push_job(view, collection, bytes))) {
    if (std::find(first.begin(), first.end(), target) == first.end()) first.push_back(target);
  }
  return first;
}

std::string say_strategy(const StrategyChoice& strategy, const routing::Receivers& receivers) {
  return std::string(core::to_string(strategy.strategy)) + " (" + strategy.why +
         "): " + receivers.why;
}

void say_if_too_few(const View& view, const core::CollectionName& collection,
                    const routing::Receivers& receivers, Plan& plan) {
  if (receivers.domains < view.acks) {
    plan.problems.push_back(collection.text + " is not durable yet: " + receivers.why);
  }
}

struct Targets {
  std::vector<NodeId> nodes;
  std::string why;
};

Targets targets_of_new(const View& view, const core::CollectionConfig& collection,
                       std::uint64_t bytes, Plan& plan) {
  const StrategyChoice strategy = strategy_of(view, collection);
  const routing::Receivers receivers = receivers_of(view, collection.name, bytes);
  say_if_too_few(view, collection.name, receivers, plan);
  Targets targets{receivers.nodes, say_strategy(strategy, receivers)};
  if (strategy.strategy == StrategyName::kBroadcast && leads(view)) {
    targets.nodes = broadcast_targets(view, collection.name, bytes, std::move(targets.nodes));
    targets.why +=
        "; as the leader, to all " + core::say_count(targets.nodes.size(), "eligible node");
  }
  return targets;
}

void on(const RecordsWritten& event, const View& view, Plan& plan) {
  const core::CollectionConfig* collection = find_collection(view, event.log.collection);
  if (collection == nullptr || event.seqs.empty()) return;
  Targets targets = targets_of_new(view, *collection, event.bytes, plan);
  if (targets.nodes.empty()) return;
  plan.intents.push_back(PushRecords{event.log, event.seqs, std::move(targets.nodes), view.acks,
                                     std::move(targets.why)});
}

void on(const ObjectPublished& event, const View& view, Plan& plan) {
  const core::CollectionConfig* collection = find_collection(view, event.collection);
  if (collection == nullptr) return;
  Targets targets = targets_of_new(view, *collection, event.bytes, plan);
  if (targets.nodes.empty()) return;
  plan.intents.push_back(PushObject{event.collection, event.path, event.root,
                                    std::move(targets.nodes), std::move(targets.why)});
}

void on(const FleetChanged&, const View& view, Plan& plan) {
  add_pulls(view, plan.intents);
  add_pushes_to_agentless(view, plan.intents);
  add_problems(view, plan.problems);
}

// The leader looks at everybody, for the collections that are broadcast.
void broadcast_what_is_missing(const View& view, Plan& plan) {
  if (!leads(view)) return;
  std::set<core::CollectionName> broadcast;
  for (const core::CollectionConfig& collection : *view.collections) {
    if (strategy_of(view, collection).strategy == StrategyName::kBroadcast) {
      broadcast.insert(collection.name);
    }
  }
  if (broadcast.empty()) return;
  for (const routing::NodeView& node : view.router->nodes()) {
    if (!node.has_daemon) continue;  // theirs is done by the first holder
    std::vector<Intent> pushes;
    add_pushes_to(view, node.id, "broadcast by the leader: " + node.id.text + " lacks it", pushes);
    for (Intent& push : pushes) {
      const auto* records = std::get_if<PushRecords>(&push);
      const auto* object = std::get_if<PushObject>(&push);
      const core::CollectionName& name =
          records != nullptr ? records->log.collection : object->collection;
      if (broadcast.count(name) > 0) plan.intents.push_back(std::move(push));
    }
  }
}

void on(const PeriodPassed&, const View& view, Plan& plan) {
  on(FleetChanged{}, view, plan);
  broadcast_what_is_missing(view, plan);
}

void on(const TrainingStarted& event, const View& view, Plan& plan) {
  if (event.node == view.self) {
    add_pulls(view, plan.intents);
  } else if (leads(view)) {
    add_pushes_to(view, event.node, event.node.text + " begins to train and lacks it",
                  plan.intents);
  }
}

// Records of this node's own that too few independent nodes hold.
core::SeqSet not_durable(const View& view, const LogHoldings& log) {
  const auto own = log.holders.find(view.self);
  if (own == log.holders.end()) return {};
  core::SeqSet open = own->second;
  // Stretches that the same nodes hold are durable or not as one: cut at every border.
  std::set<std::uint64_t> borders;
  for (const auto& [node, held] : log.holders) {
    for (const core::SeqRange& range : held.ranges()) {
      borders.insert(range.first);
      borders.insert(range.last + 1);
    }
  }
  for (auto border = borders.begin(); border != borders.end(); ++border) {
    const auto next = std::next(border);
    if (next == borders.end()) break;
    std::set<NodeId> holders;
    for (const auto& [node, held] : log.holders) {
      if (node != view.self && held.contains(*border)) holders.insert(node);
    }
    if (view.router->distinct_domains(holders, view.self) >= view.acks) {
      open.erase(*border, *next - 1);
    }
  }
  return open;
}

void drain_records(const View& view, Plan& plan) {
  if (view.logs == nullptr) return;
  for (const LogHoldings& log : *view.logs) {
    if (log.log.origin != view.self) continue;
    core::SeqSet open = not_durable(view, log);
    if (open.empty()) continue;
    const std::uint64_t bytes = open.count() * log.bytes_per_record;
    const routing::Receivers to = receivers_of(view, log.log.collection, bytes);
    say_if_too_few(view, log.log.collection, to, plan);
    if (to.nodes.empty()) continue;
    const std::string why =
        "this node stops and " + core::say_count(open.count(), "record") + " would be lost with it";
    plan.intents.push_back(PushRecords{log.log, std::move(open), to.nodes, view.acks, why});
  }
}

void drain_objects(const View& view, Plan& plan) {
  if (view.objects == nullptr) return;
  std::vector<const ObjectHoldings*> held;
  for (const ObjectHoldings& object : *view.objects) {
    if (object.holders.count(view.self) > 0) held.push_back(&object);
  }
  std::stable_sort(held.begin(), held.end(),
                   [](const auto* a, const auto* b) { return a->hlc > b->hlc; });
  for (const ObjectHoldings* object : held) {
    std::set<NodeId> others = object->holders;
    others.erase(view.self);
    if (view.router->distinct_domains(others, view.self) >= view.acks) continue;
    const routing::Receivers to = receivers_of(view, object->collection, object->bytes);
    say_if_too_few(view, object->collection, to, plan);
    if (to.nodes.empty()) continue;
    plan.intents.push_back(PushObject{object->collection, object->path, object->root, to.nodes,
                                      "this node stops and too few others hold " + object->path});
  }
}

void on(const DrainBegan& event, const View& view, Plan& plan) {
  const double left = std::max(core::to_seconds(event.deadline - view.now), 0.0);
  plan.intents.push_back(
      StopIntake{"this node stops in " + core::say_seconds(left) + ": nothing new is begun"});
  drain_records(view, plan);
  drain_objects(view, plan);
}

}  // namespace

Plan plan(const Event& event, const View& view) {
  Plan made;
  std::visit([&](const auto& happened) { on(happened, view, made); }, event);
  return made;
}

}  // namespace syncline::strategy
