// Whom to ask next (SWIM, "round-robin probe target selection"): every member once per round, in
// an order drawn anew for each round. A member that came meanwhile stands at a drawn place of the
// running round, so a death is noticed by each other node within 2n − 1 periods for certain.
#pragma once

#include <optional>
#include <vector>

#include "core/ids.hpp"
#include "membership/dice.hpp"
#include "membership/members.hpp"

namespace syncline::membership {

class ProbeRing {
 public:
  explicit ProbeRing(core::NodeId self) : self_(std::move(self)) {}

  void came(const Member& member, Dice& dice);
  // Nothing if there is nobody else.
  std::optional<core::NodeId> next(const Members& members, Dice& dice);

 private:
  core::NodeId self_;
  std::vector<std::uint32_t> left_;  // slots of this round's; the last one is next
};

}  // namespace syncline::membership
