#include "membership/awareness.hpp"

#include <algorithm>

namespace syncline::membership {

void Awareness::note(HealthSign sign) {
  const int change = sign == HealthSign::kProbeSucceeded ? -1 : 1;
  score_ = std::clamp(score_ + change, 0, score_max_);
}

}  // namespace syncline::membership
