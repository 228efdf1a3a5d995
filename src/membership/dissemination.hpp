// Dissemination: news that ride on packets (SWIM, "infection-style").
//
// Each rumour goes out mult * ceil(log10(n + 1)) times, those sent least first, then the newest. A
// rumour that overtakes another about the same node replaces it; suspicions of one incarnation by
// different accusers stand beside each other, because their number counts. Bounded by the number
// of members: at most K + 1 rumours per node.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "core/packets.hpp"

namespace syncline::membership {

// REQUIRES: members >= 1.
int retransmit_limit(int mult, std::size_t members);

// Not worth looking for one that fits into less.
inline constexpr std::size_t kRumourBytesMin = 16;

class Dissemination {
 public:
  void add(core::Rumour rumour);
  // Adds to the packet what still fits into `bytes_max` and does not speak of `receiver` itself.
  // Each rumour taken counts as sent once more; those sent `limit` times are dropped.
  void fill(core::Packet& packet, const core::NodeId& receiver, std::size_t bytes_max, int limit);
  void drop(const core::NodeId& node);  // nothing of it is worth telling any more

  bool empty() const { return order_.empty(); }
  std::size_t size() const { return order_.size(); }
  bool speaks_of(const core::NodeId& node) const { return by_node_.count(node) > 0; }

 private:
  using Key = std::pair<int, std::uint64_t>;  // times sent, then the newest (counted down)
  void erase(Key key);
  std::map<Key, core::Rumour> order_;
  std::map<core::NodeId, std::vector<Key>> by_node_;
  std::uint64_t next_ = ~std::uint64_t{0};
};

}  // namespace syncline::membership
