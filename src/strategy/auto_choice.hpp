// What `auto` means for one node and one collection, and how much may be at risk on a spot node.
#pragma once

#include <cstdint>
#include <string>

#include "core/config.hpp"
#include "routing/types.hpp"

namespace syncline::strategy {

struct StrategyChoice {
  core::StrategyName strategy = core::StrategyName::kHybrid;  // never kAuto
  std::string why;
  bool operator==(const StrategyChoice&) const = default;
};

// In this order: what the collection says, unless `auto`; an ephemeral node → ephemeral; a
// coordinator or backup that makes no data → pull; whole files of high priority that every role
// wants → broadcast; everything else → hybrid.
StrategyChoice choose_strategy(const core::CollectionConfig& collection,
                               const routing::NodeView& self);

struct SpotWindow {
  double uplink_mbps = 0;  // MB/s
  double notice_s = 0;     // what the provider promises; 0 = nothing
  double poll_s = 5;       // how late the notice may be seen
};
// Most bytes that may lie unacked on a spot node: ½ · uplink · (notice − poll − 5 s), at least 0.
// 0 means that only acked data counts: a producer that asks for write-through waits for its acks.
std::int64_t bytes_at_risk_max(const SpotWindow& window);

}  // namespace syncline::strategy
