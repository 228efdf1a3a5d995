#include "membership/suspicion.hpp"

#include <algorithm>
#include <cmath>

namespace syncline::membership {

using core::Duration;

SuspicionTimes suspicion_times(const Settings& settings, std::size_t members) {
  const double scale =
      std::max(1.0, std::log10(static_cast<double>(std::max<std::size_t>(1, members))));
  const double least_s =
      settings.suspicion_mult * scale * core::to_seconds(settings.probe_interval);
  SuspicionTimes times;
  times.min = core::from_seconds(least_s);
  times.max = core::from_seconds(least_s * settings.suspicion_max_mult);
  const int others = members < 2 ? 0 : static_cast<int>(members) - 2;
  times.confirmations = std::min(settings.suspicion_confirmations, others);
  return times;
}

Duration suspicion_timeout(const SuspicionTimes& times, int confirmations) {
  if (times.confirmations == 0) return times.min;
  const double share = std::log(confirmations + 1.0) / std::log(times.confirmations + 1.0);
  const double span_s = core::to_seconds(times.max - times.min);
  return std::max(times.min, core::from_seconds(core::to_seconds(times.max) - span_s * share));
}

Suspicion::Suspicion(SuspicionTimes times, core::NodeId first, core::Instant now)
    : times_(times), began_at_(now), accusers_{std::move(first)} {}

bool Suspicion::confirm(const core::NodeId& from) {
  if (static_cast<int>(accusers_.size()) > times_.confirmations) return false;
  if (std::find(accusers_.begin(), accusers_.end(), from) != accusers_.end()) return false;
  accusers_.push_back(from);
  return true;
}

core::Instant Suspicion::deadline() const {
  return began_at_ + suspicion_timeout(times_, static_cast<int>(accusers_.size()) - 1);
}

}  // namespace syncline::membership
