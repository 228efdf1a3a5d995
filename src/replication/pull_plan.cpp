#include "replication/pull_plan.hpp"

#include <algorithm>

#include "replication/holdings.hpp"

namespace syncline::replication {

using core::LogId;
using core::NodeId;
using core::SeqSet;

std::uint64_t PullPlan::next_draw() {
  // SplitMix64 (Steele et al. 2014): enough to spread requests, and repeatable from one seed.
  std::uint64_t z = (draw_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void PullPlan::consider(const LogView& view, core::Instant now, std::vector<PullRequest>& out) {
  SeqSet known;
  for (const auto& [node, held] : view.holders) known.insert(held);
  SeqSet missing = known.minus(view.mine);
  if (missing.empty()) {
    drop(view.log);
    return;
  }
  Gap& gap = gaps_[view.log];
  gap.seen = missing;
  // Answers arrived, or never will: free the places of both.
  for (auto it = gap.asked.begin(); it != gap.asked.end();) {
    const bool is_answered = it->wanted.intersect(missing).empty();
    const bool is_late = now - it->at >= limits_.answer_timeout;
    if (!is_answered && is_late) ++gap.disappointments[it->from];
    if (is_answered) gap.disappointments.erase(it->from);
    if (is_answered || is_late) {
      it = gap.asked.erase(it);
      --open_requests_;
    } else {
      ++it;
    }
  }
  std::erase_if(gap.not_before, [&](const auto& entry) { return entry.second <= now; });
  if (!gap.since) gap.since = now;
  if (now - *gap.since < limits_.patience) return;
  gap.is_patient = false;

  for (const Asked& asked : gap.asked) missing = missing.minus(asked.wanted);
  // A record that no holder can serve now must not hide those behind it.
  SeqSet askable;
  for (const auto& [node, held] : view.holders) {
    if (gap.not_before.count(node) == 0) askable.insert(held);
  }
  missing = missing.intersect(askable);
  while (!missing.empty() && open_requests_ < limits_.requests_max) {
    // Among the holders of the first missing record: the least disappointing, then by lot.
    const NodeId* best = nullptr;
    std::pair<int, std::uint64_t> best_rank;
    SeqSet best_has;
    const std::uint64_t first = missing.ranges().front().first;
    for (const auto& [node, held] : view.holders) {
      if (!held.contains(first) || gap.not_before.count(node) > 0) continue;
      const bool is_busy = std::any_of(gap.asked.begin(), gap.asked.end(),
                                       [&](const Asked& a) { return a.from == node; });
      if (is_busy) continue;
      auto found = gap.disappointments.find(node);
      const std::pair<int, std::uint64_t> rank{
          found == gap.disappointments.end() ? 0 : found->second, next_draw()};
      if (best == nullptr || rank < best_rank) {
        best = &node;
        best_rank = rank;
        best_has = held;
      }
    }
    if (best == nullptr) {  // all its holders are busy: look behind it
      missing.erase(missing.ranges().front().first, missing.ranges().front().last);
      continue;
    }
    SeqSet wanted = first_of(missing.intersect(best_has), limits_.records_max);
    gap.asked.push_back({*best, wanted, now});
    ++open_requests_;
    missing = missing.minus(wanted);
    out.push_back({*best, view.log, std::move(wanted)});
  }
}

void PullPlan::drop(const LogId& log) {
  auto it = gaps_.find(log);
  if (it == gaps_.end()) return;
  open_requests_ -= it->second.asked.size();
  gaps_.erase(it);
}

void PullPlan::link_down(const NodeId& peer) {
  for (auto& [log, gap] : gaps_) {
    const auto before = gap.asked.size();
    std::erase_if(gap.asked, [&](const Asked& asked) { return asked.from == peer; });
    open_requests_ -= before - gap.asked.size();
  }
}

void PullPlan::refused(const NodeId& peer, const LogId& log, core::Instant until) {
  auto it = gaps_.find(log);
  if (it == gaps_.end()) return;
  Gap& gap = it->second;
  const auto before = gap.asked.size();
  std::erase_if(gap.asked, [&](const Asked& asked) { return asked.from == peer; });
  open_requests_ -= before - gap.asked.size();
  ++gap.disappointments[peer];
  gap.not_before[peer] = until;
}

std::optional<core::Instant> PullPlan::next_wake() const {
  std::optional<core::Instant> wake;
  auto consider_at = [&](core::Instant at) {
    if (!wake || at < *wake) wake = at;
  };
  for (const auto& [log, gap] : gaps_) {
    for (const auto& [node, until] : gap.not_before) consider_at(until);
    if (gap.since && gap.is_patient) consider_at(*gap.since + limits_.patience);
    for (const Asked& asked : gap.asked) consider_at(asked.at + limits_.answer_timeout);
  }
  return wake;
}

}  // namespace syncline::replication
