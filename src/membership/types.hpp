// Settings, events and actions of membership. Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/config.hpp"
#include "core/ids.hpp"
#include "core/packets.hpp"
#include "core/time.hpp"

namespace syncline::membership {

// Defaults are for a fleet whose 99th percentile round trip is below 500 ms (LAN, one continent).
struct Settings {
  // SWIM's protocol period: one member is asked in each. Higher: less traffic, later detection
  // (a death is noticed after 1/(1-1/e) = 1.6 periods on average, 2n-1 at worst).
  core::Duration probe_interval = core::seconds(1);
  // Until others are asked to try. Above the 99th percentile round trip; below half a period, so
  // that the indirect way has time as well. Higher: fewer needless requests.
  core::Duration probe_timeout = core::milliseconds(500);
  // SWIM's k. With a loss of p per message, all k indirect ways fail with (1-(1-p)^4)^k.
  int indirect_probes = 3;
  // A helper says "not me either" at 80 % of the probe timeout (Lifeguard), so that it arrives
  // within the asker's.
  double nack_after = 0.8;

  // Lifeguard's S: the largest local health score; periods and timeouts grow to (S+1) times.
  int awareness_max = 8;

  // Suspicion lasts at least mult * log10(n) * probe_interval (Lifeguard's alpha; DESIGN) …
  double suspicion_mult = 4.0;
  // … at most this many times as long while nobody confirms it (Lifeguard's beta) …
  double suspicion_max_mult = 6.0;
  // … and the least once so many others have confirmed it (Lifeguard's K).
  int suspicion_confirmations = 3;

  // Members told per round of news, and the pause between rounds. Rounds need news: a quiet fleet
  // sends none.
  int gossip_fan_out = 3;
  core::Duration gossip_interval = core::milliseconds(200);
  // Each rumour is sent on mult * ceil(log10(n+1)) times (SWIM's lambda * log n): enough for all to
  // hear it with high probability; the full exchange covers the rest.
  int retransmit_mult = 4;
  // The dead are told news for so long: who was buried alive hears of it and refutes.
  core::Duration gossip_to_dead = core::seconds(30);

  // One full exchange with one member. Above 32 members multiplied by log2(n) - 4, because its size
  // grows with n while what it repairs does not.
  core::Duration push_pull_interval = core::seconds(30);
  // The dead and the left are remembered for so long. An older rumour cannot bring them back
  // meanwhile. Longer than any partition whose stale rumours may come home.
  core::Duration forget_dead_after = core::seconds(24 * 3600);
  // Free disk and load are told anew at most every interval * max(1, n/32): the fleet together
  // tells about one such change per second, whatever its size.
  core::Duration load_interval = core::seconds(30);
  // A leave that could not be told often enough ends after this.
  core::Duration leave_deadline = core::seconds(5);
  // While no other member is known, the contacts are asked at this pace, doubled up to
  // push_pull_interval.
  core::Duration join_retry = core::seconds(1);
};

Settings settings_from(const core::MembershipConfig& config);

// ── events ──
struct Tick {};  // next_wake() has come
// A datagram that opened under the fleet key, or a packet that came over a link (address empty).
struct PacketReceived {
  std::string address;  // where it came from
  core::Packet packet;
};
// REQUIRES: peer is who the link's certificate names.
struct StateReceived {
  core::NodeId peer;
  core::PushPull state;
};
// A node can be reached there: a seed from the configuration (node empty), a link that came up, a
// fact of the catalog.
struct AddressLearned {
  core::NodeId node;
  std::string address;  // may be empty if node is not: reached over its link
};
struct ProfileChanged {  // own address, roles, disk …
  core::MemberProfile profile;
};
// An operator says that this node is gone for good. If it lives, it will contradict.
struct Removed {
  core::NodeId node;
};
struct Leave {};  // graceful: the others shall not mourn -> LeaveTold
using Event = std::variant<Tick, PacketReceived, StateReceived, AddressLearned, ProfileChanged,
                           Removed, Leave>;

// ── actions ──
// Seal and send to the address; if that is empty, send over the node's link, or drop it if there is
// none.
struct SendPacket {
  core::NodeId node;
  std::string address;
  core::Packet packet;
};
// Send over the link to the node; if there is none, dial first (node may be empty: whoever answers
// at the address). -> StateReceived, if it wants an answer and one comes.
struct ExchangeState {
  core::NodeId node;
  std::string address;
  core::PushPull state;
};
struct MemberChanged {
  core::NodeId node;
  core::MemberState state = core::MemberState::kAlive;
  std::uint64_t incarnation = 0;
  std::string why;  // one sentence
  core::SharedProfile profile;
};
// The tombstone has expired: nothing of this node is kept any more.
struct MemberForgotten {
  core::NodeId node;
};
struct LeaveTold {};  // enough members know that this one leaves: it may stop
using Action = std::variant<SendPacket, ExchangeState, MemberChanged, MemberForgotten, LeaveTold>;
using Actions = std::vector<Action>;

}  // namespace syncline::membership
