// Asking members whether they are there: one's own probes, and those made for others.
#include <algorithm>

#include "membership/membership.hpp"

namespace syncline::membership {

using core::MemberState;
using core::NodeId;

namespace {
// Probes for others at once; a fleet that asks one node for more gets no nacks from it.
constexpr std::size_t kRelaysMax = 256;
}  // namespace

void Membership::probe(Actions& out) {
  if (probe_ && now_ >= probe_->ends_at) end_probe(out);
  if (probe_ && !probe_->is_indirect && now_ >= probe_->indirect_at) ask_others(out);
  if (!probe_ && now_ >= probe_at_) begin_probe(out);
}

void Membership::begin_probe(Actions& out) {
  const core::Duration period = awareness_.scaled(settings_.probe_interval);
  // One beat after the other; what was missed meanwhile is not made up for.
  probe_at_ = (probe_at_ + period > now_ ? probe_at_ : now_) + period;
  const std::optional<NodeId> target = ring_.next(members_, dice_);
  if (!target) return;
  const Member& member = *members_.find(*target);
  Probe probe;
  probe.number = next_number_++;
  probe.target = *target;
  probe.incarnation = member.standing.incarnation;
  probe.indirect_at = now_ + awareness_.scaled(settings_.probe_timeout);
  probe.ends_at = now_ + period;
  ++counts_.probes;
  send(*target, member.address(), core::PacketPing{probe.number, *target}, out);
  probe_ = std::move(probe);
}

void Membership::ask_others(Actions& out) {
  probe_->is_indirect = true;
  const Member* target = members_.find(probe_->target);
  if (target == nullptr) return;
  const auto count = static_cast<std::size_t>(settings_.indirect_probes);
  for (const Member* helper : draw_members(count, probe_->target, MemberState::kAlive)) {
    probe_->helpers.insert(helper->node);
    send(helper->node, helper->address(),
         core::PacketPingRequest{probe_->number, probe_->target, target->address()}, out);
  }
  // Where datagrams are blocked, a link still tells the living from the dead.
  if (!target->address().empty()) {
    send(probe_->target, "", core::PacketPing{probe_->number, probe_->target}, out);
  }
}

void Membership::end_probe(Actions& out) {
  const Probe failed = *std::exchange(probe_, std::nullopt);
  ++counts_.probes_failed;
  awareness_.note(HealthSign::kProbeFailed);
  if (!failed.helpers.empty()) awareness_.note(HealthSign::kNackMissed);
  const Member* member = members_.find(failed.target);
  // It has said something new of itself since it was asked, so it lives; or it is gone by now.
  if (member == nullptr || member->is_gone() ||
      member->standing.incarnation != failed.incarnation) {
    return;
  }
  if (member->standing.state == MemberState::kAlive) ++counts_.accusations;
  hear({failed.target, MemberState::kSuspect, failed.incarnation, self_, 0, {}}, Source::kPacket,
       out);
}

void Membership::take(const PacketReceived& from, const core::PacketPing& ping, Actions& out) {
  if (ping.target != self_) return;  // the address belongs to somebody else now
  send(from.packet.from, from.address, core::PacketAck{ping.number}, out);
}

void Membership::take(const PacketReceived& from, const core::PacketPingRequest& request,
                      Actions& out) {
  if (leave_by_) return;
  if (request.target == self_) {
    send(from.packet.from, from.address, core::PacketAck{request.number}, out);
    return;
  }
  if (relays_.size() >= kRelaysMax) return;
  const Member* target = members_.find(request.target);
  // Our own knowledge first: the asker's may be what is wrong.
  const std::string address =
      target != nullptr && !target->address().empty() ? target->address() : request.address;
  const std::uint64_t number = next_number_++;
  const auto nack_after =
      core::from_seconds(core::to_seconds(settings_.probe_timeout) * settings_.nack_after);
  relays_[number] = {from.packet.from,
                     from.address,
                     request.number,
                     now_ + nack_after,
                     now_ + 2 * settings_.probe_interval,
                     false};
  send(request.target, address, core::PacketPing{number, request.target}, out);
}

void Membership::take(const PacketReceived&, const core::PacketAck& ack, Actions& out) {
  if (probe_ && probe_->number == ack.number) {
    awareness_.note(HealthSign::kProbeSucceeded);
    probe_.reset();
    return;
  }
  auto relay = relays_.find(ack.number);
  if (relay == relays_.end()) return;  // too late
  const Relay done = relay->second;
  relays_.erase(relay);
  send(done.asker, done.asker_address, core::PacketAck{done.asker_number}, out);
}

void Membership::take(const PacketReceived& from, const core::PacketNack& nack, Actions&) {
  if (probe_ && probe_->number == nack.number) probe_->helpers.erase(from.packet.from);
}

void Membership::take(const PacketReceived&, const core::PacketNews&, Actions&) {}

void Membership::tend_relays(Actions& out) {
  for (auto it = relays_.begin(); it != relays_.end();) {
    Relay& relay = it->second;
    if (!relay.is_nacked && now_ >= relay.nack_at) {
      relay.is_nacked = true;
      send(relay.asker, relay.asker_address, core::PacketNack{relay.asker_number}, out);
    }
    it = now_ >= relay.ends_at ? relays_.erase(it) : std::next(it);
  }
}

}  // namespace syncline::membership
