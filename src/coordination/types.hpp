// Who leads the fleet, and by what right. Values only.
//
// A leader only saves the fleet from doing one thing twice: what it pushes, anybody may push. Two
// leaders at once cost bandwidth and never data; a fleet without one goes on, each node fetching
// for itself.
#pragma once

#include <cstdint>
#include <string>

#include "core/ids.hpp"

namespace syncline::coordination {

struct Leadership {
  core::NodeId leader;      // empty: nobody leads
  std::uint64_t epoch = 0;  // grows with every change of leader: what an older one asks is ignored
  std::string why;          // "highest-ranked of 3 live voters"; or why nobody leads
  bool operator==(const Leadership&) const = default;
};

}  // namespace syncline::coordination
