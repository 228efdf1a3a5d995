// Circuit breakers: a way that keeps failing is left alone for a while, then tried once.
//
//   closed ──failures in a row──▶ open ──open_for──▶ half-open ──success──▶ closed
//                                   ◀──────────────failure───────┘
//
// One breaker per node and transport: a node whose SSH is broken still gets p2p. While half-open
// exactly one attempt is let through; if its outcome is never told, the next is let through after
// another `open_for`. Source: M. Nygard, "Release It!", ch. 5; defaults of the older system.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "transfer/types.hpp"

namespace syncline::transfer {

struct BreakerLimits {
  int failures = 5;                             // in a row; raise it where links are flaky
  core::Duration open_for = core::seconds(60);  // lower it where outages are short
};
BreakerLimits breaker_limits(const core::TransportLimits& limits);

enum class Circuit { kClosed, kOpen, kHalfOpen };
const char* to_string(Circuit circuit);

class Breaker {
 public:
  explicit Breaker(BreakerLimits limits = {}) : limits_(limits) {}

  Circuit state(core::Instant now) const;  // kHalfOpen from the moment a try is due
  // May an attempt start? While half-open, an attempt that was begun and not reported says no.
  bool allows(core::Instant now) const;
  void begun(core::Instant now);  // an attempt starts. REQUIRES: allows(now)
  void succeeded(core::Instant now);
  void failed(core::Instant now, std::string why);

  int failures() const { return failures_; }  // in a row
  const std::string& last_failure() const { return last_failure_; }
  std::optional<core::Instant> tries_again_at() const;  // unless closed: the next attempt
  bool operator==(const Breaker&) const = default;

 private:
  BreakerLimits limits_;
  int failures_ = 0;
  std::optional<core::Instant> opened_at_;
  std::optional<core::Instant> probe_at_;  // the half-open attempt under way
  std::string last_failure_;
};
inline bool operator==(const BreakerLimits& a, const BreakerLimits& b) {
  return a.failures == b.failures && a.open_for == b.open_for;
}

// All breakers of one node. A pair that works costs nothing; at most `pairs_max` that failed are
// remembered: beyond that the one with the fewest failures is forgotten.
class Breakers {
 public:
  explicit Breakers(BreakerLimits limits = {}, std::size_t pairs_max = 16384)
      : limits_(limits), pairs_max_(pairs_max) {}

  bool allows(const core::NodeId& node, Transport transport, core::Instant now) const;
  void begun(const core::NodeId& node, Transport transport, core::Instant now);
  void succeeded(const core::NodeId& node, Transport transport, core::Instant now);
  void failed(const core::NodeId& node, Transport transport, core::Instant now, std::string why);
  void forget(const core::NodeId& node);  // it left the fleet

  const Breaker* find(const core::NodeId& node, Transport transport) const;
  // "p2p: 5 failures in a row (connection refused), tried again in 42 s": for status, per node.
  std::vector<std::string> open_circuits(const core::NodeId& node, core::Instant now) const;
  // When the next open circuit becomes half-open: `status` changes then, and jobs may start.
  std::optional<core::Instant> next_wake(core::Instant now) const;
  std::size_t size() const { return breakers_.size(); }

 private:
  using Key = std::pair<core::NodeId, Transport>;
  Breaker& at(const core::NodeId& node, Transport transport);

  BreakerLimits limits_;
  std::size_t pairs_max_;
  std::map<Key, Breaker> breakers_;
};

}  // namespace syncline::transfer
