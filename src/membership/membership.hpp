// Membership of one node: SWIM with Lifeguard.
//
// Every period one member is asked (ping). No answer in time: k others are asked to try, and the
// node's own link to it as well, for the case that datagrams do not get through. No answer at all:
// the member is suspect, and everybody hears of it, the suspect itself first of all, in whatever
// packet goes to it ("buddy system"). It refutes with a higher incarnation, or is dead when the
// suspicion runs out; shortly before that, whoever still suspects it asks it once more. The dead
// stay in the table so that nothing old brings them back; now and then one of them is asked again,
// which heals partitions.
//
// Invariants
// 1. A member's (incarnation, state) never falls, on any node.
// 2. Only the node itself raises its incarnation: as a refutation, or because it says something
//    new of itself. It starts above all earlier ones (decision 0003).
// 3. What a packet does, it does at most once: a doubled or replayed one changes nothing.
// 4. Time does not run backwards: an earlier `now` counts as the latest one seen. Time that this
//    node slept through (stopped, suspended, starved) is not held against others.
//
// The shell: seals SendPacket into a datagram, carries ExchangeState over a link, hands a Tick when
// next_wake() has come, and a PacketReceived only for what opened under the fleet key.
// Threads: none; one owner.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "membership/awareness.hpp"
#include "membership/dice.hpp"
#include "membership/dissemination.hpp"
#include "membership/members.hpp"
#include "membership/probe_ring.hpp"
#include "membership/types.hpp"

namespace syncline::membership {

// Since the start; for metrics.
struct Counts {
  std::uint64_t probes = 0;
  std::uint64_t probes_failed = 0;
  std::uint64_t accusations = 0;  // suspicions that began here
  std::uint64_t refutations = 0;  // of suspicions of this node
  std::uint64_t burials = 0;      // suspicions that ran out here
};

class Membership {
 public:
  // REQUIRES: self is a node id; incarnation above all that this node used before.
  Membership(core::NodeId self, std::uint64_t incarnation, core::MemberProfile own,
             Settings settings, std::uint64_t seed);

  void step(const Event& event, core::Instant now, Actions& out);
  // When the next Tick is due; may lie in the past. Nothing: only events matter.
  std::optional<core::Instant> next_wake() const;

  const Members& members() const { return members_; }
  const Member& self() const { return *members_.find(self_); }
  const Awareness& awareness() const { return awareness_; }
  const Counts& counts() const { return counts_; }
  // Rumours that wait to be told.
  std::size_t news() const { return queue_.size(); }

 private:
  struct Probe {
    std::uint64_t number = 0;
    core::NodeId target;
    std::uint64_t incarnation = 0;  // of the target when it was asked
    core::Instant indirect_at;
    core::Instant ends_at;
    bool is_indirect = false;
    std::set<core::NodeId> helpers;  // that have sent neither ack nor nack
  };
  struct Relay {  // a probe for somebody else
    core::NodeId asker;
    std::string asker_address;
    std::uint64_t asker_number = 0;
    core::Instant nack_at;
    core::Instant ends_at;
    bool is_nacked = false;
  };
  enum class Source { kPacket, kExchange, kFirstExchange };

  // membership.cpp
  void on(const Tick&, Actions& out);
  void on(const PacketReceived& event, Actions& out);
  void on(const StateReceived& event, Actions& out);
  void on(const AddressLearned& event, Actions& out);
  void on(const ProfileChanged& event, Actions& out);
  void on(const Removed& event, Actions& out);
  void on(const Leave&, Actions& out);
  void start();
  void make_up_for_sleep();
  void announce(std::uint64_t incarnation);
  core::Duration load_pause() const;

  // probing.cpp
  void probe(Actions& out);
  void begin_probe(Actions& out);
  void ask_others(Actions& out);
  void end_probe(Actions& out);
  void tend_relays(Actions& out);
  void take(const PacketReceived& from, const core::PacketPing& ping, Actions& out);
  void take(const PacketReceived& from, const core::PacketPingRequest& request, Actions& out);
  void take(const PacketReceived& from, const core::PacketAck& ack, Actions& out);
  void take(const PacketReceived& from, const core::PacketNack& nack, Actions& out);
  void take(const PacketReceived& from, const core::PacketNews& news, Actions& out);

  // rumours.cpp
  void hear(const core::Rumour& rumour, Source source, Actions& out);
  void hear_of_self(const core::Rumour& rumour);
  void hear_alive(const core::Rumour& rumour, Source source, Actions& out);
  void hear_suspect(core::Rumour rumour, Actions& out);
  void hear_gone(const core::Rumour& rumour, Actions& out);
  void bury_overdue(Actions& out);
  void ask_suspect(Member& suspect, Actions& out);
  void forget_overdue(Actions& out);
  void tell_shell(const Member& member, std::string why, Actions& out);

  // spreading.cpp
  void send(const core::NodeId& to, const std::string& address, core::PacketBody body,
            Actions& out);
  void gossip(Actions& out);
  void exchange(Actions& out);
  void exchange_with(const core::NodeId& node, const std::string& address, Actions& out);
  void meet(const core::NodeId& node, const std::string& address, Actions& out);
  void knock(Actions& out);  // at the contacts, while alone
  void ask_one_dead(Actions& out);
  std::vector<const Member*> draw_members(std::size_t count, const core::NodeId& except,
                                          core::MemberState worst);
  core::PushPull state(bool wants_answer) const;
  core::Duration exchange_pause() const;
  bool is_alone() const;

  const core::NodeId self_;
  const Settings settings_;
  Dice dice_;
  core::Instant now_;
  std::optional<core::Instant> due_at_;  // no event will come later than this, if we are awake
  bool has_started_ = false;

  Members members_;
  ProbeRing ring_;
  Awareness awareness_;
  Dissemination queue_;
  Counts counts_;

  std::uint64_t next_number_;
  core::Instant probe_at_;
  std::optional<Probe> probe_;
  std::map<std::uint64_t, Relay> relays_;

  core::Instant gossip_at_;
  core::Instant exchange_at_;
  core::Instant forget_at_;

  std::vector<std::string> contacts_;
  core::Instant knock_at_;
  core::Duration knock_pause_{0};
  std::map<core::NodeId, core::Instant> met_;  // strangers asked for their state lately

  std::optional<core::MemberProfile> load_news_;  // own profile that waits to be told
  core::Instant load_at_;
  std::optional<core::Instant> leave_by_;
  bool has_left_ = false;
};

}  // namespace syncline::membership
