// The daemon's log: lines on standard error, where systemd's journal or a file takes them up.
#pragma once

#include <string>

#include "facade/reports.hpp"

namespace syncline::node {

void start_log();  // once, before the first line
void log_info(const std::string& line);
void log_warning(const std::string& line);
void log_error(const std::string& line);
// An event as a line: warnings for failures, information for the rest. Small files that were found
// or have landed make no line; `syncline events` shows each.
void log_event(const facade::EventRow& event);

}  // namespace syncline::node
