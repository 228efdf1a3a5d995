// Local health (Lifeguard, "Local Health Aware Probe"): when our probes fail, perhaps it is us.
//
// A counter from 0 (healthy) to S. Table I of the paper:
//   a probe succeeded −1 · a probe failed +1 · had to refute a suspicion of itself +1 · a helper
//   that was asked sent no nack +1
// Periods and timeouts of the probes are multiplied by counter + 1, so that a slow node accuses
// others less and has more time to hear their answers.
#pragma once

#include "core/time.hpp"

namespace syncline::membership {

enum class HealthSign { kProbeSucceeded, kProbeFailed, kRefuted, kNackMissed };

class Awareness {
 public:
  // 0 turns it off: plain SWIM. REQUIRES: score_max >= 0.
  explicit Awareness(int score_max) : score_max_(score_max) {}

  void note(HealthSign sign);
  int score() const { return score_; }
  core::Duration scaled(core::Duration duration) const { return duration * (score_ + 1); }

 private:
  int score_max_;
  int score_ = 0;
};

}  // namespace syncline::membership
