// What a rumour changes, and what is answered to it.
#include <algorithm>

#include "core/text.hpp"
#include "membership/membership.hpp"

namespace syncline::membership {

using core::MemberState;
using core::NodeId;
using core::Rumour;

void Membership::hear(const Rumour& rumour, Source source, Actions& out) {
  if (rumour.incarnation > core::kIncarnationMax) return;
  if (rumour.node == self_) return hear_of_self(rumour);
  if (rumour.state == MemberState::kAlive) return hear_alive(rumour, source, out);
  if (rumour.state == MemberState::kSuspect) return hear_suspect(rumour, out);
  const Member* known = members_.find(rumour.node);
  if (source != Source::kPacket && rumour.state == MemberState::kDead && known != nullptr &&
      known->is_here()) {
    // Two sides of a partition meet: each has buried the other. Whoever lives may refute first.
    Rumour doubt = rumour;
    doubt.state = MemberState::kSuspect;
    doubt.age_s = 0;
    return hear_suspect(std::move(doubt), out);
  }
  hear_gone(rumour, out);
}

void Membership::hear_of_self(const Rumour& rumour) {
  if (standing_of(rumour) <= self().standing) {
    // Who accuses an earlier life has missed the news of this one: it is told again, and what goes
    // to the accuser now carries it.
    const bool is_accused =
        rumour.state != MemberState::kAlive && rumour.state != self().standing.state;
    if (is_accused && !queue_.speaks_of(self_)) queue_.add(rumour_of(self(), now_));
    return;
  }
  if (leave_by_) {  // said again, above whatever they say
    Rumour goodbye{self_, MemberState::kLeft, rumour.incarnation + 1, self_, 0, {}};
    members_.raise(goodbye, now_);
    queue_.add(std::move(goodbye));
    return;
  }
  if (rumour.state != MemberState::kAlive) {
    ++counts_.refutations;
    awareness_.note(HealthSign::kRefuted);
  }  // else: they know a later life of ours than we do, because our disk was lost
  announce(rumour.incarnation + 1);
}

void Membership::hear_alive(const Rumour& rumour, Source source, Actions& out) {
  if (!rumour.profile) return;
  const Member* before = members_.find(rumour.node);
  const bool is_new = before == nullptr;
  const bool was_here = !is_new && before->is_here();
  const bool was_suspect = was_here && before->standing.state == MemberState::kSuspect;
  const bool has_new_profile = is_new || !(before->profile == rumour.profile);
  const Member* member = members_.raise(rumour, now_);
  if (member == nullptr) return;
  if (source != Source::kFirstExchange) queue_.add(rumour);
  if (!was_here) ring_.came(*member, dice_);
  if (is_new) {
    tell_shell(*member, "joined", out);
  } else if (!was_here) {
    tell_shell(*member, "is back, with a new incarnation", out);
  } else if (was_suspect) {
    tell_shell(*member, "refuted the suspicion", out);
  } else if (has_new_profile) {
    tell_shell(*member, "says something new of itself", out);
  }
}

void Membership::hear_suspect(Rumour rumour, Actions& out) {
  Member* member = members_.find(rumour.node);
  if (member == nullptr) {
    if (!rumour.profile) return;  // of nobody known, and nobody could ask it
    Rumour alive = rumour;
    alive.state = MemberState::kAlive;
    alive.from = rumour.node;
    hear_alive(alive, Source::kPacket, out);
    member = members_.find(rumour.node);
    if (member == nullptr) return;
  }
  if (member->suspicion && member->standing == standing_of(rumour)) {
    if (!member->suspicion->confirm(rumour.from)) return;
    rumour.profile.reset();
    queue_.add(std::move(rumour));
    return;
  }
  const bool was_here = member->is_here();
  const NodeId accuser = rumour.from;
  if (members_.raise(rumour, now_) == nullptr) return;
  if (!was_here) ring_.came(*member, dice_);
  member->suspicion =
      std::make_unique<Suspicion>(suspicion_times(settings_, members_.here()), accuser, now_);
  rumour.profile.reset();
  queue_.add(std::move(rumour));
  tell_shell(*member, accuser == self_ ? "gives no answer" : "gives " + accuser.text + " no answer",
             out);
}

void Membership::hear_gone(const Rumour& rumour, Actions& out) {
  if (core::seconds(rumour.age_s) >= settings_.forget_dead_after) return;
  const Member* before = members_.find(rumour.node);
  const bool was_here = before != nullptr && before->is_here();
  std::string why = "has left";
  if (rumour.state == MemberState::kLeft && rumour.from != rumour.node) {
    why = "was removed by " + rumour.from.text;
  } else if (rumour.state == MemberState::kDead) {
    why = "was found dead by " + rumour.from.text;
    if (rumour.from == self_ && before != nullptr && before->suspicion) {
      const Suspicion& suspicion = *before->suspicion;
      std::vector<std::string> accusers;
      for (const NodeId& node : suspicion.accusers()) accusers.push_back(node.text);
      why = "no answer in " + core::say_seconds(core::to_seconds(now_ - suspicion.began_at())) +
            ", says " + core::say_list(accusers, 4);
    }
  }
  const Member* member = members_.raise(rumour, now_);
  if (member == nullptr) return;
  const core::Instant expires_at = member->changed_at + settings_.forget_dead_after;
  forget_at_ = members_.gone().size() == 1 ? expires_at : std::min(forget_at_, expires_at);
  if (was_here) {  // of others there is nothing to tell: only a tombstone more
    Rumour told = rumour;
    told.profile.reset();
    queue_.add(std::move(told));
  }
  tell_shell(*member, why, out);
}

void Membership::bury_overdue(Actions& out) {
  std::vector<NodeId> overdue;
  for (const NodeId& node : members_.suspects()) {
    Member& member = *members_.find(node);
    Suspicion& suspicion = *member.suspicion;
    if (!suspicion.is_asked()) {
      if (now_ >= suspicion.ask_at(settings_.probe_interval)) ask_suspect(member, out);
    } else if (now_ >= suspicion.ends_at(settings_.probe_interval)) {
      overdue.push_back(node);
    }
  }
  for (const NodeId& node : overdue) {
    ++counts_.burials;
    const std::uint64_t incarnation = members_.find(node)->standing.incarnation;
    hear_gone({node, MemberState::kDead, incarnation, self_, 0, {}}, out);
  }
}

// With the accusation (send() adds it), so that it can contradict; over its link as well, for the
// case that datagrams are lost.
void Membership::ask_suspect(Member& suspect, Actions& out) {
  suspect.suspicion->asked(now_);
  const core::PacketPing ping{next_number_++, suspect.node};
  if (!suspect.address().empty()) send(suspect.node, suspect.address(), ping, out);
  send(suspect.node, "", ping, out);
}

void Membership::forget_overdue(Actions& out) {
  if (members_.gone().empty() || now_ < forget_at_) return;
  std::vector<NodeId> overdue;
  std::optional<core::Instant> next;
  for (const NodeId& node : members_.gone()) {
    const core::Instant expires_at = members_.find(node)->changed_at + settings_.forget_dead_after;
    if (expires_at <= now_ && node != self_) {
      overdue.push_back(node);
    } else if (!next || expires_at < *next) {
      next = expires_at;
    }
  }
  if (next) forget_at_ = *next;
  for (const NodeId& node : overdue) {
    queue_.drop(node);
    members_.forget(node);
    out.push_back(MemberForgotten{node});
  }
}

void Membership::tell_shell(const Member& member, std::string why, Actions& out) {
  out.push_back(MemberChanged{member.node, member.standing.state, member.standing.incarnation,
                              std::move(why), member.profile});
}

}  // namespace syncline::membership
