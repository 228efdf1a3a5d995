#include "membership/members.hpp"

#include <algorithm>

namespace syncline::membership {

using core::MemberState;
using core::NodeId;
using core::Rumour;

const Member* Members::find(const NodeId& node) const {
  const auto found = by_name_.find(std::string_view(node.text));
  return found == by_name_.end() ? nullptr : *found;
}
Member* Members::find(const NodeId& node) {
  const auto found = by_name_.find(std::string_view(node.text));
  return found == by_name_.end() ? nullptr : *found;
}

std::vector<const Member*> Members::all() const {
  std::vector<const Member*> all;
  all.reserve(size());
  for (const Member& member : slots_) {
    if (!member.node.empty()) all.push_back(&member);
  }
  return all;
}

const Member* Members::at(std::uint32_t slot) const {
  const bool is_taken = slot < slots_.size() && !slots_[slot].node.empty();
  return is_taken ? &slots_[slot] : nullptr;
}

Member& Members::add(const NodeId& node) {
  if (free_.empty()) {
    const auto slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back().slot = slot;
    free_.push_back(slot);
  }
  Member& member = slots_[free_.back()];
  free_.pop_back();
  member.node = node;
  by_name_.insert(&member);
  return member;
}

Member* Members::raise(const Rumour& rumour, core::Instant now) {
  Member* member = find(rumour.node);
  if (member != nullptr && standing_of(rumour) <= member->standing) return nullptr;
  bool was_here = false;
  if (member == nullptr) {
    if (size() >= core::kMembersMax) {
      ++refused_;
      return nullptr;
    }
    member = &add(rumour.node);
  } else {
    was_here = member->is_here();
  }
  const bool has_moved = member->standing.state != rumour.state || !was_here;
  member->standing = standing_of(rumour);
  member->told_by = rumour.from == rumour.node ? nullptr : std::make_unique<NodeId>(rumour.from);
  if (rumour.profile) member->profile = rumour.profile;
  if (has_moved) member->changed_at = now;
  if (member->is_gone()) member->changed_at = now - core::seconds(rumour.age_s);
  if (rumour.state != MemberState::kSuspect) member->suspicion.reset();
  index(*member, was_here);
  return member;
}

void Members::index(Member& member, bool was_here) {
  const NodeId& node = member.node;
  if (member.is_here() && !was_here) {
    member.here_at = static_cast<std::uint32_t>(here_.size());
    here_.push_back(&member);
    gone_.erase(node);
  } else if (member.is_gone()) {
    if (was_here) {  // the last one takes its place
      here_[member.here_at] = here_.back();
      here_[member.here_at]->here_at = member.here_at;
      here_.pop_back();
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
  Member& member = *find(node);
  const std::uint32_t slot = member.slot;
  gone_.erase(member.node);
  by_name_.erase(&member);
  member = Member{};
  member.slot = slot;
  free_.push_back(slot);
}

Rumour rumour_of(const Member& member, core::Instant now) {
  Rumour rumour;
  rumour.node = member.node;
  rumour.state = member.standing.state;
  rumour.incarnation = member.standing.incarnation;
  rumour.from = member.from();
  if (member.suspicion) rumour.from = member.suspicion->accusers().front();
  if (member.is_gone()) {
    const auto age = std::chrono::duration_cast<core::seconds>(now - member.changed_at).count();
    rumour.age_s = static_cast<std::uint32_t>(std::clamp<std::int64_t>(age, 0, UINT32_MAX));
  }
  rumour.profile = member.profile;
  return rumour;
}

}  // namespace syncline::membership
