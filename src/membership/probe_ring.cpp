#include "membership/probe_ring.hpp"

#include <algorithm>

namespace syncline::membership {

using core::NodeId;

void ProbeRing::came(const Member& member, Dice& dice) {
  if (member.node == self_) return;
  if (std::find(left_.begin(), left_.end(), member.slot) != left_.end()) return;
  const std::size_t at = dice.below(left_.size() + 1);
  left_.insert(left_.begin() + static_cast<std::ptrdiff_t>(at), member.slot);
}

std::optional<NodeId> ProbeRing::next(const Members& members, Dice& dice) {
  for (int round = 0; round < 2; ++round) {
    while (!left_.empty()) {
      const Member* member = members.at(left_.back());
      left_.pop_back();
      // Its slot may have been given to the node itself by now.
      if (member != nullptr && member->is_here() && member->node != self_) return member->node;
    }
    for (const Member* member : members.those_here()) {
      if (member->node != self_) left_.push_back(member->slot);
    }
    dice.shuffle(left_);
  }
  return std::nullopt;
}

}  // namespace syncline::membership
