#include "coordination/rank_election.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace syncline::coordination {

const Leadership& RankElection::look(const std::vector<Voter>& voters, bool are_by_role,
                                     const std::map<core::NodeId, std::uint64_t>& claims) {
  const Voter* first = nullptr;
  std::size_t alive = 0;
  for (const Voter& voter : voters) {
    if (!voter.is_alive) continue;
    ++alive;
    if (first == nullptr || voter.id < first->id) first = &voter;
  }
  const bool was_leading = is_leading();
  const bool has_majority = !are_by_role || 2 * alive > voters.size();
  if (first == nullptr || !has_majority) {
    leadership_.leader = core::NodeId();
    leadership_.why = are_by_role ? "only " + std::to_string(alive) + " of " +
                                        core::say_count(voters.size(), "voter") +
                                        " are seen alive, more than half are needed"
                                  : "no permanent node is seen alive";
    return leadership_;
  }
  std::uint64_t highest = claim_;
  for (const auto& [node, epoch] : claims) highest = std::max(highest, epoch);
  leadership_.leader = first->id;
  leadership_.why = "the first by name of " +
                    core::say_count(alive, are_by_role ? "live voter" : "live permanent node");
  if (first->id == self_) {
    // Somebody led meanwhile: what this node asks from now on is newer than that.
    if (!was_leading || highest > claim_) claim_ = highest + 1;
    leadership_.epoch = claim_;
  } else {
    const auto told = claims.find(first->id);
    leadership_.epoch = told == claims.end() ? 0 : told->second;
  }
  return leadership_;
}

}  // namespace syncline::coordination
