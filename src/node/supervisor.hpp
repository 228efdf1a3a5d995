// What the daemon tells systemd (Type=notify, WatchdogSec): that it is ready, alive, stopping.
// Outside systemd every call does nothing.
#pragma once

#include <optional>
#include <string>

#include "core/time.hpp"

namespace syncline::node {

void tell_ready(const std::string& status);
void tell_alive();
void tell_stopping(const std::string& status);
// How often tell_alive() is wanted: half of WatchdogSec; empty without a watchdog.
std::optional<core::Duration> watchdog_interval();

}  // namespace syncline::node
