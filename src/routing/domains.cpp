#include "routing/domains.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace syncline::routing {

namespace {

constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

// The bipartite graph: hosts on the left, storages on the right, nodes are the edges. Of parallel
// edges the first is kept: it is as good a copy, and preferred.
class Matching {
 public:
  // Adds a node as an edge; true if it made the matching larger.
  bool add(const Domain& domain, std::size_t position) {
    // A node without a storage of its own name lies on its host's disk.
    const std::string local = "\n" + domain.host;
    const std::size_t host = number(hosts_, domain.host, edges_);
    const std::size_t storage =
        number(storages_, domain.storage.empty() ? local : domain.storage, matched_);
    for (const Edge& edge : edges_[host]) {
      if (edge.storage == storage) return false;
    }
    edges_[host].push_back({storage, position});
    return improve();
  }

  std::size_t size() const { return size_; }
  std::vector<std::size_t> positions() const {
    std::vector<std::size_t> found;
    for (const Match& match : matched_) {
      if (match.host != kNobody) found.push_back(match.position);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  struct Edge {
    std::size_t storage;
    std::size_t position;
  };
  struct Match {  // of a storage
    std::size_t host = kNobody;
    std::size_t position = 0;
  };

  template <typename Rows>
  static std::size_t number(std::map<std::string, std::size_t>& names, const std::string& name,
                            Rows& rows) {
    const auto [it, is_new] = names.try_emplace(name, names.size());
    if (is_new) rows.emplace_back();
    return it->second;
  }

  // One augmenting path from any unmatched host (Kuhn): adding an edge can lengthen a maximum
  // matching by one at most.
  bool improve() {
    std::vector<bool> is_host_matched(edges_.size(), false);
    for (const Match& match : matched_) {
      if (match.host != kNobody) is_host_matched[match.host] = true;
    }
    for (std::size_t host = 0; host < edges_.size(); ++host) {
      if (is_host_matched[host]) continue;
      std::vector<bool> seen(matched_.size(), false);
      if (augment(host, seen)) {
        ++size_;
        return true;
      }
    }
    return false;
  }

  bool augment(std::size_t host, std::vector<bool>& seen) {
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

  std::map<std::string, std::size_t> hosts_;
  std::map<std::string, std::size_t> storages_;
  std::vector<std::vector<Edge>> edges_;  // by host
  std::vector<Match> matched_;            // by storage
  std::size_t size_ = 0;
};

}  // namespace

bool share_failure(const Domain& a, const Domain& b) {
  if (!a.is_known() || !b.is_known()) return true;
  return (!a.host.empty() && a.host == b.host) ||
         (!a.storage.empty() && a.storage == b.storage);
}

int distinct_domains(const std::vector<const Domain*>& holders, const Domain* origin, int enough) {
  Matching matching;
  for (std::size_t i = 0; i < holders.size(); ++i) {
    const Domain& holder = *holders[i];
    if (!holder.is_known()) continue;
    if (origin != nullptr && origin->is_known() && share_failure(holder, *origin)) continue;
    matching.add(holder, i);
    if (enough > 0 && matching.size() >= static_cast<std::size_t>(enough)) break;
  }
  return static_cast<int>(matching.size());
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
  Matching matching;
  for (std::size_t i = 0; i < holders.size() && matching.size() < wanted; ++i) {
    if (holders[i]->is_known()) matching.add(*holders[i], i);
  }
  return matching.size() > chosen.size() ? matching.positions() : chosen;
}

}  // namespace syncline::routing
