// The network between the machines: links like TCP (in order, nothing lost or doubled while the
// link stands; all that is on its way is lost when it breaks), with delays, one-way blocks and
// cuts. And datagrams, which keep no promise at all.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/messages.hpp"
#include "core/time.hpp"
#include "simulation/random.hpp"
#include "simulation/timeline.hpp"

namespace syncline::simulation {

// What the network tells a machine. `peer` is its number.
struct NetworkEnd {
  std::function<bool()> is_running;
  std::function<void(int peer, const std::string& address)> link_up;
  std::function<void(int peer, const std::string& reason)> link_down;
  std::function<void(int peer, const core::Message&)> received;
  std::function<void(const std::string& address)> dial_failed;
  std::function<void(int peer, const core::Packet&)> datagram;
};

class Network {
 public:
  Network(Timeline& timeline, Random& random) : timeline_(timeline), random_(random) {}
  void attach(std::vector<NetworkEnd> ends);

  void dial(int from, int to, const std::string& address);
  // False when there is no link.
  bool send(int from, int to, const core::Message& message);
  void close(int from, int to);
  // One datagram: may be lost, doubled, late and out of order; nobody is told.
  void datagram(int from, int to, const core::Packet& packet);
  bool is_linked(int from, int to) const;

  // The process of a machine is gone; its links break at the other ends after a while.
  void died(int node);

  // ── faults ──
  void cut(int a, int b);
  void block(int from, int to, core::Instant until);  // nothing arrives before `until`
  void slow(int from, int to, core::Instant until);
  void lose(int percent) { loss_percent_ = percent; }  // of datagrams
  static constexpr int kUsualLossPercent = 1;
  void heal();

  std::uint64_t messages() const { return messages_; }
  std::uint64_t under_way() const { return under_way_; }

 private:
  struct Link {
    bool is_open = true;             // carries messages
    bool knows[2] = {false, false};  // the end (low, high) was told that it is up
    core::Instant last_arrival[2];   // to low, to high: order is kept
  };
  using Pair = std::pair<int, int>;
  static Pair pair_of(int a, int b) { return {std::min(a, b), std::max(a, b)}; }
  core::Instant arrival(Link& link, int from, int to);
  bool is_blocked(int from, int to) const;
  void break_link(const std::shared_ptr<Link>& link, Pair pair, const std::string& reason);
  void tell_down(const std::shared_ptr<Link>& link, int at, int peer, const std::string& reason);
  void watch(const std::shared_ptr<Link>& link, Pair pair);

  Timeline& timeline_;
  Random& random_;
  std::vector<NetworkEnd> ends_;
  std::map<Pair, std::shared_ptr<Link>> links_;
  std::map<Pair, core::Instant> blocked_;  // from, to -> until
  std::map<Pair, core::Instant> slow_;
  int loss_percent_ = kUsualLossPercent;
  std::uint64_t messages_ = 0;
  std::uint64_t under_way_ = 0;
};

}  // namespace syncline::simulation
