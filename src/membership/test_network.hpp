// A fleet on virtual time: datagrams that are lost and late, links, partitions, nodes that stop,
// stall and come back. One seed draws the whole run. For tests and bench/membership_sim.cpp.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "membership/membership.hpp"

namespace syncline::membership {

struct Weather {
  double loss = 0;  // of each datagram
  core::Duration delay_min = core::milliseconds(1);
  core::Duration delay_max = core::milliseconds(30);
};

class TestNetwork {
 public:
  struct Change {
    core::Instant at;
    MemberChanged what;
  };
  struct Node {
    std::unique_ptr<Membership> membership;  // null: not running
    std::uint64_t incarnation = 0;
    std::string address;
    int island = 0;          // partitions: only those of one island hear each other
    core::Duration slow{0};  // added to each datagram it sends and each it receives
    bool has_datagrams = true;
    bool has_told_leave = false;
    core::Instant stalled_until;  // stopped: nothing is run, datagrams wait
    std::vector<Change> changes;
    std::map<core::MemberState, std::uint64_t> changes_to;
    std::vector<core::NodeId> forgotten;
    std::uint64_t datagrams = 0;
    std::uint64_t datagram_bytes = 0;
    std::uint64_t exchanges = 0;
    std::uint64_t exchange_bytes = 0;
    core::Instant wake_at;
    std::uint64_t wake_serial = 0;
  };

  TestNetwork(std::size_t count, std::uint64_t seed, Settings settings = {}, Weather weather = {})
      : settings_(settings), weather_(weather), dice_(seed), nodes_(count) {
    for (std::size_t i = 0; i < count; ++i) start(i);
  }

  static core::NodeId name(std::size_t i) { return core::NodeId("n" + std::to_string(i)); }
  Node& node(std::size_t i) { return nodes_[i]; }
  std::size_t size() const { return nodes_.size(); }
  core::Instant now() const { return now_; }
  Weather& weather() { return weather_; }
  bool keeps_changes = true;  // off: only counts them, for large fleets
  bool has_links = false;     // packets without an address get through
  std::function<std::size_t(const core::Packet&)> packet_bytes = [](const core::Packet& p) {
    return wire_bytes_max(p);
  };
  std::function<std::size_t(const core::PushPull&)> state_bytes = [](const core::PushPull& s) {
    std::size_t bytes = 4;
    for (const core::Rumour& rumour : s.members) bytes += wire_bytes_max(rumour);
    return bytes;
  };

  // A new life with a higher incarnation, at the same address if it has one.
  void start(std::size_t i, std::string address = "") {
    Node& n = nodes_[i];
    n.incarnation += 1000;
    if (!address.empty()) n.address = address;
    if (n.address.empty()) n.address = "10.0.0." + std::to_string(i) + ":8750";
    at_address_[n.address] = i;
    core::MemberProfile profile{n.address, {{"selfplay"}, "vast", "disk-" + std::to_string(i)}};
    n.membership =
        std::make_unique<Membership>(name(i), n.incarnation, profile, settings_, dice_.draw());
    n.has_told_leave = false;
    arm(i);
  }
  void kill(std::size_t i) { nodes_[i].membership.reset(); }
  // Everybody knows node 0 to begin with.
  void seed_all() {
    for (std::size_t i = 1; i < nodes_.size(); ++i) learn(i, {}, nodes_[0].address);
  }
  // Everybody knows everybody: for large fleets whose joining is not what is looked at.
  void introduce_all() {
    core::PushPull all;
    for (const Node& n : nodes_) all.members.push_back(rumour_of(n.membership->self(), now_));
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      step(i, StateReceived{name(i == 0 ? 1 : 0), all});
    }
  }
  void learn(std::size_t i, const core::NodeId& node, const std::string& address) {
    step(i, AddressLearned{node, address});
  }
  void step(std::size_t i, const Event& event) {
    Node& n = nodes_[i];
    if (!n.membership) return;
    Actions actions;
    n.membership->step(event, now_, actions);
    for (Action& action : actions) {
      std::visit([&](auto& a) { carry_out(i, a); }, action);
    }
    arm(i);
  }
  // False: the time is over and the condition does not hold.
  bool run_until(const std::function<bool()>& done, core::Duration most) {
    const core::Instant end = now_ + most;
    while (!done()) {
      if (letters_.empty() || letters_.top().at > end) {
        now_ = end;
        return done();
      }
      deliver();
    }
    return true;
  }
  void run(core::Duration time) {
    run_until([] { return false; }, time);
  }

  core::MemberState state_at(std::size_t observer, std::size_t subject) const {
    const Member* member = nodes_[observer].membership->members().find(name(subject));
    return member == nullptr ? core::MemberState::kDead : member->standing.state;
  }
  bool knows(std::size_t observer, std::size_t subject) const {
    return nodes_[observer].membership->members().find(name(subject)) != nullptr;
  }
  // Do all that run hold the subject for that?
  bool all_say(std::size_t subject, core::MemberState state) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (i == subject || !nodes_[i].membership) continue;
      if (!knows(i, subject) || state_at(i, subject) != state) return false;
    }
    return true;
  }
  bool all_alive() const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].membership && !all_say(i, core::MemberState::kAlive)) return false;
    }
    return true;
  }
  std::uint64_t count_changes(core::MemberState state) const {
    std::uint64_t count = 0;
    for (const Node& n : nodes_) {
      const auto found = n.changes_to.find(state);
      count += found == n.changes_to.end() ? 0 : found->second;
    }
    return count;
  }
  // Everything that was told to every shell, as text: equal runs have equal ones.
  std::string history() const {
    std::string text;
    for (const Node& n : nodes_) {
      for (const Change& c : n.changes) {
        text += std::to_string(c.at.since_start.count()) + " " + c.what.node.text + " " +
                to_string(c.what.state) + ": " + c.what.why + "\n";
      }
    }
    return text;
  }

 private:
  struct Letter {
    core::Instant at;
    std::uint64_t serial = 0;
    std::size_t to = 0;
    std::uint64_t wake = 0;  // a Tick, if its serial is still the node's
    std::shared_ptr<Event> event;
    bool operator<(const Letter& other) const {
      return std::tie(other.at, other.serial) < std::tie(at, serial);
    }
  };

  double chance() { return static_cast<double>(dice_.draw() >> 11) * 0x1.0p-53; }
  core::Duration delay() {
    const auto span = static_cast<std::size_t>((weather_.delay_max - weather_.delay_min).count());
    return weather_.delay_min + core::Duration(static_cast<std::int64_t>(dice_.below(span + 1)));
  }
  bool is_cut(std::size_t a, std::size_t b) const { return nodes_[a].island != nodes_[b].island; }

  void post(std::size_t to, core::Duration after, Event event) {
    letters_.push({now_ + after, next_serial_++, to, 0, std::make_shared<Event>(std::move(event))});
  }
  void arm(std::size_t i) {
    Node& n = nodes_[i];
    const auto wake = n.membership ? n.membership->next_wake() : std::nullopt;
    if (!wake) {
      n.wake_serial = 0;
      return;
    }
    const core::Instant at = std::max(*wake, now_);
    if (n.wake_serial != 0 && n.wake_at == at) return;
    n.wake_at = at;
    n.wake_serial = next_serial_;
    letters_.push({at, next_serial_, i, next_serial_, nullptr});
    ++next_serial_;
  }
  void deliver() {
    const Letter letter = letters_.top();
    letters_.pop();
    now_ = letter.at;
    Node& n = nodes_[letter.to];
    if (letter.event == nullptr && n.wake_serial != letter.wake) return;
    if (n.stalled_until > now_) {
      Letter later = letter;
      later.at = n.stalled_until;
      later.serial = next_serial_++;
      letters_.push(later);
      return;
    }
    if (letter.event != nullptr) {
      step(letter.to, *letter.event);
      return;
    }
    n.wake_serial = 0;
    step(letter.to, Tick{});
    if (!n.membership) return;
    const auto wake = n.membership->next_wake();
    SYNCLINE_CHECK(!wake || *wake > now_, "a tick that leaves something due: a busy loop",
                   letter.to);
  }

  void carry_out(std::size_t from, SendPacket& send) {
    Node& n = nodes_[from];
    const bool is_link = send.address.empty();
    if (is_link && !has_links) return;
    std::size_t to = 0;
    if (is_link) {
      to = std::stoul(send.node.text.substr(1));
    } else {
      ++n.datagrams;
      n.datagram_bytes += packet_bytes(send.packet);
      auto found = at_address_.find(send.address);
      if (found == at_address_.end()) return;
      to = found->second;
      if (!n.has_datagrams || !nodes_[to].has_datagrams || chance() < weather_.loss) return;
    }
    SYNCLINE_CHECK(wire_bytes_max(send.packet) <= core::kPacketBytesMax, "packet too long");
    if (is_cut(from, to)) return;
    post(to, delay() + n.slow + nodes_[to].slow,
         PacketReceived{is_link ? "" : n.address, std::move(send.packet)});
  }
  void carry_out(std::size_t from, ExchangeState& exchange) {
    Node& n = nodes_[from];
    std::size_t to = 0;
    if (!exchange.node.empty()) {
      to = std::stoul(exchange.node.text.substr(1));
    } else {
      auto found = at_address_.find(exchange.address);
      if (found == at_address_.end()) return;
      to = found->second;
    }
    if (is_cut(from, to) || to == from) return;
    ++n.exchanges;
    n.exchange_bytes += state_bytes(exchange.state);
    post(to, delay() + delay() + n.slow + nodes_[to].slow,
         StateReceived{name(from), std::move(exchange.state)});
  }
  void carry_out(std::size_t from, MemberChanged& changed) {
    ++nodes_[from].changes_to[changed.state];
    if (keeps_changes) nodes_[from].changes.push_back({now_, std::move(changed)});
  }
  void carry_out(std::size_t from, MemberForgotten& forgotten) {
    nodes_[from].forgotten.push_back(forgotten.node);
  }
  void carry_out(std::size_t from, LeaveTold&) { nodes_[from].has_told_leave = true; }

  Settings settings_;
  Weather weather_;
  Dice dice_;
  core::Instant now_;
  std::vector<Node> nodes_;
  std::map<std::string, std::size_t> at_address_;
  std::priority_queue<Letter> letters_;
  std::uint64_t next_serial_ = 1;
};

}  // namespace syncline::membership
