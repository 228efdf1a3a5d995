#include "membership/membership.hpp"

#include <algorithm>

namespace syncline::membership {

using core::Instant;
using core::MemberState;
using core::NodeId;
using core::Rumour;

namespace {
constexpr std::size_t kContactsMax = 64;

bool differs_in_more_than_load(const core::MemberProfile& a, core::MemberProfile b) {
  b.meta.free_bytes = a.meta.free_bytes;
  b.meta.total_bytes = a.meta.total_bytes;
  b.meta.load_permille = a.meta.load_permille;
  return !(a == b);
}
}  // namespace

Settings settings_from(const core::MembershipConfig& config) {
  Settings settings;
  settings.probe_interval = core::milliseconds(config.probe_interval_ms);
  settings.probe_timeout = core::milliseconds(config.probe_timeout_ms);
  settings.indirect_probes = config.indirect_probes;
  settings.suspicion_mult = config.suspicion_mult;
  settings.suspicion_max_mult = config.suspicion_max_mult;
  settings.gossip_fan_out = config.gossip_fan_out;
  settings.gossip_interval = core::milliseconds(config.gossip_interval_ms);
  settings.push_pull_interval = core::milliseconds(config.push_pull_interval_ms);
  settings.forget_dead_after = core::milliseconds(config.forget_dead_after_ms);
  return settings;
}

Membership::Membership(NodeId self, std::uint64_t incarnation, core::MemberProfile own,
                       Settings settings, std::uint64_t seed)
    : self_(std::move(self)),
      settings_(settings),
      dice_(seed),
      ring_(self_),
      awareness_(settings.awareness_max),
      next_number_(dice_.draw()) {
  SYNCLINE_CHECK(core::is_node_id(self_.text), "node id", self_);
  Rumour birth{self_, MemberState::kAlive, incarnation, self_, 0, bounded(std::move(own))};
  members_.raise(birth, now_);
  queue_.add(std::move(birth));
}

void Membership::step(const Event& event, Instant now, Actions& out) {
  now_ = std::max(now_, now);
  if (has_left_) return;
  if (!has_started_) start();
  if (!leave_by_) make_up_for_sleep();
  std::visit([&](const auto& e) { on(e, out); }, event);
  due_at_ = next_wake();
  if (due_at_) due_at_ = std::max(*due_at_, now_);
}

// A fleet that starts together shall not ask together: the first turns are drawn.
void Membership::start() {
  has_started_ = true;
  const auto within = [&](core::Duration d) {
    return now_ + core::Duration(static_cast<std::int64_t>(
                      dice_.below(static_cast<std::size_t>(d.count()) + 1)));
  };
  probe_at_ = within(settings_.probe_interval);
  exchange_at_ = within(settings_.push_pull_interval);
  gossip_at_ = knock_at_ = load_at_ = now_;
  knock_pause_ = settings_.join_retry;
}

bool Membership::is_alone() const {
  const std::vector<Member*>& here = members_.those_here();
  return here.empty() || (here.size() == 1 && here.front()->node == self_);
}

// The answers of that time are still in the socket, or lost: who was suspect then gets the time
// back, and a probe that ran tells nothing.
void Membership::make_up_for_sleep() {
  if (!due_at_ || now_ - *due_at_ < settings_.probe_interval) return;
  const core::Duration lost = now_ - *due_at_;
  for (const NodeId& node : members_.suspects()) members_.find(node)->suspicion->postpone(lost);
  probe_.reset();
  awareness_.note(HealthSign::kProbeFailed);
}

void Membership::on(const Tick&, Actions& out) {
  tend_relays(out);
  if (leave_by_) {
    gossip(out);
    if (now_ >= *leave_by_ || is_alone() || !queue_.speaks_of(self_)) {
      has_left_ = true;
      out.push_back(LeaveTold{});
    }
    return;
  }
  if (load_news_ && now_ >= load_at_) announce(self().standing.incarnation + 1);
  probe(out);
  bury_overdue(out);  // after the probe: what it found may be the last confirmation
  forget_overdue(out);
  if (is_alone()) {
    knock(out);
  } else if (now_ >= exchange_at_) {
    exchange(out);
  }
  gossip(out);
}

std::optional<Instant> Membership::next_wake() const {
  if (has_left_) return std::nullopt;
  if (!has_started_) return now_;
  std::optional<Instant> wake;
  const auto at = [&](Instant when) { wake = wake ? std::min(*wake, when) : when; };
  for (const auto& [number, relay] : relays_) at(relay.is_nacked ? relay.ends_at : relay.nack_at);
  if (!queue_.empty() && (leave_by_ || !is_alone())) at(gossip_at_);
  if (leave_by_) {
    at(*leave_by_);
    return wake;
  }
  for (const NodeId& node : members_.suspects()) {
    const Suspicion& suspicion = *members_.find(node)->suspicion;
    at(suspicion.is_asked() ? suspicion.ends_at(settings_.probe_interval)
                            : suspicion.ask_at(settings_.probe_interval));
  }
  if (!members_.gone().empty()) at(forget_at_);
  if (load_news_) at(load_at_);
  if (probe_) {
    at(probe_->is_indirect ? probe_->ends_at : std::min(probe_->indirect_at, probe_->ends_at));
  } else if (!is_alone()) {
    at(probe_at_);
  }
  if (!is_alone()) {
    at(exchange_at_);
  } else if (!contacts_.empty()) {
    at(knock_at_);
  }
  return wake;
}

void Membership::on(const PacketReceived& event, Actions& out) {
  const NodeId& from = event.packet.from;
  if (from == self_) return;  // our own, sent back to us
  Member* sender = members_.find(from);
  const bool was_gone = sender != nullptr && sender->is_gone();
  if (sender != nullptr && !event.address.empty()) sender->was_seen_at(event.address);
  // First the rumours, so that an answer to them goes out with the answer to the packet.
  for (const Rumour& rumour : event.packet.rumours) hear(rumour, Source::kPacket, out);
  std::visit([&](const auto& body) { take(event, body, out); }, event.packet.body);
  if (leave_by_) return;
  sender = members_.find(from);
  if (sender == nullptr) {
    meet(from, event.address, out);
  } else if (was_gone && sender->is_here()) {
    exchange_with(from, event.address, out);  // whatever both sides have missed
  }
}

void Membership::on(const StateReceived& event, Actions& out) {
  if (event.peer == self_ || leave_by_) return;
  // Who knows nobody is told what the fleet has known for long: no news for others.
  const Source source = is_alone() ? Source::kFirstExchange : Source::kExchange;
  for (const Rumour& rumour : event.state.members) hear(rumour, source, out);
  if (event.state.wants_answer) out.push_back(ExchangeState{event.peer, "", state(false)});
  const Member* peer = members_.find(event.peer);
  if (peer == nullptr || !peer->is_gone()) return;
  // It lives and does not know that it is taken for dead.
  send(event.peer, peer->address(), core::PacketPing{next_number_++, event.peer}, out);
}

void Membership::on(const AddressLearned& event, Actions& out) {
  if (event.node == self_ || leave_by_ || !core::is_member_address(event.address)) return;
  if (event.node.empty()) {
    if (event.address.empty() || contacts_.size() >= kContactsMax) return;
    if (std::find(contacts_.begin(), contacts_.end(), event.address) != contacts_.end()) return;
    contacts_.push_back(event.address);
    if (!is_alone()) exchange_with({}, event.address, out);  // perhaps another island
    knock_at_ = now_;
    return;
  }
  Member* member = members_.find(event.node);
  if (member == nullptr) {
    meet(event.node, event.address, out);
    return;
  }
  if (!event.address.empty()) member->was_seen_at(event.address);
  // It can be asked now what it was not heard to answer before.
  const MemberState state = member->standing.state;
  if (state == MemberState::kSuspect || state == MemberState::kDead) {
    send(event.node, event.address, core::PacketPing{next_number_++, event.node}, out);
  }
}

void Membership::announce(std::uint64_t incarnation) {
  Rumour news{self_,       MemberState::kAlive,
              incarnation, self_,
              0,           load_news_ ? core::SharedProfile(*load_news_) : self().profile};
  load_news_.reset();
  load_at_ = now_ + load_pause();
  members_.raise(news, now_);
  queue_.add(std::move(news));
}

core::Duration Membership::load_pause() const {
  const std::size_t n = std::max<std::size_t>(32, members_.here());
  return settings_.load_interval * static_cast<std::int64_t>(n) / 32;
}

void Membership::on(const ProfileChanged& event, Actions&) {
  core::MemberProfile profile = bounded(event.profile);
  if (leave_by_) return;
  if (profile == *self().profile) {
    load_news_.reset();
    return;
  }
  const bool is_urgent = differs_in_more_than_load(*self().profile, profile);
  load_news_ = std::move(profile);
  if (is_urgent) announce(self().standing.incarnation + 1);
}

void Membership::on(const Removed& event, Actions& out) {
  const Member* member = members_.find(event.node);
  if (member == nullptr || event.node == self_ || leave_by_) return;
  hear({event.node, MemberState::kLeft, member->standing.incarnation, self_, 0, {}},
       Source::kPacket, out);
}

void Membership::on(const Leave&, Actions&) {
  if (leave_by_) return;
  leave_by_ = now_ + settings_.leave_deadline;
  probe_.reset();
  Rumour goodbye{self_, MemberState::kLeft, self().standing.incarnation, self_, 0, {}};
  members_.raise(goodbye, now_);
  queue_.add(std::move(goodbye));
  gossip_at_ = now_;
}

}  // namespace syncline::membership
