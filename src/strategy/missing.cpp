#include "strategy/missing.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace syncline::strategy {

namespace {

constexpr std::size_t kSourcesMax = 8;
// Holders that score about the same are taken in a different order by each node.
constexpr routing::Points kAboutTheSame = 15 * routing::kPoint;

// FNV-1a: the same on every machine, and different for each pair of node and thing.
std::uint64_t draw(const std::string& a, const std::string& b) {
  std::uint64_t hash = 14695981039346656037ull;
  for (const std::string* text : {&a, &b}) {
    for (const char c : *text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    hash = (hash ^ 0xff) * 1099511628211ull;
  }
  return hash;
}

std::vector<core::NodeId> spread_sources(const View& view, const core::CollectionName& collection,
                                         std::vector<core::NodeId> holders,
                                         const std::string& thing) {
  routing::Pull pull;
  pull.collection = collection;
  pull.to = view.self;
  pull.holders = std::move(holders);
  pull.now = view.now;
  const routing::Route route = view.router->sources(pull);
  std::vector<core::NodeId> sources;
  std::size_t level = 0;  // how many are about as good as the best
  for (const routing::Ranked& ranked : route) {
    if (ranked.points >= route.front().points - kAboutTheSame) ++level;
    sources.push_back(view.router->id_of(ranked.node));
  }
  if (level > 1) {
    const auto start = static_cast<std::ptrdiff_t>(draw(view.self.text, thing) % level);
    std::rotate(sources.begin(), sources.begin() + start,
                sources.begin() + static_cast<std::ptrdiff_t>(level));
  }
  if (sources.size() > kSourcesMax) sources.resize(kSourcesMax);
  return sources;
}

std::string say_log(const core::LogId& log) {
  return log.origin.text + "/" + std::to_string(log.epoch.value);
}

core::SeqSet held_by(const LogHoldings& log, const core::NodeId& node) {
  const auto held = log.holders.find(node);
  return held == log.holders.end() ? core::SeqSet() : held->second;
}

core::SeqSet known_of(const LogHoldings& log) {
  core::SeqSet known;
  for (const auto& [node, held] : log.holders) known.insert(held);
  return known;
}

void pull_log(const View& view, const LogHoldings& log, std::vector<Intent>& out) {
  core::SeqSet missing = known_of(log).minus(held_by(log, view.self));
  if (missing.empty()) return;
  std::vector<core::NodeId> holders;
  for (const auto& [node, held] : log.holders) {
    if (node != view.self && !held.intersect(missing).empty()) holders.push_back(node);
  }
  const auto sources =
      spread_sources(view, log.log.collection, std::move(holders), say_log(log.log));
  for (const core::NodeId& source : sources) {
    core::SeqSet part = missing.intersect(held_by(log, source));
    if (part.empty()) continue;
    missing = missing.minus(part);
    const std::string why = core::say_count(part.count(), "record") + " of " + say_log(log.log) +
                            " are missing here, " + source.text + " has them";
    out.push_back(PullRecords{log.log, std::move(part), source, why});
    if (missing.empty()) return;
  }
}

bool is_key_placed(const View& view, const ObjectHoldings& object) {
  const core::CollectionConfig* collection = find_collection(view, object.collection);
  if (collection == nullptr) return false;
  return object.config_key.empty() ||
         core::any_glob_matches(collection->placement.config_keys, object.config_key.text);
}

std::vector<const ObjectHoldings*> newest_first(const View& view) {
  std::vector<const ObjectHoldings*> objects;
  if (view.objects == nullptr) return objects;
  for (const ObjectHoldings& object : *view.objects) objects.push_back(&object);
  std::stable_sort(objects.begin(), objects.end(),
                   [](const auto* a, const auto* b) { return a->hlc > b->hlc; });
  return objects;
}

void pull_object(const View& view, const ObjectHoldings& object, std::vector<Intent>& out) {
  if (object.holders.count(view.self) > 0 || !is_key_placed(view, object)) return;
  routing::Job job;  // may this node's own disk take it?
  job.collection = object.collection;
  job.config_key = object.config_key;
  job.bytes = object.bytes;
  job.only = {view.self};
  job.is_placement_waived = true;  // that it is wanted here was decided already
  job.now = view.now;
  if (view.router->targets(job).empty()) return;
  auto sources = spread_sources(view, object.collection,
                                {object.holders.begin(), object.holders.end()}, object.path);
  if (sources.empty()) return;
  const std::string why = object.path + " is missing here, " +
                          core::say_count(sources.size(), "holder") + " can serve it";
  out.push_back(PullObject{object.collection, object.path, object.root, std::move(sources), why});
}

}  // namespace

const core::CollectionConfig* find_collection(const View& view,
                                              const core::CollectionName& collection) {
  for (const core::CollectionConfig& config : *view.collections) {
    if (config.name == collection) return &config;
  }
  return nullptr;
}

void add_pulls(const View& view, std::vector<Intent>& out) {
  std::map<core::CollectionName, bool> wants;
  for (const core::CollectionConfig& collection : *view.collections) {
    const Wanted wanted = wanted_by(*view.router, collection.name, view.now);
    wants[collection.name] = wanted.contains(view.self);
  }
  if (view.logs != nullptr) {
    for (const LogHoldings& log : *view.logs) {
      if (wants[log.log.collection]) pull_log(view, log, out);
    }
  }
  for (const ObjectHoldings* object : newest_first(view)) {
    if (wants[object->collection]) pull_object(view, *object, out);
  }
}

void add_pushes_to(const View& view, const core::NodeId& target, const std::string& why,
                   std::vector<Intent>& out) {
  const routing::NodeView* node = view.router->find(target);
  if (node == nullptr || target == view.self) return;
  std::map<core::CollectionName, Wanted> wanted;
  const auto may_take = [&](const core::CollectionName& collection, const core::ConfigKey& key,
                            std::uint64_t bytes) {
    const auto [it, is_new] = wanted.try_emplace(collection);
    if (is_new) it->second = wanted_by(*view.router, collection, view.now);
    if (!it->second.contains(target)) return false;
    routing::Job job;
    job.collection = collection;
    job.config_key = key;
    job.bytes = bytes;
    job.from = view.self;
    job.only = {target};
    job.is_placement_waived = true;
    job.is_link_required = node->has_daemon;
    job.now = view.now;
    return !view.router->targets(job).empty();
  };
  if (view.logs != nullptr && node->has_daemon) {
    for (const LogHoldings& log : *view.logs) {
      core::SeqSet lacks = held_by(log, view.self).minus(held_by(log, target));
      if (lacks.empty()) continue;
      if (!may_take(log.log.collection, {}, lacks.count() * log.bytes_per_record)) continue;
      out.push_back(PushRecords{log.log, std::move(lacks), {target}, 0, why});
    }
  }
  for (const ObjectHoldings* object : newest_first(view)) {
    if (object->holders.count(view.self) == 0 || object->holders.count(target) > 0) continue;
    if (!is_key_placed(view, *object)) continue;
    if (!may_take(object->collection, object->config_key, object->bytes)) continue;
    out.push_back(PushObject{object->collection, object->path, object->root, {target}, why});
  }
}

void add_pushes_to_agentless(const View& view, std::vector<Intent>& out) {
  if (view.objects == nullptr) return;
  for (const routing::NodeView& node : view.router->nodes()) {
    if (node.has_daemon || node.liveness != routing::Liveness::kAlive) continue;
    std::vector<Intent> pushes;
    add_pushes_to(view, node.id, node.id.text + " has no daemon and cannot fetch it", pushes);
    for (Intent& push : pushes) {
      const auto& object = std::get<PushObject>(push);
      // Every holder computes this, and only the first of them acts.
      bool is_first = true;
      for (const ObjectHoldings& holdings : *view.objects) {
        if (holdings.collection != object.collection || holdings.path != object.path) continue;
        for (const core::NodeId& holder : holdings.holders) {
          if (holder == view.self) break;
          const routing::NodeView* other = view.router->find(holder);
          const bool can_act = other != nullptr && other->has_daemon && !other->is_draining &&
                               other->liveness == routing::Liveness::kAlive;
          if (can_act) is_first = false;
        }
      }
      if (is_first) out.push_back(std::move(push));
    }
  }
}

void add_problems(const View& view, std::vector<std::string>& out) {
  for (const core::CollectionConfig& collection : *view.collections) {
    const Wanted wanted = wanted_by(*view.router, collection.name, view.now);
    if (wanted.copies < collection.copies) out.push_back(collection.name.text + ": " + wanted.why);
  }
}

}  // namespace syncline::strategy
