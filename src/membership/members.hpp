// The table of members.
//
// Of two rumours about one node the higher Standing holds, so the table is a join: any order of
// arrival ends in the same table (property-tested). Only the node itself raises its incarnation:
// an accusation is answered by a higher one. Dead and left members stay as tombstones for
// forget_dead_after, counted from their death and not from when this node heard of it.
//
// A table of 10,000 costs its node about 1.5 MB; one entry is kept small so that a whole fleet of
// that size can be simulated in one process.
//
// `why` something changed and who must be told is not decided here (rumours.cpp).
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string_view>
#include <unordered_set>
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
  core::SharedProfile profile = core::empty_profile();  // never none
  core::Instant changed_at;                             // of the state; dead and left: when it died
  std::unique_ptr<Suspicion> suspicion;                 // while suspect
  std::unique_ptr<core::NodeId> told_by;                // who buried it; null: the node itself
  std::unique_ptr<std::string> seen_at;  // where its last packet came from, if not its address
  std::uint32_t slot = 0;                // in the table
  std::uint32_t here_at = 0;             // among those here

  bool is_here() const { return standing.state <= core::MemberState::kSuspect; }
  bool is_gone() const { return !is_here(); }
  // Where to send to: what it says of itself, else where it was seen. Empty: over its link.
  const std::string& address() const {
    return profile->address.empty() && seen_at ? *seen_at : profile->address;
  }
  const core::NodeId& from() const { return told_by ? *told_by : node; }
  void was_seen_at(const std::string& address) {
    if (address == profile->address) {
      seen_at.reset();
    } else if (!seen_at || *seen_at != address) {
      seen_at = std::make_unique<std::string>(address);
    }
  }
};

class Members {
 public:
  Members() = default;
  Members(const Members&) = delete;  // here_ points into slots_
  Members& operator=(const Members&) = delete;

  // Takes the rumour's standing if it is higher than what is known; a profile comes along. Null:
  // it is not, or the table is full (kMembersMax). `suspicion` is left to the caller.
  Member* raise(const core::Rumour& rumour, core::Instant now);
  void forget(const core::NodeId& node);

  const Member* find(const core::NodeId& node) const;
  Member* find(const core::NodeId& node);
  std::size_t size() const { return by_name_.size(); }
  // In no order that means anything.
  std::vector<const Member*> all() const;
  // Null: nobody has the slot. A slot that was given up is given to the next that comes.
  const Member* at(std::uint32_t slot) const;
  std::size_t here() const { return here_.size(); }  // alive and suspect
  // In no order that means anything; stable between two changes of the table.
  const std::vector<Member*>& those_here() const { return here_; }
  const std::set<core::NodeId>& suspects() const { return suspects_; }
  const std::set<core::NodeId>& gone() const { return gone_; }
  std::uint64_t refused() const { return refused_; }  // rumours of new nodes beyond the bound

 private:
  struct ByName {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
    std::size_t operator()(const Member* member) const { return (*this)(member->node.text); }
  };
  struct SameName {
    using is_transparent = void;
    bool operator()(const Member* a, const Member* b) const { return a->node == b->node; }
    bool operator()(std::string_view name, const Member* b) const { return b->node.text == name; }
    bool operator()(const Member* a, std::string_view name) const { return a->node.text == name; }
  };
  Member& add(const core::NodeId& node);
  void index(Member& member, bool was_here);
  std::deque<Member> slots_;  // members stay where they are; no name: free
  std::vector<std::uint32_t> free_;
  std::unordered_set<Member*, ByName, SameName> by_name_;  // each packet looks up several
  std::vector<Member*> here_;
  std::set<core::NodeId> suspects_;
  std::set<core::NodeId> gone_;
  std::uint64_t refused_ = 0;
};

// As others shall hear it: with the profile, and the age of a tombstone.
core::Rumour rumour_of(const Member& member, core::Instant now);

}  // namespace syncline::membership
