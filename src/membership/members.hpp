// The table of members.
//
// Of two rumours about one node the higher Standing holds, so the table is a join: any order of
// arrival ends in the same table (property-tested). Only the node itself raises its incarnation:
// an accusation is answered by a higher one. Dead and left members stay as tombstones for
// forget_dead_after, counted from their death and not from when this node heard of it.
//
// `why` something changed and who must be told is not decided here (rumours.cpp).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "core/check.hpp"
#include "core/packets.hpp"
#include "core/time.hpp"
#include "membership/suspicion.hpp"

namespace syncline::membership {

struct Standing {
  std::uint64_t incarnation = 0;
  core::MemberState state = core::MemberState::kAlive;
  auto operator<=>(const Standing&) const = default;
};
inline Standing standing_of(const core::Rumour& rumour) {
  return {rumour.incarnation, rumour.state};
}

struct Member {
  core::NodeId node;
  Standing standing;
  core::MemberProfile profile;
  std::string seen_at;                 // where its last packet came from; may be empty
  core::Instant changed_at;            // of the state; dead and left: when it died
  std::optional<Suspicion> suspicion;  // while suspect
  core::NodeId from;                   // who buried it

  bool is_here() const { return standing.state <= core::MemberState::kSuspect; }
  bool is_gone() const { return !is_here(); }
  // Where to send to: what it says of itself, else where it was seen. Empty: over its link.
  const std::string& address() const { return profile.address.empty() ? seen_at : profile.address; }
};

class Members {
 public:
  Members() = default;
  Members(const Members&) = delete;  // here_ points into members_
  Members& operator=(const Members&) = delete;

  // Takes the rumour's standing if it is higher than what is known; a profile comes along. Null:
  // it is not, or the table is full (kMembersMax). `suspicion` is left to the caller.
  Member* raise(const core::Rumour& rumour, core::Instant now);
  void forget(const core::NodeId& node);

  const Member* find(const core::NodeId& node) const;
  Member* find(const core::NodeId& node);
  const std::map<core::NodeId, Member>& all() const { return members_; }
  std::size_t here() const { return here_.size(); }  // alive and suspect
  // In no order that means anything; stable between two changes of the table.
  const std::vector<Member*>& those_here() const { return here_; }
  const std::set<core::NodeId>& suspects() const { return suspects_; }
  const std::set<core::NodeId>& gone() const { return gone_; }
  std::uint64_t refused() const { return refused_; }  // rumours of new nodes beyond the bound

 private:
  void index(Member& member, bool was_here);
  std::map<core::NodeId, Member> members_;             // nodes of a map stay where they are
  std::unordered_map<core::NodeId, Member*> by_name_;  // each packet looks up several
  std::vector<Member*> here_;
  std::map<core::NodeId, std::size_t> here_at_;
  std::set<core::NodeId> suspects_;
  std::set<core::NodeId> gone_;
  std::uint64_t refused_ = 0;
};

// As others shall hear it: with the profile, and the age of a tombstone.
core::Rumour rumour_of(const Member& member, core::Instant now);

}  // namespace syncline::membership
