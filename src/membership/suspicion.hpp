// Suspicion: how long an accused member has to answer (Lifeguard, "Local Health Aware Suspicion").
//
//   min     = alpha * max(1, log10 n) * probe_interval
//   max     = beta * min
//   timeout = max(min, max − (max − min) * log(C + 1) / log(K + 1))
//
// C counts independent confirmations after the first accuser. While nobody else confirms, perhaps
// the accuser is the one that is cut off, so the accused gets long; K confirmations later it is
// sure enough. K is what the fleet can give at most (n − 2: without accuser and accused); where
// nobody could confirm, the least time holds.
#pragma once

#include <cstddef>
#include <vector>

#include "core/ids.hpp"
#include "core/time.hpp"
#include "membership/types.hpp"

namespace syncline::membership {

struct SuspicionTimes {
  core::Duration min{0};
  core::Duration max{0};
  int confirmations = 0;  // K
};
// `members`: alive and suspect ones, this node included.
SuspicionTimes suspicion_times(const Settings& settings, std::size_t members);
// REQUIRES: 0 <= confirmations.
core::Duration suspicion_timeout(const SuspicionTimes& times, int confirmations);

class Suspicion {
 public:
  Suspicion(SuspicionTimes times, core::NodeId first, core::Instant now);

  // True: a new voice that shortens the timeout, worth passing on. False: heard before, or enough.
  bool confirm(const core::NodeId& from);
  core::Instant deadline() const;
  // For so long nobody here could have heard an answer.
  void postpone(core::Duration lost) { began_at_ = began_at_ + lost; }
  core::Instant began_at() const { return began_at_; }
  // The first accuser, then who confirmed.
  const std::vector<core::NodeId>& accusers() const { return accusers_; }

 private:
  SuspicionTimes times_;
  core::Instant began_at_;
  std::vector<core::NodeId> accusers_;
};

}  // namespace syncline::membership
