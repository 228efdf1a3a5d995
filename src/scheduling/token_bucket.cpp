#include "scheduling/token_bucket.hpp"

#include <algorithm>
#include <cmath>

#include "core/check.hpp"

namespace syncline::scheduling {

namespace {
constexpr double kBurstSeconds = 0.05;
constexpr double kBurstMin = 4096;
}  // namespace

TokenBucket::TokenBucket(double bytes_per_s, core::Instant now)
    : rate_(bytes_per_s), burst_(std::max(bytes_per_s * kBurstSeconds, kBurstMin)), at_(now) {
  SYNCLINE_CHECK(rate_ > 0, "rate", rate_);
  tokens_ = burst_;
}

void TokenBucket::set_rate(double bytes_per_s, core::Instant now) {
  SYNCLINE_CHECK(bytes_per_s > 0, "rate", bytes_per_s);
  if (bytes_per_s == rate_) return;
  tokens_ = available(now);
  at_ = std::max(at_, now);
  rate_ = bytes_per_s;
  burst_ = std::max(bytes_per_s * kBurstSeconds, kBurstMin);
}

double TokenBucket::available(core::Instant now) const {
  const double passed = std::max(core::to_seconds(now - at_), 0.0);
  return std::min(tokens_ + passed * rate_, burst_);
}

void TokenBucket::take(double bytes, core::Instant now) {
  tokens_ = available(now) - bytes;
  at_ = std::max(at_, now);
}

core::Instant TokenBucket::ready_at(double bytes, core::Instant now) const {
  const double lacking = std::min(bytes, burst_) - available(now);
  if (lacking <= 0) return now;
  // One nanosecond more, so that rounding never wakes somebody for nothing.
  const double ns = std::ceil(lacking / rate_ * 1e9) + 1;
  return now + core::Duration(static_cast<std::int64_t>(std::min(ns, 9e18)));
}

}  // namespace syncline::scheduling
