#include "engine/retention.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace syncline::engine {

using core::NodeId;

namespace {
constexpr core::Duration kLookEvery = core::seconds(10);
constexpr int kRemovedMax = 256;  // in one look: the log of a clean-up stays readable
}  // namespace

Retention::Retention(const core::Config& config, const FleetView& view, RetentionDoor door)
    : config_(config), self_(config.node.id), view_(view), door_(std::move(door)) {
  for (const core::CollectionConfig& collection : config.collections) {
    has_any_ |= collection.retain_s > 0;
  }
}

std::optional<core::Instant> Retention::next_wake() const {
  if (!has_any_) return std::nullopt;
  return look_at_;
}

std::vector<NodeId> Retention::keepers(const ObjectId& object,
                                       const core::CollectionConfig& collection) const {
  const ObjectHolders& holders = view_.holders(object);
  const auto own = holders.find(self_);
  const core::ObjectVersion* winner = view_.winner(object);
  if (own == holders.end() || own->second.is_deleted || winner == nullptr ||
      winner->root != own->second.root) {
    return {};
  }
  const std::int64_t made_ms = static_cast<std::int64_t>(own->second.hlc >> 16);
  if (wall_->ms - made_ms < collection.retain_s * 1000) return {};
  std::set<NodeId> kept;
  for (const NodeId& node : door_.wanted_by(object.first)) {
    const auto held = holders.find(node);
    const bool counts = node != self_ && held != holders.end() && !held->second.is_deleted &&
                        held->second.root == own->second.root && view_.absent().count(node) == 0;
    if (counts) kept.insert(node);
  }
  // As many as are wanted, in domains apart from each other's and from this node's own.
  const int needed = std::max(collection.copies, config_.durability.acks);
  if (view_.count_domains(kept, self_) < needed) return {};
  return {kept.begin(), kept.end()};
}

void Retention::plan(core::Instant now, Actions& out) {
  if (!has_any_ || !wall_ || now < look_at_) return;
  look_at_ = now + kLookEvery;
  int left = kRemovedMax;
  for (const core::CollectionConfig& collection : config_.collections) {
    if (collection.retain_s <= 0 || door_.wanted_by(collection.name).count(self_) > 0) continue;
    const auto& all = view_.objects();
    for (auto it = all.lower_bound({collection.name, {}});
         it != all.end() && it->first.first == collection.name && left > 0; ++it) {
      const std::vector<NodeId> kept = keepers(it->first, collection);
      if (kept.empty()) continue;
      --left;
      std::vector<std::string> names;
      for (const NodeId& node : kept) names.push_back(node.text);
      out.push_back(RemoveFile{it->first.first, it->first.second, it->second.at(self_).root});
      Emit emit;
      emit.event.type = "object_retired";
      emit.event.collection = collection.name.text;
      emit.event.message = it->first.second + " goes from this node: older than " +
                           core::say_seconds(static_cast<double>(collection.retain_s)) +
                           ", and kept by " + core::say_list(names, 4);
      emit.event.details = {{"path", it->first.second}};
      out.push_back(std::move(emit));
    }
  }
}

}  // namespace syncline::engine
