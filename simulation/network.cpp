#include "simulation/network.hpp"

#include <algorithm>

namespace syncline::simulation {

namespace {
// A link on which nothing can pass for this long is given up by both ends (keep-alive).
constexpr core::Duration kKeepAlive = core::seconds(5);
constexpr core::Duration kDialTimeout = core::seconds(2);
}  // namespace

void Network::attach(std::vector<NetworkEnd> ends) {
  ends_ = std::move(ends);
}

bool Network::is_blocked(int from, int to) const {
  auto it = blocked_.find({from, to});
  return it != blocked_.end() && timeline_.now() < it->second;
}

bool Network::is_linked(int from, int to) const {
  auto it = links_.find(pair_of(from, to));
  return it != links_.end() && it->second->is_open;
}

core::Instant Network::arrival(Link& link, int from, int to) {
  core::Instant at =
      timeline_.now() + random_.between(core::Duration(200'000), core::milliseconds(8));
  auto slow = slow_.find({from, to});
  if (slow != slow_.end() && timeline_.now() < slow->second) {
    at = at + random_.between(core::milliseconds(20), core::milliseconds(1000));
  }
  auto blocked = blocked_.find({from, to});
  if (blocked != blocked_.end() && timeline_.now() < blocked->second) {
    at = std::max(at, blocked->second);  // retransmitted until it gets through
  }
  core::Instant& last = link.last_arrival[from < to ? 1 : 0];
  last = std::max(last + core::Duration(1), at);
  return last;
}

void Network::dial(int from, int to, const std::string& address) {
  const bool is_there = to >= 0 && to != from && ends_[static_cast<std::size_t>(to)].is_running();
  const bool can_pass = is_there && !is_blocked(from, to) && !is_blocked(to, from);
  const auto takes = can_pass || !is_there
                         ? random_.between(core::milliseconds(1), core::milliseconds(20))
                         : kDialTimeout;
  timeline_.after(takes, [this, from, to, address, can_pass] {
    auto& end = ends_[static_cast<std::size_t>(from)];
    if (!end.is_running()) return;
    const bool is_refused =
        !can_pass || !ends_[static_cast<std::size_t>(to)].is_running() || is_linked(from, to);
    if (is_refused) {
      end.dial_failed(address);
      return;
    }
    const Pair pair = pair_of(from, to);
    auto link = std::make_shared<Link>();
    links_[pair] = link;
    link->knows[from < to ? 0 : 1] = true;
    // The other end hears of it first of all that comes over the link.
    timeline_.at(arrival(*link, from, to), [this, link, from, to] {
      if (!link->is_open || !ends_[static_cast<std::size_t>(to)].is_running()) return;
      link->knows[from < to ? 1 : 0] = true;
      ends_[static_cast<std::size_t>(to)].link_up(from, "");
    });
    watch(link, pair);
    end.link_up(to, address);
  });
}

bool Network::send(int from, int to, const core::Message& message) {
  auto it = links_.find(pair_of(from, to));
  if (it == links_.end() || !it->second->is_open) return false;
  const std::shared_ptr<Link> link = it->second;
  ++messages_;
  ++under_way_;
  timeline_.at(arrival(*link, from, to), [this, link, from, to, message] {
    --under_way_;
    if (!link->is_open || !ends_[static_cast<std::size_t>(to)].is_running()) return;
    ends_[static_cast<std::size_t>(to)].received(from, message);
  });
  return true;
}

void Network::datagram(int from, int to, const core::Packet& packet) {
  const bool is_there = to >= 0 && to != from;
  const int copies = random_.chance(1) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    auto takes = random_.between(core::Duration(200'000), core::milliseconds(8));
    if (!is_there || is_blocked(from, to) || random_.chance(loss_percent_)) continue;
    auto slow = slow_.find({from, to});
    if (slow != slow_.end() && timeline_.now() < slow->second) {
      takes = takes + random_.between(core::milliseconds(20), core::milliseconds(1000));
    }
    timeline_.after(takes, [this, from, to, packet] {
      NetworkEnd& end = ends_[static_cast<std::size_t>(to)];
      if (end.is_running()) end.datagram(from, packet);
    });
  }
}

void Network::tell_down(const std::shared_ptr<Link>& link, int at, int peer,
                        const std::string& reason) {
  if (!link->knows[at < peer ? 0 : 1]) return;
  timeline_.after(core::Duration(0), [this, at, peer, reason] {
    NetworkEnd& end = ends_[static_cast<std::size_t>(at)];
    if (end.is_running()) end.link_down(peer, reason);
  });
}

void Network::break_link(const std::shared_ptr<Link>& link, Pair pair, const std::string& reason) {
  if (!link->is_open) return;
  link->is_open = false;
  auto it = links_.find(pair);
  if (it != links_.end() && it->second == link) links_.erase(it);
  tell_down(link, pair.first, pair.second, reason);
  tell_down(link, pair.second, pair.first, reason);
}

// Gives the link up when it was blocked for too long.
void Network::watch(const std::shared_ptr<Link>& link, Pair pair) {
  timeline_.after(core::seconds(1), [this, link, pair] {
    if (!link->is_open) return;
    for (const Pair& way : {pair, Pair{pair.second, pair.first}}) {
      auto it = blocked_.find(way);
      const bool is_blocked_long = it != blocked_.end() && timeline_.now() < it->second &&
                                   it->second - timeline_.now() > kKeepAlive;
      if (is_blocked_long) {
        break_link(link, pair, "nothing was heard for 5 s");
        return;
      }
    }
    watch(link, pair);
  });
}

void Network::close(int from, int to) {
  cut(from, to);
}

void Network::cut(int a, int b) {
  auto it = links_.find(pair_of(a, b));
  if (it != links_.end()) break_link(std::shared_ptr<Link>(it->second), it->first, "link broke");
}

void Network::died(int node) {
  for (const auto& [pair, link] : std::map<Pair, std::shared_ptr<Link>>(links_)) {
    if (pair.first == node || pair.second == node) break_link(link, pair, "connection reset");
  }
}

void Network::block(int from, int to, core::Instant until) {
  core::Instant& at = blocked_[{from, to}];
  at = std::max(at, until);
}

void Network::slow(int from, int to, core::Instant until) {
  core::Instant& at = slow_[{from, to}];
  at = std::max(at, until);
}

void Network::heal() {
  blocked_.clear();
  slow_.clear();
  loss_percent_ = kUsualLossPercent;
}

}  // namespace syncline::simulation
