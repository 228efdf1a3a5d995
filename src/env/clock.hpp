// The time, as the shell hands it to the cores.
#pragma once

#include "core/time.hpp"

namespace syncline::env {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual core::Instant now() const = 0;  // monotonic, suspended time included
  virtual core::WallMs wall() const = 0;  // may jump
};

class SystemClock final : public Clock {
 public:
  core::Instant now() const override;
  core::WallMs wall() const override;
};

}  // namespace syncline::env
