#include "gossip/gossip.hpp"

#include <algorithm>

namespace syncline::gossip {

using core::NodeId;

namespace {
// News waits this long for company before it is fanned out: one message instead of many.
constexpr core::Duration kFanOutPause = core::milliseconds(20);

// Marks that `delta` moves a reader to, if it takes every part.
void advance(core::CatalogDigest& digest, const core::CatalogDelta& delta) {
  for (const core::CatalogDelta::Part& part : delta.parts) {
    core::OwnerMark& mark = digest.marks[part.owner];
    mark = std::max(mark, core::OwnerMark{part.incarnation, part.up_to});
  }
}

// Of the peers that are left in a round, so many are compared: enough to find a need where there
// is one, cheap for any fleet.
constexpr std::size_t kComparedMax = 8;

// Of how many owners do the two know differently much?
std::size_t differences(const core::CatalogDigest& a, const core::CatalogDigest& b) {
  std::size_t count = 0;
  for (const auto& [owner, mark] : a.marks) {
    const auto other = b.marks.find(owner);
    count += other == b.marks.end() || other->second != mark ? 1 : 0;
  }
  for (const auto& [owner, mark] : b.marks) count += a.marks.count(owner) == 0 ? 1 : 0;
  return count;
}

// Does `theirs` know of anything that `ours` lacks?
bool is_ahead(const core::CatalogDigest& theirs, const core::CatalogDigest& ours) {
  return std::any_of(theirs.marks.begin(), theirs.marks.end(), [&](const auto& entry) {
    auto own = ours.marks.find(entry.first);
    return own == ours.marks.end() || own->second < entry.second;
  });
}
}  // namespace

Gossip::Gossip(NodeId self, std::uint64_t incarnation, core::GossipConfig config,
               std::uint64_t seed)
    : self_(self), config_(config), draw_state_(seed), catalog_(std::move(self), incarnation) {}

std::uint64_t Gossip::draw(std::uint64_t below) {
  std::uint64_t z = (draw_state_ += 0x9e3779b97f4a7c15u);  // SplitMix64, Steele et al. 2014
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) % below;
}

const core::Fact* Gossip::assert_own(const std::string& key, const std::string& value) {
  const core::Fact* fact = catalog_.assert_own(key, value);
  has_news_ |= fact != nullptr;
  return fact;
}

const core::Fact* Gossip::remove_own(const std::string& key) {
  const core::Fact* fact = catalog_.remove_own(key);
  has_news_ |= fact != nullptr;
  return fact;
}

void Gossip::step(const Event& event, core::Instant now, Actions& out) {
  now_ = now;
  std::visit([&](const auto& e) { on(e, out); }, event);
}

std::optional<core::Instant> Gossip::next_wake() const {
  if (peers_.empty()) return std::nullopt;
  return has_news_ ? std::min(digest_at_, fan_out_at_) : digest_at_;
}

NodeId Gossip::next_peer() {
  while (true) {
    if (order_.empty()) {  // a new round: each peer once, in a new order (Fisher–Yates)
      for (const auto& [peer, digest] : peers_) order_.push_back(peer);
      for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[draw(i)]);
    }
    std::erase_if(order_, [this](const NodeId& peer) { return peers_.count(peer) == 0; });
    if (order_.empty()) continue;
    const core::CatalogDigest ours = catalog_.digest();
    std::size_t most = 0;
    std::size_t chosen = order_.size() - 1;
    for (std::size_t i = 0; i < std::min(order_.size(), kComparedMax); ++i) {
      const std::size_t at = order_.size() - 1 - i;
      const std::size_t need = differences(peers_.at(order_[at]), ours);
      if (need <= most) continue;
      most = need;
      chosen = at;
    }
    NodeId peer = std::move(order_[chosen]);
    order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(chosen));
    return peer;
  }
}

void Gossip::on(const Tick&, Actions& out) {
  if (peers_.empty()) return;
  if (has_news_ && now_ >= fan_out_at_) {
    has_news_ = false;
    fan_out_at_ = now_ + kFanOutPause;
    // To `fan_out` of the peers that lack it, from a drawn place on.
    std::vector<NodeId> lacking;
    const core::CatalogDigest ours = catalog_.digest();
    for (const auto& [peer, digest] : peers_) {
      if (is_ahead(ours, digest)) lacking.push_back(peer);
    }
    const std::size_t count = std::min(lacking.size(), static_cast<std::size_t>(config_.fan_out));
    const std::size_t first = lacking.empty() ? 0 : draw(lacking.size());
    for (std::size_t i = 0; i < count; ++i) send_delta(lacking[(first + i) % lacking.size()], out);
  }
  if (now_ >= digest_at_) {
    digest_at_ = now_ + core::milliseconds(config_.interval_ms);
    out.push_back(Send{next_peer(), core::DigestMessage{catalog_.digest(), true}});
  }
}

void Gossip::on(const LinkUp& event, Actions& out) {
  peers_[event.peer] = {};
  behind_[event.peer] = {};
  // Both ends do this: whoever was away learns at once what it missed.
  out.push_back(Send{event.peer, core::DigestMessage{catalog_.digest(), true}});
}

void Gossip::on(const LinkDown& event, Actions&) {
  peers_.erase(event.peer);
  behind_.erase(event.peer);
}

void Gossip::on(const Received& event, Actions& out) {
  if (peers_.count(event.peer) == 0) return;
  std::visit([&](const auto& message) { take(event.peer, message, out); }, event.message);
}

void Gossip::take(const NodeId& peer, const core::DigestMessage& message, Actions& out) {
  peers_[peer] = message.digest;
  auto behind = behind_.find(peer);
  auto theirs = message.digest.marks.find(peer);
  if (behind != behind_.end() && theirs != message.digest.marks.end()) {
    if (behind->second == core::OwnerMark{}) behind->second = theirs->second;
    check_caught_up(peer, out);
  }
  auto own = message.digest.marks.find(self_);
  const core::OwnerMark mine = catalog_.digest().marks.at(self_);
  if (own != message.digest.marks.end() && own->second > mine) {
    // They know a later life or more facts of us than we do: our disk was lost.
    if (catalog_.outbid(own->second.incarnation)) has_news_ = true;
  }
  send_delta(peer, out);
  if (message.wants_delta && is_ahead(message.digest, catalog_.digest())) {
    out.push_back(Send{peer, core::DigestMessage{catalog_.digest(), false}});
  }
}

void Gossip::take(const NodeId& peer, const core::DeltaMessage& message, Actions& out) {
  advance(peers_[peer], message.delta);
  const core::CatalogDigest before = catalog_.digest();
  std::vector<catalog::FactChange> changes = catalog_.apply(message.delta);
  const bool has_moved = !(catalog_.digest() == before);
  if (!changes.empty()) out.push_back(Changed{std::move(changes)});
  if (!behind_.empty()) {
    std::vector<NodeId> waiting;
    for (const auto& [node, mark] : behind_) waiting.push_back(node);
    for (const NodeId& node : waiting) check_caught_up(node, out);
  }
  if (has_moved) {
    has_news_ = true;  // passed on to those that lack it
    // A bounded delta may be the first of several: ask on while something came.
    out.push_back(Send{peer, core::DigestMessage{catalog_.digest(), false}});
  }
}

void Gossip::check_caught_up(const NodeId& peer, Actions& out) {
  auto behind = behind_.find(peer);
  if (behind == behind_.end() || behind->second == core::OwnerMark{}) return;
  const auto ours = catalog_.mark(peer);
  if (ours < behind->second) return;
  behind_.erase(behind);
  out.push_back(CaughtUp{peer});
}

void Gossip::send_delta(const NodeId& peer, Actions& out) {
  core::CatalogDigest& known = peers_[peer];
  core::CatalogDelta delta =
      catalog_.delta_for(known, static_cast<std::size_t>(config_.delta_max_bytes));
  if (delta.parts.empty()) return;
  advance(known, delta);
  out.push_back(Send{peer, core::DeltaMessage{std::move(delta)}});
}

}  // namespace syncline::gossip
