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

#include <algorithm>
#include <cstddef>
#include <optional>
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
  // Before it is buried it is asked itself once more, so long before the deadline: the news that it
  // lives may be just what this node has missed (each node misses all tellings of some news with a
  // chance of about e^-mult·log10 n, and refutations are many).
  core::Instant ask_at(core::Duration patience) const {
    return std::max(began_at_, deadline() - patience);
  }
  bool is_asked() const { return asked_at_.has_value(); }
  void asked(core::Instant now) { asked_at_ = now; }
  // REQUIRES: is_asked(). Never sooner than it could have answered.
  core::Instant ends_at(core::Duration patience) const {
    return std::max(deadline(), *asked_at_ + patience);
  }
  // For so long nobody here could have heard an answer.
  void postpone(core::Duration lost) {
    began_at_ = began_at_ + lost;
    asked_at_.reset();
  }
  core::Instant began_at() const { return began_at_; }
  // The first accuser, then who confirmed.
  const std::vector<core::NodeId>& accusers() const { return accusers_; }

 private:
  SuspicionTimes times_;
  core::Instant began_at_;
  std::optional<core::Instant> asked_at_;
  std::vector<core::NodeId> accusers_;
};

}  // namespace syncline::membership
