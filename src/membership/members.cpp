#include "membership/members.hpp"

#include <algorithm>

namespace syncline::membership {

using core::MemberState;
using core::NodeId;
using core::Rumour;

const Member* Members::find(const NodeId& node) const {
  const auto found = by_name_.find(node);
  return found == by_name_.end() ? nullptr : found->second;
}
Member* Members::find(const NodeId& node) {
  const auto found = by_name_.find(node);
  return found == by_name_.end() ? nullptr : found->second;
}

Member* Members::raise(const Rumour& rumour, core::Instant now) {
  Member* member = find(rumour.node);
  if (member != nullptr && standing_of(rumour) <= member->standing) return nullptr;
  bool was_here = false;
  if (member == nullptr) {
    if (members_.size() >= core::kMembersMax) {
      ++refused_;
      return nullptr;
    }
    member = &members_[rumour.node];
    member->node = rumour.node;
    by_name_[rumour.node] = member;
  } else {
    was_here = member->is_here();
  }
  const bool has_moved = member->standing.state != rumour.state || !was_here;
  member->standing = standing_of(rumour);
  member->from = rumour.from;
  if (rumour.profile) member->profile = *rumour.profile;
  if (has_moved) member->changed_at = now;
  if (member->is_gone()) member->changed_at = now - core::seconds(rumour.age_s);
  if (rumour.state != MemberState::kSuspect) member->suspicion.reset();
  index(*member, was_here);
  return member;
}

void Members::index(Member& member, bool was_here) {
  const NodeId& node = member.node;
  if (member.is_here() && !was_here) {
    here_at_[node] = here_.size();
    here_.push_back(&member);
    gone_.erase(node);
  } else if (member.is_gone()) {
    if (was_here) {  // the last one takes its place
      const std::size_t at = here_at_.at(node);
      here_[at] = here_.back();
      here_at_[here_[at]->node] = at;
      here_.pop_back();
      here_at_.erase(node);
    }
    gone_.insert(node);
  }
  if (member.standing.state == MemberState::kSuspect) {
    suspects_.insert(node);
  } else {
    suspects_.erase(node);
  }
}

void Members::forget(const NodeId& node) {
  SYNCLINE_CHECK(gone_.count(node) > 0, "forgetting", node, "that is not gone");
  const NodeId name = node;  // it may be the member's own
  gone_.erase(name);
  by_name_.erase(name);
  members_.erase(name);
}

Rumour rumour_of(const Member& member, core::Instant now) {
  Rumour rumour;
  rumour.node = member.node;
  rumour.state = member.standing.state;
  rumour.incarnation = member.standing.incarnation;
  rumour.from = member.from;
  if (member.suspicion) rumour.from = member.suspicion->accusers().front();
  if (member.is_gone()) {
    const auto age = std::chrono::duration_cast<core::seconds>(now - member.changed_at).count();
    rumour.age_s = static_cast<std::uint32_t>(std::clamp<std::int64_t>(age, 0, UINT32_MAX));
  }
  rumour.profile = member.profile;
  return rumour;
}

}  // namespace syncline::membership
