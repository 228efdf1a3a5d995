#include "scheduling/time_of_day.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/nearest.hpp"
#include "core/text.hpp"

namespace syncline::scheduling {

namespace {

constexpr int kDayMinutes = 24 * 60;
constexpr int kWeekMinutes = 7 * kDayMinutes;
constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

core::Error refused(std::string what, std::string_view text) {
  return {core::ErrorKind::kInvalid,
          std::move(what) +
              "; a schedule reads like \"games mon-fri 08:00-18:00 10\" or "
              "\"22:00-06:00 closed\"",
          std::string(text)};
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(text.find_first_of(" \t", begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return words;
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> minute_of(std::string_view text) {  // "08:00"
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = number<unsigned>(text.substr(0, 2));
  const auto minute = number<unsigned>(text.substr(3));
  if (!hour || !minute || *minute > 59 || *hour > 24 || (*hour == 24 && *minute > 0)) {
    return std::nullopt;
  }
  return static_cast<int>(*hour * 60 + *minute);
}

std::optional<int> day_of(std::string_view text) {
  for (std::size_t i = 0; i < kDays.size(); ++i) {
    if (text == kDays[i]) return static_cast<int>(i);
  }
  return std::nullopt;
}

std::optional<std::uint8_t> days_of(std::string_view text) {  // "mon-fri,sun"
  std::uint8_t days = 0;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    const std::size_t hyphen = part.find('-');
    const auto first = day_of(part.substr(0, std::min(hyphen, part.size())));
    const auto last = hyphen == std::string_view::npos ? first : day_of(part.substr(hyphen + 1));
    if (!first || !last) return std::nullopt;
    for (int day = *first;; day = (day + 1) % 7) {
      days = static_cast<std::uint8_t>(days | 1u << day);
      if (day == *last) break;
    }
    if (comma == text.size()) return days;
    text.remove_prefix(comma + 1);
  }
}

bool read_window(std::string_view word, Schedule& schedule) {  // "08:00-18:00"
  const std::size_t hyphen = word.find('-');
  if (hyphen == std::string_view::npos) return false;
  const auto from = minute_of(word.substr(0, hyphen));
  const auto to = minute_of(word.substr(hyphen + 1));
  if (!from || !to || *from == kDayMinutes) return false;
  schedule.from_minute = *from;
  schedule.to_minute = *to == 0 ? kDayMinutes : *to;
  return true;
}

bool read_rate(std::string_view word, Schedule& schedule) {
  if (word == "closed") {
    schedule.is_closed = true;
    return true;
  }
  const auto mbps = number<double>(word);
  if (!mbps || !(*mbps >= 0) || *mbps > 1e6) return false;
  schedule.mbps = *mbps;
  return true;
}

// Minutes since Monday 00:00, local time. 1970-01-01 was a Thursday.
int minute_of_week(const LocalTime& now) {
  const std::int64_t minutes =
      (now.wall.ms >= 0 ? now.wall.ms : now.wall.ms - 59'999) / 60'000 + now.utc_offset_minutes;
  const std::int64_t since_monday = (minutes + 3 * kDayMinutes) % kWeekMinutes;
  return static_cast<int>((since_monday + kWeekMinutes) % kWeekMinutes);
}

int length_of(const Schedule& schedule) {
  const int length = schedule.to_minute - schedule.from_minute;
  return length > 0 ? length : length + kDayMinutes;
}

bool holds_at(const Schedule& schedule, int week_minute) {
  for (int day = 0; day < 7; ++day) {
    if ((schedule.days >> day & 1) == 0) continue;
    const int begin = day * kDayMinutes + schedule.from_minute;
    const int since = (week_minute - begin + kWeekMinutes) % kWeekMinutes;
    if (since < length_of(schedule)) return true;
  }
  return false;
}

std::string say_minute(int minute) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d", minute / 60, minute % 60);
  return text.data();
}

}  // namespace

core::Result<Schedule> parse_schedule(std::string_view text,
                                      const std::vector<std::string>& collections) {
  std::vector<std::string_view> words = words_of(text);
  if (words.size() < 2 || words.size() > 4) {
    return refused("a schedule has two to four words, not " + std::to_string(words.size()), text);
  }
  Schedule schedule;
  const std::string_view rate = words.back();
  words.pop_back();
  const std::string_view window = words.back();
  words.pop_back();
  if (!read_rate(rate, schedule)) {
    return refused("'" + std::string(rate) + "' is neither a number of MB/s nor 'closed'", text);
  }
  if (!read_window(window, schedule)) {
    return refused("'" + std::string(window) + "' is no time of day such as 08:00-18:00", text);
  }
  if (words.empty()) return schedule;
  if (const auto days = days_of(words.back())) {
    schedule.days = *days;
    words.pop_back();
  } else if (words.size() == 2) {
    return refused("'" + std::string(words.back()) + "' is no list of days", text);
  }
  if (words.empty()) return schedule;
  const std::string name(words.front());
  if (std::find(collections.begin(), collections.end(), name) == collections.end()) {
    return refused("'" + name + "' is neither a collection nor a list of days" +
                       core::did_you_mean(name, collections),
                   text);
  }
  schedule.collection = core::CollectionName(name);
  return schedule;
}

std::string to_string(const Schedule& schedule) {
  std::string said = schedule.collection.empty() ? "" : schedule.collection.text + " ";
  if (schedule.days != 0x7f) {
    std::vector<std::string_view> days;
    for (std::size_t day = 0; day < kDays.size(); ++day) {
      if ((schedule.days >> day & 1) != 0) days.push_back(kDays[day]);
    }
    for (std::size_t i = 0; i < days.size(); ++i) said += (i > 0 ? "," : "") + std::string(days[i]);
    said += " ";
  }
  said += say_minute(schedule.from_minute) + "-" + say_minute(schedule.to_minute) + " ";
  return said + (schedule.is_closed ? "closed" : core::say_number(schedule.mbps, 6));
}

bool holds(const Schedule& schedule, const LocalTime& now) {
  return holds_at(schedule, minute_of_week(now));
}

std::optional<core::Duration> until_change(const std::vector<Schedule>& schedules,
                                           const LocalTime& now) {
  const int start = minute_of_week(now);
  const std::int64_t into_minute = ((now.wall.ms % 60'000) + 60'000) % 60'000;
  for (int ahead = 1; ahead <= kWeekMinutes; ++ahead) {
    const int minute = (start + ahead) % kWeekMinutes;
    for (const Schedule& schedule : schedules) {
      if (holds_at(schedule, minute) == holds_at(schedule, start)) continue;
      return core::milliseconds(std::int64_t{ahead} * 60'000 - into_minute);
    }
  }
  return std::nullopt;
}

Allowance allowance(const std::vector<Schedule>& schedules, const core::CollectionName& collection,
                    const LocalTime& now) {
  Allowance allowed;
  for (const Schedule& schedule : schedules) {
    const bool is_meant = schedule.collection.empty() || schedule.collection == collection;
    if (!is_meant || !holds(schedule, now)) continue;
    if (schedule.is_closed) return {true, 0, to_string(schedule)};
    if (schedule.mbps > 0 && (allowed.mbps == 0 || schedule.mbps < allowed.mbps)) {
      allowed.mbps = schedule.mbps;
      allowed.why = to_string(schedule);
    }
  }
  return allowed;
}

}  // namespace syncline::scheduling
