// Who gets pushed records: the best targets that fail independently of the origin and each other.
#include <algorithm>
#include <optional>

#include "core/text.hpp"
#include "routing/router.hpp"

namespace syncline::routing {

namespace {

// What it is worth to leave a provider zone that is used already: less than a training job (50),
// more than a faster link (10).
constexpr Points kSameZone = 15 * kPoint;
// Beyond any score: a slow receiver comes after every other.
constexpr Points kSlow = 300 * kPoint;
// Permanent nodes that are tried as the one that must be among the receivers.
constexpr int kPermanentTried = 16;

struct Candidate {
  const NodeView* node = nullptr;
  Points points = 0;
};
using Candidates = std::vector<Candidate>;

bool is_same_zone(const Domain& a, const Domain& b) {
  return !a.zone.empty() && a.zone == b.zone && a.provider == b.provider;
}

bool shares_with_any(const Candidates& chosen, const Candidate& candidate) {
  return std::any_of(chosen.begin(), chosen.end(), [&](const Candidate& other) {
    return share_failure(candidate.node->domain, other.node->domain);
  });
}

Points points_beside(const Candidates& chosen, const Candidate& candidate) {
  const bool is_used = std::any_of(chosen.begin(), chosen.end(), [&](const Candidate& other) {
    return is_same_zone(candidate.node->domain, other.node->domain);
  });
  return candidate.points - (is_used ? kSameZone : 0);
}

// Adds the best that fails independently of `chosen`; false if there is none.
bool add_best(const Candidates& candidates, Candidates& chosen) {
  const Candidate* best = nullptr;
  Points best_points = 0;
  for (const Candidate& candidate : candidates) {
    if (best != nullptr && candidate.points <= best_points) continue;  // not even in a new zone
    if (shares_with_any(chosen, candidate)) continue;
    const Points points = points_beside(chosen, candidate);
    if (best != nullptr && points <= best_points) continue;
    best = &candidate;
    best_points = points;
  }
  if (best == nullptr) return false;
  chosen.push_back(*best);
  return true;
}

Candidates choose(const Candidates& candidates, std::size_t wanted,
                  const std::optional<Candidate>& forced) {
  Candidates chosen;
  Candidates rest = candidates;
  if (forced) {
    chosen.push_back(*forced);
    rest.erase(std::remove_if(rest.begin(), rest.end(),
                              [&](const Candidate& c) { return shares_with_any(chosen, c); }),
               rest.end());
  }
  while (chosen.size() < wanted && add_best(rest, chosen)) {
  }
  const std::size_t kept = forced ? 1 : 0;
  if (chosen.size() == wanted) return chosen;
  // One that scores high may stand between two others: then more copies beat more points.
  std::vector<const Domain*> domains;
  for (const Candidate& candidate : rest) domains.push_back(&candidate.node->domain);
  const auto subset = independent_subset(domains, wanted - kept);
  if (subset.size() + kept <= chosen.size()) return chosen;
  chosen.resize(kept);
  for (const std::size_t position : subset) chosen.push_back(rest[position]);
  return chosen;
}

bool has_permanent(const Candidates& chosen) {
  return std::any_of(chosen.begin(), chosen.end(),
                     [](const Candidate& c) { return !c.node->is_ephemeral; });
}

Candidates choose_with_permanent(const Candidates& candidates, std::size_t wanted) {
  Candidates chosen = choose(candidates, wanted, std::nullopt);
  if (chosen.empty() || has_permanent(chosen)) return chosen;
  Candidates best;
  int tried = 0;
  for (const Candidate& candidate : candidates) {
    if (candidate.node->is_ephemeral) continue;
    if (++tried > kPermanentTried || best.size() == wanted) break;
    Candidates with = choose(candidates, wanted, candidate);
    if (with.size() > best.size()) best = std::move(with);
  }
  return best.empty() ? chosen : best;
}

std::string why_of(const Receivers& receivers, std::size_t eligible, int acks) {
  const int domains = receivers.domains;
  if (domains == 0) {
    return eligible == 0 ? "no node can take it now"
                         : "none of the " + core::say_count(eligible, "eligible node") +
                               " fails independently of this one";
  }
  std::string said = core::say_count(receivers.nodes.size(), "receiver") + " in " +
                     core::say_count(static_cast<std::uint64_t>(domains), "failure domain");
  if (domains < acks) {
    said += ", fewer than the " + std::to_string(acks) + " that must have it: the other " +
            core::say_count(eligible - receivers.nodes.size(), "eligible node") +
            " would not be further copies";
  }
  if (!receivers.has_permanent) said += ", all of them spot nodes: no permanent one is eligible";
  return said;
}

}  // namespace

Receivers Router::choose_receivers(const Job& job, int acks, int extra,
                                   const std::set<core::NodeId>& avoid) const {
  const NodeView* origin = job.from.empty() ? nullptr : find(job.from);
  const Route eligible = targets(job);
  Candidates candidates;
  for (const Ranked& ranked : eligible) {
    const NodeView& node = nodes_[ranked.node];
    if (!node.domain.is_known()) continue;
    if (origin != nullptr && origin->domain.is_known() &&
        share_failure(node.domain, origin->domain)) {
      continue;
    }
    candidates.push_back({&node, ranked.points - (avoid.count(node.id) > 0 ? kSlow : 0)});
  }
  const auto by_points = [](const Candidate& a, const Candidate& b) { return a.points > b.points; };
  std::stable_sort(candidates.begin(), candidates.end(), by_points);

  const int wanted = std::max(acks, 0) + std::max(extra, 0);
  Candidates chosen = choose_with_permanent(candidates, static_cast<std::size_t>(wanted));
  std::stable_sort(chosen.begin(), chosen.end(), by_points);
  Receivers receivers;
  for (const Candidate& candidate : chosen) receivers.nodes.push_back(candidate.node->id);
  receivers.domains = static_cast<int>(chosen.size());
  receivers.has_permanent = has_permanent(chosen);
  receivers.why = why_of(receivers, eligible.size(), acks);
  return receivers;
}

}  // namespace syncline::routing
