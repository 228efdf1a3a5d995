#include "env/clock.hpp"

#include <time.h>

namespace syncline::env {

namespace {
core::Duration read_clock(clockid_t id) {
  timespec at{};
  clock_gettime(id, &at);
  return core::seconds(at.tv_sec) + core::Duration(at.tv_nsec);
}
}  // namespace

core::Instant SystemClock::now() const {
  return {read_clock(CLOCK_BOOTTIME)};
}

core::WallMs SystemClock::wall() const {
  return {std::chrono::duration_cast<core::milliseconds>(read_clock(CLOCK_REALTIME)).count()};
}

}  // namespace syncline::env
