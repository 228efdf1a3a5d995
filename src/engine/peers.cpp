#include "engine/peers.hpp"

#include <algorithm>

namespace syncline::engine {

using core::Duration;
using core::Instant;
using core::NodeId;

Peers::Peers(NodeId self, const std::vector<std::string>& seeds, DialPolicy policy,
             std::uint64_t seed)
    : self_(std::move(self)), policy_(policy), draw_(seed) {
  for (const std::string& address : seeds) addresses_[address].dial_at = Instant{};
}

Duration Peers::spread(Duration d) {
  draw_ = draw_ * 6364136223846793005u + 1442695040888963407u;  // Knuth's MMIX constants
  const auto permille = static_cast<std::int64_t>((draw_ >> 33) % 500);
  return d * (750 + permille) / 1000;  // 75 % … 125 %
}

void Peers::retry_later(Address& address, Instant now) {
  address.is_dialling = false;
  address.backoff = address.backoff.count() == 0
                        ? policy_.backoff_min
                        : std::min(address.backoff * 2, policy_.backoff_max);
  address.dial_at = now + spread(address.backoff);
}

void Peers::link_up(const LinkUp& up, Instant now) {
  linked_.insert(up.peer);
  PeerLink& peer = peers_[up.peer];
  peer.is_up = true;
  peer.has_left = false;
  peer.changed_at = now;
  peer.heard_at = now;
  peer.why_down.clear();
  for (const std::string& text : {up.address, up.hello.advertise}) {
    if (text.empty()) continue;
    Address& address = addresses_[text];
    address.node = up.peer;
    peer.address = text;
  }
  for (auto& [text, address] : addresses_) {
    if (address.node != up.peer) continue;
    address.is_dialling = false;
    address.dial_at.reset();
    address.backoff = Duration{0};
  }
}

void Peers::link_down(const LinkDown& down, Instant now) {
  linked_.erase(down.peer);
  PeerLink& peer = peers_[down.peer];
  peer.is_up = false;
  peer.changed_at = now;
  peer.why_down = down.reason;
  for (auto& [text, address] : addresses_) {
    if (address.node == down.peer && !address.is_dialling) retry_later(address, now);
  }
}

void Peers::dial_failed(const DialFailed& failed, Instant now) {
  auto it = addresses_.find(failed.address);
  if (it == addresses_.end()) return;
  if (!it->second.node.empty() && is_linked(it->second.node)) {
    it->second.is_dialling = false;
    return;
  }
  if (!it->second.node.empty()) peers_[it->second.node].why_down = failed.reason;
  retry_later(it->second, now);
}

void Peers::heard(const NodeId& peer, Instant now) {
  auto it = peers_.find(peer);
  if (it != peers_.end()) it->second.heard_at = now;
}

void Peers::known(const NodeId& node, Instant now) {
  if (node == self_) return;
  auto [it, is_new] = peers_.try_emplace(node);
  if (is_new) it->second.changed_at = now;
}

void Peers::removed(const NodeId& node) {
  linked_.erase(node);
  peers_.erase(node);
  std::erase_if(addresses_, [&](const auto& entry) { return entry.second.node == node; });
}

void Peers::said_goodbye(const NodeId& peer) {
  auto it = peers_.find(peer);
  if (it != peers_.end()) it->second.has_left = true;
}

void Peers::advertised(const NodeId& node, const std::string& text, Instant now) {
  if (node == self_ || text.empty()) return;
  known(node, now);
  PeerLink& peer = peers_[node];
  if (!peer.is_up) peer.address = text;
  Address& address = addresses_[text];
  if (address.node == node) return;
  address.node = node;
  if (is_linked(node)) {
    address.dial_at.reset();
  } else if (!address.is_dialling && !address.dial_at) {
    address.dial_at = now;
  }
}

void Peers::plan_dials(Instant now, Actions& out) {
  for (auto& [text, address] : addresses_) {
    if (address.is_dialling || !address.dial_at || *address.dial_at > now) continue;
    if (!address.node.empty() && (is_linked(address.node) || address.node == self_)) {
      address.dial_at.reset();
      continue;
    }
    address.is_dialling = true;
    address.dial_at.reset();
    out.push_back(Dial{text, address.node});
  }
}

std::optional<Instant> Peers::next_wake() const {
  std::optional<Instant> wake;
  for (const auto& [text, address] : addresses_) {
    if (address.is_dialling || !address.dial_at) continue;
    if (!wake || *address.dial_at < *wake) wake = address.dial_at;
  }
  return wake;
}

}  // namespace syncline::engine
