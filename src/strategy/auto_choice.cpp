#include "strategy/auto_choice.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace syncline::strategy {

namespace {

// Between seeing a notice and the last byte: closing intake, the final read, the last acks.
constexpr double kReserveSeconds = 5;

bool has_role(const routing::NodeView& node, const char* role) {
  return std::find(node.roles.begin(), node.roles.end(), role) != node.roles.end();
}

}  // namespace

StrategyChoice choose_strategy(const core::CollectionConfig& collection,
                               const routing::NodeView& self) {
  using core::StrategyName;
  if (collection.strategy != StrategyName::kAuto) {
    return {collection.strategy, collection.name.text + " is configured for it"};
  }
  if (self.is_ephemeral) {
    return {StrategyName::kEphemeral,
            self.id.text + " is a spot node: what it makes must leave at once"};
  }
  const bool makes_data = has_role(self, "selfplay") || has_role(self, "training") ||
                          self.is_selfplay || self.is_training;
  if (!makes_data && (has_role(self, "coordinator") || has_role(self, "backup"))) {
    const char* role = has_role(self, "coordinator") ? "coordinator" : "backup";
    return {StrategyName::kPull,
            self.id.text + " is a " + role + " and makes no data: it fetches what it lacks"};
  }
  const bool is_for_everybody = collection.kind == core::Kind::kFiles &&
                                collection.placement.roles.empty() &&
                                collection.priority <= core::Priority::kHigh;
  if (is_for_everybody) {
    return {StrategyName::kBroadcast, collection.name.text +
                                          " is wanted by every node and its priority is " +
                                          core::to_string(collection.priority)};
  }
  return {StrategyName::kHybrid,
          self.id.text + " is permanent: push to a few at once, gossip brings it to the rest"};
}

std::int64_t bytes_at_risk_max(const SpotWindow& window) {
  const double usable_s = window.notice_s - window.poll_s - kReserveSeconds;
  if (!(usable_s > 0) || !(window.uplink_mbps > 0)) return 0;
  const double bytes = 0.5 * window.uplink_mbps * 1e6 * usable_s;
  return static_cast<std::int64_t>(std::min(bytes, 9e18));
}

}  // namespace syncline::strategy
