// Failure domains: how many independent copies a set of nodes is.
//
// Each node is an edge between the machine it runs on (host) and the disk its data lies on
// (storage). Losing a host or a storage loses all copies on its edges. The number of copies is the
// smallest number of such losses that destroys every one of them: by König's theorem the size of
// a maximum matching between hosts and storages. Three nodes on one NFS export are one copy; two
// virtual machines on one host are one copy; a chain (A shares a disk with B, B a host with C) is
// two, because no single loss takes both A and C. See docs/decisions/0020-failure-domains.md.
//
// Provider zones are not part of the identity: a fleet in one zone would have one copy for ever.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "routing/types.hpp"

namespace syncline::routing {

// True if one loss (host or storage) takes both. A domain that is not known shares with everything.
bool share_failure(const Domain& a, const Domain& b);

// Counts copies one by one: a maximum matching that grows.
class CopyCounter {
 public:
  // True if it is a further copy beside those added before. A node that is none now may become
  // one by a later node: the count is always of the best choice among all that were added.
  // A domain that is not known is no copy.
  bool add(const Domain& domain);

  int copies() const { return copies_; }
  // Which of those added (counted from 0) make up the copies, ascending.
  std::vector<std::size_t> chosen() const;

 private:
  struct Edge {
    std::size_t storage;
    std::size_t position;
  };
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);
  struct Match {  // of a storage
    std::size_t host = kNobody;
    std::size_t position = 0;
  };
  bool improve();
  bool augment(std::size_t host, std::vector<bool>& seen);

  std::map<std::string, std::size_t> hosts_;
  std::map<std::string, std::size_t> storages_;
  std::vector<std::vector<Edge>> edges_;  // by host; of parallel ones the first is kept
  std::vector<bool> is_host_matched_;
  std::vector<Match> matched_;  // by storage
  std::size_t added_ = 0;
  int copies_ = 0;
};

// Independent copies among `holders`, those that share a failure with `origin` left out (nullptr
// or not known: none is left out). Holders whose domain is not known count for nothing.
// Stops counting at `enough` (0: counts all).
int distinct_domains(const std::vector<const Domain*>& holders, const Domain* origin,
                     int enough = 0);

// Positions of a largest subset of `holders` in which no two share a failure; earlier positions
// are preferred, at most `wanted` are taken.
std::vector<std::size_t> independent_subset(const std::vector<const Domain*>& holders,
                                            std::size_t wanted);

}  // namespace syncline::routing
