#include "node/supervisor.hpp"

#include <systemd/sd-daemon.h>

namespace syncline::node {

void tell_ready(const std::string& status) {
  sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void tell_alive() {
  sd_notify(0, "WATCHDOG=1");
}

void tell_stopping(const std::string& status) {
  sd_notify(0, ("STOPPING=1\nSTATUS=" + status).c_str());
}

std::optional<core::Duration> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return core::Duration(std::chrono::microseconds(microseconds / 2));
}

}  // namespace syncline::node
