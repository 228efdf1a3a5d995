// The embedded election: the highest-ranked live voter leads, as each node sees it by membership.
//
// Voters are the nodes with the role `voter`; where none has it, every permanent node. Rank is the
// order of node ids. Voters by role must be seen alive by more than half, so that of a divided
// fleet one side has a leader at most; without the role there is no such count (machines come and
// go), and both sides may have one.
// A leader claims an epoch above all that it knows of, and tells the fleet; whoever knows of a
// higher epoch ignores the lower one. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "coordination/types.hpp"

namespace syncline::coordination {

struct Voter {
  core::NodeId id;
  bool is_alive = false;
};

class RankElection {
 public:
  explicit RankElection(core::NodeId self) : self_(std::move(self)) {}

  // `voters`: all that are known, this node among them if it is one. `are_by_role`: they have the
  // role. `claims`: the epoch that each node told last, this one included. Answers who leads now;
  // claim() is what this node has to tell.
  const Leadership& look(const std::vector<Voter>& voters, bool are_by_role,
                         const std::map<core::NodeId, std::uint64_t>& claims);

  const Leadership& leadership() const { return leadership_; }
  std::uint64_t claim() const { return claim_; }  // 0: it has never led
  bool is_leading() const { return leadership_.leader == self_ && !self_.empty(); }

 private:
  core::NodeId self_;
  std::uint64_t claim_ = 0;
  Leadership leadership_;
};

}  // namespace syncline::coordination
