// What the engine does about who leads the fleet, and about its keys.
#include "core/find_configured.hpp"
#include "engine/engine.hpp"
#include "strategy/auto_choice.hpp"

namespace syncline::engine {

using core::CollectionName;

void Engine::on(const EtcdAnswered& event) {
  leading_.answered(event, now_, *out_);
}

void Engine::plan_leading() {
  if (drain_) leading_.resign(now_, *out_);
  leading_.plan(now_, *out_);
  leadership_looked_at();
  broadcast_.plan(leading_.is_leading() && !drain_, leading_.leadership().epoch, now_, *out_);
}

void Engine::leadership_looked_at() {
  if (const std::uint64_t claim = leading_.claim(); claim > told_claim_) {
    told_claim_ = claim;
    tell(catalog::kLeadKey, std::to_string(claim));
  }
  const coordination::Leadership& now = leading_.leadership();
  if (now.leader == told_leadership_.leader && now.epoch == told_leadership_.epoch) return;
  const bool is_other = now.leader != told_leadership_.leader;
  told_leadership_ = now;
  if (!is_other) return;
  Emit emit;
  emit.event.type = "leader_changed";
  emit.event.message = now.leader.empty() ? "nobody leads: " + now.why
                                          : now.leader.text + " leads (" + now.why + ")";
  emit.event.details = {{"leader", now.leader.text}, {"epoch", std::to_string(now.epoch)}};
  out_->push_back(std::move(emit));
}

// By the leader's strategy, so that all nodes mean the same.
bool Engine::is_broadcast(const CollectionName& name) const {
  const routing::NodeView* leader = placement_.router().find(leading_.leadership().leader);
  if (leader == nullptr) return false;
  const core::CollectionConfig* collection = core::find_collection(config_, name);
  return collection != nullptr &&
         strategy::choose_strategy(*collection, *leader).strategy == core::StrategyName::kBroadcast;
}

// ── the fleet's keys ────────────────────────────────────────────────────────────────────────────

void Engine::on(const KeysKept& event) {
  key_ring_.kept(event);
  tell(catalog::kKeysKey, key_ring_.fact());
  are_keys_stale_ = true;
}

void Engine::on(const KeyMade& event) {
  key_ring_.made(event.key, *out_);
  are_keys_stale_ = true;
}

void Engine::plan_keys() {
  const auto wake = key_ring_.next_wake();
  if (!are_keys_stale_ && !(wake && *wake <= now_)) return;
  are_keys_stale_ = false;
  std::set<core::NodeId> live;
  for (const auto& [node, about] : view_.nodes()) {
    if (view_.absent().count(node) == 0) live.insert(node);
  }
  const auto& linked = peers_.linked();
  key_ring_.plan(view_.keys(), live, {linked.begin(), linked.end()}, now_, *out_);
}

}  // namespace syncline::engine
