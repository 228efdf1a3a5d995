// A token bucket: lets through `rate` bytes a second, and at most `burst` at once.
//
// Over any stretch of t seconds it lets through at most rate · t + burst, and under constant
// demand at least rate · t − burst. Fractions of a byte are kept, so nothing drifts.
#pragma once

#include <cstdint>

#include "core/time.hpp"

namespace syncline::scheduling {

class TokenBucket {
 public:
  // Starts full. REQUIRES: bytes_per_s > 0. The burst is 50 ms of the rate, at least 4 KiB: a
  // larger one is smoother for disks, a smaller one for neighbours on the link.
  TokenBucket(double bytes_per_s, core::Instant now);

  // What has gathered stays, up to the new burst. REQUIRES: bytes_per_s > 0.
  void set_rate(double bytes_per_s, core::Instant now);

  double rate() const { return rate_; }
  double burst() const { return burst_; }

  // Now, and until somebody takes.
  double available(core::Instant now) const;
  // REQUIRES: `now` never goes back. May be more than is available: then the debt is waited for.
  void take(double bytes, core::Instant now);
  // When min(bytes, burst) will be available.
  core::Instant ready_at(double bytes, core::Instant now) const;

 private:
  double rate_;
  double burst_;
  double tokens_;
  core::Instant at_;
};

}  // namespace syncline::scheduling
