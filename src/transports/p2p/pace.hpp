// How fast may be asked: so many bytes a second, debts included.
//
// A piece is asked for as soon as nothing is owed, and then owed: over any stretch of t seconds at
// most rate · t + one piece is asked for. Nothing is saved up while nothing is asked.
// Threads: none of its own.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/time.hpp"

namespace syncline::transports::p2p {

class Pace {
 public:
  // 0: unlimited.
  explicit Pace(double bytes_per_s = 0) : bytes_per_s_(bytes_per_s) {}

  bool may_ask(core::Instant now) const { return bytes_per_s_ <= 0 || paid_at_ <= now; }
  void asked(std::uint64_t bytes, core::Instant now) {
    if (bytes_per_s_ <= 0) return;
    paid_at_ =
        std::max(paid_at_, now) + core::from_seconds(static_cast<double>(bytes) / bytes_per_s_);
  }

 private:
  double bytes_per_s_;
  core::Instant paid_at_;
};

}  // namespace syncline::transports::p2p
