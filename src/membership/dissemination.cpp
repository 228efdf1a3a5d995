#include "membership/dissemination.hpp"

#include <algorithm>
#include <cmath>

#include "membership/members.hpp"

namespace syncline::membership {

using core::NodeId;
using core::Rumour;

int retransmit_limit(int mult, std::size_t members) {
  return mult * static_cast<int>(std::ceil(std::log10(static_cast<double>(members) + 1.0)));
}

void Dissemination::erase(Key key) {
  auto found = order_.find(key);
  auto node = by_node_.find(found->second.node);
  std::vector<Key>& keys = node->second;
  keys.erase(std::find(keys.begin(), keys.end(), key));
  if (keys.empty()) by_node_.erase(node);
  order_.erase(found);
}

void Dissemination::drop(const NodeId& node) {
  auto found = by_node_.find(node);
  if (found == by_node_.end()) return;
  const std::vector<Key> keys = found->second;
  for (Key key : keys) erase(key);
}

void Dissemination::add(Rumour rumour) {
  if (auto found = by_node_.find(rumour.node); found != by_node_.end()) {
    const std::vector<Key> keys = found->second;
    for (Key key : keys) {
      const Rumour& old = order_.at(key);
      const bool is_same_voice = standing_of(old) == standing_of(rumour) && old.from == rumour.from;
      if (is_same_voice || standing_of(old) < standing_of(rumour)) erase(key);
    }
  }
  const Key key{0, next_--};
  by_node_[rumour.node].push_back(key);
  order_.emplace(key, std::move(rumour));
}

void Dissemination::fill(core::Packet& packet, const NodeId& receiver, std::size_t bytes_max,
                         int limit) {
  std::size_t bytes = wire_bytes_max(packet);
  std::vector<Key> taken;
  for (const auto& [key, rumour] : order_) {
    if (packet.rumours.size() >= core::kPacketRumoursMax) break;
    if (bytes_max < bytes + kRumourBytesMin) break;
    if (rumour.node == receiver) continue;
    const std::size_t more = wire_bytes_max(rumour);
    if (bytes + more > bytes_max) continue;  // a smaller one may still fit
    bytes += more;
    packet.rumours.push_back(rumour);
    taken.push_back(key);
  }
  for (Key key : taken) {
    if (key.first + 1 >= limit) {
      erase(key);
      continue;
    }
    auto node = order_.extract(key);
    const Key moved{key.first + 1, key.second};
    std::vector<Key>& keys = by_node_.at(node.mapped().node);
    *std::find(keys.begin(), keys.end(), key) = moved;
    node.key() = moved;
    order_.insert(std::move(node));
  }
}

}  // namespace syncline::membership
