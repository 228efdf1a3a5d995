#include "collections/files/stability.hpp"

#include <algorithm>

namespace syncline::collections::files {

std::int64_t quiet_ms(const Look& look) {
  const std::int64_t touched_ms = std::max(look.stamp.ctime_ns, look.stamp.mtime_ns) / 1'000'000;
  const std::int64_t by_stamp = look.now.ms - touched_ms;
  std::int64_t by_watch = 0;
  if (look.watched && look.watched->stamp == look.stamp) {
    by_watch = look.now.ms - look.watched->since.ms;
  }
  return std::max<std::int64_t>({by_stamp, by_watch, 0});
}

bool is_quiet(const Look& look) {
  return quiet_ms(look) >= std::max(look.stable_ms, kQuietMsMin);
}

bool is_writer_idle(const Look& look) {
  return quiet_ms(look) >= std::max(look.stable_ms, kQuietMsMin) * kIdleWriterFactor;
}

Watched watch(const Look& look) {
  if (look.watched && look.watched->stamp == look.stamp && look.watched->since <= look.now) {
    return *look.watched;
  }
  return {look.stamp, look.now};
}

}  // namespace syncline::collections::files
