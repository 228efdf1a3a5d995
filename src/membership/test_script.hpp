// One node among others that a test plays by hand.
#pragma once

#include <gtest/gtest.h>

#include "core/test_alternatives.hpp"
#include "membership/membership.hpp"

namespace syncline::membership::script {

using core::Instant;
using core::MemberState;
using core::milliseconds;
using core::NodeId;
using core::Packet;
using core::PacketAck;
using core::PacketNack;
using core::PacketNews;
using core::PacketPing;
using core::PacketPingRequest;
using core::Rumour;
using core::seconds;

inline std::string address_of(const std::string& node) {
  return "host-" + node + ":8750";
}

inline Rumour alive(const std::string& node, std::uint64_t incarnation) {
  return {NodeId(node),
          MemberState::kAlive,
          incarnation,
          NodeId(node),
          0,
          core::MemberProfile{address_of(node), {}}};
}
inline Rumour claim(const std::string& node, MemberState state, std::uint64_t incarnation,
                    const std::string& from) {
  return {NodeId(node), state, incarnation, NodeId(from), 0, {}};
}

// Node "a" (incarnation 10) among others (incarnation 1), all news of the beginning told.
struct Script {
  Membership a{NodeId("a"), 10, {address_of("a"), {}}, Settings{}, 1};
  Instant now{seconds(100)};
  Actions out;

  explicit Script(const std::vector<std::string>& others) {
    for (const std::string& other : others) hears({alive(other, 1)}, other);
    for (int i = 0; i < 100 && a.news() > 0; ++i) {
      pass(milliseconds(200));
      answer_all();
    }
    EXPECT_EQ(a.news(), 0u);
    out.clear();
  }
  void does(const Event& event) { a.step(event, now, out); }
  void says(const std::string& from, core::PacketBody body, std::vector<Rumour> rumours = {}) {
    does(PacketReceived{address_of(from),
                        Packet{NodeId(from), std::move(body), std::move(rumours)}});
  }
  void hears(std::vector<Rumour> rumours, const std::string& from) {
    says(from, PacketNews{}, std::move(rumours));
  }
  // Ticks at the very instants that next_wake() asks for.
  void pass(core::Duration time) {
    const Instant end = now + time;
    while (a.next_wake() && *a.next_wake() <= end) {
      now = std::max(now, *a.next_wake());
      does(Tick{});
    }
    now = end;
  }
  template <typename Body>
  std::vector<SendPacket> sent() const {
    std::vector<SendPacket> found;
    for (const Action& action : out) {
      const auto* send = std::get_if<SendPacket>(&action);
      if (send != nullptr && std::holds_alternative<Body>(send->packet.body)) {
        found.push_back(*send);
      }
    }
    return found;
  }
  template <typename T>
  std::vector<T> all() const {
    return core::all_of_type<T>(out);
  }
  void answer_all() {
    const auto pings = sent<PacketPing>();
    out.clear();
    for (const SendPacket& ping : pings) {
      says(ping.node.text, PacketAck{std::get<PacketPing>(ping.packet.body).number});
    }
  }
  // Until the next probe goes out; the ping of it.
  SendPacket next_probe() {
    out.clear();
    for (int i = 0; i < 3000 && sent<PacketPing>().empty(); ++i) pass(milliseconds(1));
    EXPECT_EQ(sent<PacketPing>().size(), 1u);
    return sent<PacketPing>().at(0);
  }
  const Member& member(const std::string& node) const { return *a.members().find(NodeId(node)); }
};

inline std::uint64_t number_of(const SendPacket& ping) {
  return std::get<PacketPing>(ping.packet.body).number;
}

}  // namespace syncline::membership::script
