// How news travel: on packets, in rounds, and in full exchanges.
#include <algorithm>
#include <cmath>

#include "membership/membership.hpp"

namespace syncline::membership {

using core::MemberState;
using core::NodeId;
using core::Rumour;

namespace {
constexpr std::size_t kMetMax = 256;
}  // namespace

void Membership::send(const NodeId& to, const std::string& address, core::PacketBody body,
                      Actions& out) {
  core::Packet packet{self_, std::move(body), {}};
  const Member* receiver = members_.find(to);
  if (receiver != nullptr && receiver->standing.state != MemberState::kAlive) {
    // Lifeguard's buddy system: whoever is accused hears it first of all.
    Rumour accusation = rumour_of(*receiver, now_);
    accusation.profile.reset();
    packet.rumours.push_back(std::move(accusation));
  }
  const std::size_t members = std::max<std::size_t>(1, members_.here());
  queue_.fill(packet, to, core::kPacketBytesMax,
              retransmit_limit(settings_.retransmit_mult, members));
  const bool says_nothing =
      std::holds_alternative<core::PacketNews>(packet.body) && packet.rumours.empty();
  if (!says_nothing) out.push_back(SendPacket{to, address, std::move(packet)});
}

// Drawn, each at most once; those no worse than `worst`. With far more members than `count` a few
// draws do; in a small fleet a repeated miss costs one message less.
std::vector<const Member*> Membership::draw_members(std::size_t count, const NodeId& except,
                                                    MemberState worst) {
  std::vector<const Member*> drawn;
  const std::vector<Member*>& here = members_.those_here();
  for (std::size_t tries = 0; tries < 32 * count && !here.empty(); ++tries) {
    const Member* member = here[dice_.below(here.size())];
    if (member->node == self_ || member->node == except || member->standing.state > worst ||
        std::find(drawn.begin(), drawn.end(), member) != drawn.end()) {
      continue;
    }
    drawn.push_back(member);
    if (drawn.size() == count) break;
  }
  return drawn;
}

void Membership::gossip(Actions& out) {
  if (queue_.empty() || now_ < gossip_at_ || is_alone()) return;
  gossip_at_ = now_ + settings_.gossip_interval;
  const auto count = static_cast<std::size_t>(settings_.gossip_fan_out);
  std::vector<const Member*> told = draw_members(count, self_, MemberState::kSuspect);
  // One other: nobody is left to be told of it.
  if (members_.here() == (self().is_here() ? 2u : 1u)) queue_.drop(told.at(0)->node);
  std::vector<const Member*> newly_dead;
  for (const NodeId& node : members_.gone()) {
    const Member* member = members_.find(node);
    if (member->standing.state == MemberState::kDead &&
        now_ - member->changed_at < settings_.gossip_to_dead) {
      newly_dead.push_back(member);
    }
  }
  // As often as one of the living would be told.
  if (!newly_dead.empty() && !told.empty() &&
      dice_.below(members_.here() + newly_dead.size()) < newly_dead.size()) {
    told.back() = newly_dead[dice_.below(newly_dead.size())];
  }
  for (const Member* member : told) send(member->node, member->address(), core::PacketNews{}, out);
}

core::PushPull Membership::state(bool wants_answer) const {
  core::PushPull state;
  state.wants_answer = wants_answer;
  state.members.reserve(members_.size());
  for (const Member* member : members_.all()) {
    state.members.push_back(rumour_of(*member, now_));
    // The dead may be asked again at their address; the left are not coming back there.
    if (member->standing.state == MemberState::kLeft) state.members.back().profile.reset();
  }
  return state;
}

core::Duration Membership::exchange_pause() const {
  const double n = static_cast<double>(members_.here());
  const double scale = n <= 32 ? 1.0 : std::log2(n) - 4.0;
  return core::from_seconds(core::to_seconds(settings_.push_pull_interval) * scale);
}

void Membership::exchange_with(const NodeId& node, const std::string& address, Actions& out) {
  out.push_back(ExchangeState{node, address, state(true)});
}

void Membership::exchange(Actions& out) {
  exchange_at_ = now_ + exchange_pause();
  for (const Member* member : draw_members(1, self_, MemberState::kAlive)) {
    exchange_with(member->node, member->profile->address, out);
  }
  ask_one_dead(out);
}

// After a partition each side believes the other dead, and nobody would ever ask again. One is
// asked per turn, with a chance of dead : living, so that the fleet together spends about one
// packet per dead member and turn. It answers what it hears of itself with a refutation.
void Membership::ask_one_dead(Actions& out) {
  std::vector<const Member*> dead;
  for (const NodeId& node : members_.gone()) {
    const Member* member = members_.find(node);
    if (member->standing.state == MemberState::kDead) dead.push_back(member);
  }
  if (dead.empty() || dice_.below(std::max<std::size_t>(1, members_.here())) >= dead.size()) return;
  const Member* member = dead[dice_.below(dead.size())];
  send(member->node, member->address(), core::PacketPing{next_number_++, member->node}, out);
}

// A packet or a link from a node that is not in the table: it is asked for all it knows, but not
// for every packet of its.
void Membership::meet(const NodeId& node, const std::string& address, Actions& out) {
  const auto is_stale = [&](const auto& met) {
    return now_ - met.second >= settings_.push_pull_interval;
  };
  auto met = met_.find(node);
  if (met != met_.end() && now_ - met->second < settings_.join_retry) return;
  if (met == met_.end() && met_.size() >= kMetMax) {
    std::erase_if(met_, is_stale);
    if (met_.size() >= kMetMax) return;
  }
  met_[node] = now_;
  exchange_with(node, address, out);
}

void Membership::knock(Actions& out) {
  if (contacts_.empty() || now_ < knock_at_) return;
  knock_at_ = now_ + knock_pause_;
  knock_pause_ = std::min(knock_pause_ * 2, settings_.push_pull_interval);
  for (const std::string& address : contacts_) exchange_with({}, address, out);
}

}  // namespace syncline::membership
