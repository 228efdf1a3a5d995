// Schedules by time of day: when a collection may travel, and how fast.
//
//   "mon-fri 08:00-18:00 10"        everything: 10 MB/s in total on weekdays by day
//   "models 22:00-06:00 closed"     models do not travel at night (the window wraps past midnight)
//   "sat,sun 00:00-24:00 0"         no limit of its own at weekends: the configured one holds
//
// Grammar: [collection] [days] HH:MM-HH:MM (MB/s | "closed"); days are names of three letters,
// joined by commas and hyphens; without days every day is meant. A window that wraps belongs to
// the day on which it begins. Where several hold, the lowest limit counts, and closed beats all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace syncline::scheduling {

struct Schedule {
  core::CollectionName collection;  // empty = everything
  std::uint8_t days = 0x7f;         // bit 0 = Monday
  int from_minute = 0;              // 0..1439, local time
  int to_minute = 24 * 60;          // 1..1440; at or before from_minute: on the next day
  bool is_closed = false;
  double mbps = 0;  // MB/s; 0 = no limit
  bool operator==(const Schedule&) const = default;
};

// kInvalid with one sentence for anything else, a collection that is not among the known included.
core::Result<Schedule> parse_schedule(std::string_view text,
                                      const std::vector<std::string>& collections);
std::string to_string(const Schedule& schedule);

// Local time: what the wall clock says, moved by the offset of the node's time zone.
struct LocalTime {
  core::WallMs wall;
  int utc_offset_minutes = 0;
};
bool holds(const Schedule& schedule, const LocalTime& now);

// Until the next moment at which any schedule begins or ends to hold, looked at minute by minute
// for at most a week; none if nothing changes.
std::optional<core::Duration> until_change(const std::vector<Schedule>& schedules,
                                           const LocalTime& now);

struct Allowance {
  bool is_closed = false;
  double mbps = 0;  // 0 = no limit by schedule
  std::string why;  // the schedule that decides: "mon-fri 08:00-18:00 10"
  bool operator==(const Allowance&) const = default;
};
// What holds now for everything (empty name) or for one collection, general ones included.
Allowance allowance(const std::vector<Schedule>& schedules, const core::CollectionName& collection,
                    const LocalTime& now);

}  // namespace syncline::scheduling
