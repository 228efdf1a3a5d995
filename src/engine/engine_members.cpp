// Who is alive: how the engine feeds the membership core and what follows from its answers.
//
// Membership asks by datagram; what finds no way by datagram goes over a link, and full exchanges
// always do. A node whose link stands counts as alive whatever is rumoured: the link is proof.
#include <utility>

#include "engine/engine.hpp"

namespace syncline::engine {

using core::NodeId;

core::MemberProfile profile_of(const catalog::NodeSelf& self, std::uint32_t load_permille) {
  core::MemberProfile profile;
  profile.address = self.advertise;
  profile.meta.roles = self.roles;
  profile.meta.provider = self.provider;
  profile.meta.storage_domain = self.storage;
  profile.meta.free_bytes = self.free_bytes;
  profile.meta.total_bytes = self.total_bytes;
  profile.meta.load_permille = load_permille;
  return profile;
}

void Engine::run_membership(const membership::Event& event) {
  membership::Actions actions;
  membership_.step(event, now_, actions);
  for (membership::Action& action : actions) {
    std::visit([this](auto& a) { carry_out(a); }, action);
  }
}

void Engine::carry_out(membership::SendPacket& action) {
  if (removed_.count(action.node) > 0) return;
  if (!action.address.empty()) {
    out_->push_back(SendPacket{action.node, std::move(action.address), std::move(action.packet)});
  } else if (peers_.is_linked(action.node)) {
    out_->push_back(Send{action.node, std::move(action.packet)});
  }
}

// Without a link the exchange is left out: when the dial succeeds, LinkUp begins another.
void Engine::carry_out(membership::ExchangeState& action) {
  if (action.node.empty() || removed_.count(action.node) > 0) return;
  if (peers_.is_linked(action.node)) {
    out_->push_back(Send{action.node, std::move(action.state)});
  } else {
    peers_.advertised(action.node, action.address, now_);
  }
}

void Engine::carry_out(const membership::MemberChanged& action) {
  is_fleet_stale_ = true;
  if (removed_.count(action.node) > 0) return;
  const bool is_here = action.state <= core::MemberState::kSuspect;
  if (is_here) peers_.advertised(action.node, action.profile->address, now_);
  const bool is_dead = action.state == core::MemberState::kDead;
  // A link to the dead is one that has not noticed yet; what waits on it goes elsewhere.
  if (is_dead && peers_.is_linked(action.node)) {
    out_->push_back(CloseLink{action.node, "the fleet counts it as dead: " + action.why});
  }
  facade::EventRow row;
  row.type = std::string("node_") + to_string(action.state);
  row.message = action.node.text + " " + action.why;
  row.details["node"] = action.node.text;
  row.details["incarnation"] = std::to_string(action.incarnation);
  out_->push_back(Emit{std::move(row)});
}

void Engine::carry_out(const membership::MemberForgotten&) {
  is_fleet_stale_ = true;
}

void Engine::carry_out(const membership::LeaveTold&) {
  if (drain_) drain_->is_leave_told = true;
}

void Engine::on(const PacketReceived& event) {
  if (removed_.count(event.packet.from) > 0) return;
  run_membership(membership::PacketReceived{event.address, event.packet});
}

// Tells the fleet that this node leaves; true once that was told, or there is no more time.
bool Engine::has_left() {
  if (!std::exchange(drain_->is_leaving, true)) run_membership(membership::Leave{});
  if (drain_->is_leave_told || now_ >= drain_->deadline) return true;
  run_membership(membership::Tick{});
  return drain_->is_leave_told;
}

}  // namespace syncline::engine
