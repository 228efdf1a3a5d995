#include "routing/domains.hpp"

#include <algorithm>

namespace syncline::routing {

namespace {

template <typename Rows>
std::size_t number(std::map<std::string, std::size_t>& names, const std::string& name, Rows& rows) {
  const auto [it, is_new] = names.try_emplace(name, names.size());
  if (is_new) rows.emplace_back();
  return it->second;
}

}  // namespace

bool CopyCounter::add(const Domain& domain) {
  const std::size_t position = added_++;
  if (!domain.is_known()) return false;
  // A node without a storage of its own name lies on its host's disk.
  const std::string storage_name = domain.storage.empty() ? "\n" + domain.host : domain.storage;
  const std::size_t host = number(hosts_, domain.host, edges_);
  const std::size_t storage = number(storages_, storage_name, matched_);
  is_host_matched_.resize(edges_.size(), false);
  for (const Edge& edge : edges_[host]) {
    if (edge.storage == storage) return false;
  }
  edges_[host].push_back({storage, position});
  return improve();
}

// One augmenting path from any unmatched host (H. W. Kuhn, 1955): one more edge can lengthen a
// maximum matching by one at most. A storage that led nowhere from one host leads nowhere from
// the next, so all searches share what they have seen.
bool CopyCounter::improve() {
  std::vector<bool> seen(matched_.size(), false);
  for (std::size_t host = 0; host < edges_.size(); ++host) {
    if (is_host_matched_[host] || !augment(host, seen)) continue;
    is_host_matched_[host] = true;
    ++copies_;
    return true;
  }
  return false;
}

bool CopyCounter::augment(std::size_t host, std::vector<bool>& seen) {
  for (const Edge& edge : edges_[host]) {
    if (seen[edge.storage]) continue;
    seen[edge.storage] = true;
    Match& match = matched_[edge.storage];
    if (match.host == kNobody || augment(match.host, seen)) {
      match = {host, edge.position};
      return true;
    }
  }
  return false;
}

std::vector<std::size_t> CopyCounter::chosen() const {
  std::vector<std::size_t> found;
  for (const Match& match : matched_) {
    if (match.host != kNobody) found.push_back(match.position);
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool share_failure(const Domain& a, const Domain& b) {
  if (!a.is_known() || !b.is_known()) return true;
  return (!a.host.empty() && a.host == b.host) || (!a.storage.empty() && a.storage == b.storage);
}

int distinct_domains(const std::vector<const Domain*>& holders, const Domain* origin, int enough) {
  CopyCounter counter;
  for (const Domain* holder : holders) {
    if (origin != nullptr && origin->is_known() && share_failure(*holder, *origin)) continue;
    counter.add(*holder);
    if (enough > 0 && counter.copies() >= enough) break;
  }
  return counter.copies();
}

std::vector<std::size_t> independent_subset(const std::vector<const Domain*>& holders,
                                            std::size_t wanted) {
  // First come, first served; that is what the order asks for, and mostly finds enough.
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < holders.size() && chosen.size() < wanted; ++i) {
    const bool is_free = std::none_of(chosen.begin(), chosen.end(), [&](std::size_t other) {
      return share_failure(*holders[i], *holders[other]);
    });
    if (is_free && holders[i]->is_known()) chosen.push_back(i);
  }
  if (chosen.size() == wanted) return chosen;
  // A preferred node may stand in the way of two others: the matching gives way where it pays.
  CopyCounter counter;
  for (std::size_t i = 0; i < holders.size(); ++i) {
    if (static_cast<std::size_t>(counter.copies()) >= wanted) break;
    counter.add(*holders[i]);
  }
  return static_cast<std::size_t>(counter.copies()) > chosen.size() ? counter.chosen() : chosen;
}

}  // namespace syncline::routing
