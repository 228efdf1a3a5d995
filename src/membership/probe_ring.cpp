#include "membership/probe_ring.hpp"

#include <algorithm>

namespace syncline::membership {

using core::NodeId;

void ProbeRing::came(const NodeId& node, Dice& dice) {
  if (node == self_ || std::find(left_.begin(), left_.end(), node) != left_.end()) return;
  const std::size_t at = dice.below(left_.size() + 1);
  left_.insert(left_.begin() + static_cast<std::ptrdiff_t>(at), node);
}

std::optional<NodeId> ProbeRing::next(const Members& members, Dice& dice) {
  for (int round = 0; round < 2; ++round) {
    while (!left_.empty()) {
      NodeId node = std::move(left_.back());
      left_.pop_back();
      const Member* member = members.find(node);
      if (member != nullptr && member->is_here()) return node;
    }
    for (const Member* member : members.those_here()) {
      if (member->node != self_) left_.push_back(member->node);
    }
    dice.shuffle(left_);
  }
  return std::nullopt;
}

}  // namespace syncline::membership
