#include "spot/wall_time.hpp"

#include <array>
#include <chrono>
#include <cstddef>

namespace syncline::spot {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Exactly `digits` of them at the head of the text, which is moved on; else nothing.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view expected) {
  if (text.substr(0, expected.size()) != expected) return false;
  text.remove_prefix(expected.size());
  return true;
}

struct Parts {
  std::optional<int> year, month, day, hour, minute, second;
};

std::optional<core::WallMs> moment(const Parts& p) {
  if (!p.year || !p.month || !p.day || !p.hour || !p.minute || !p.second) return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{year{*p.year}, month{static_cast<unsigned>(*p.month)},
                            day{static_cast<unsigned>(*p.day)}};
  // 60: a leap second.
  if (!date.ok() || *p.hour > 23 || *p.minute > 59 || *p.second > 60) return std::nullopt;
  const auto at = sys_days{date} + hours{*p.hour} + minutes{*p.minute} + seconds{*p.second};
  return core::WallMs{duration_cast<milliseconds>(at.time_since_epoch()).count()};
}

bool take_clock(std::string_view& text, Parts& out) {
  out.hour = take_number(text, 2);
  if (!take(text, ":")) return false;
  out.minute = take_number(text, 2);
  if (!take(text, ":")) return false;
  out.second = take_number(text, 2);
  return true;
}

}  // namespace

std::optional<core::WallMs> parse_iso_time(std::string_view text) {
  Parts parts;
  parts.year = take_number(text, 4);
  if (!take(text, "-")) return std::nullopt;
  parts.month = take_number(text, 2);
  if (!take(text, "-")) return std::nullopt;
  parts.day = take_number(text, 2);
  if (!take(text, "T") || !take_clock(text, parts)) return std::nullopt;
  if (take(text, ".")) {
    if (!take_number(text, 1)) return std::nullopt;
    while (take_number(text, 1)) {
    }
  }
  if (text != "Z" && text != "+00:00") return std::nullopt;
  return moment(parts);
}

std::optional<core::WallMs> parse_http_time(std::string_view text) {
  constexpr std::size_t kDayName = 3;
  if (text.size() < kDayName) return std::nullopt;
  text.remove_prefix(kDayName);
  Parts parts;
  if (!take(text, ", ")) return std::nullopt;
  parts.day = take_number(text, 2);
  if (!take(text, " ")) return std::nullopt;
  for (std::size_t i = 0; i < kMonths.size() && !parts.month; ++i) {
    if (take(text, kMonths[i])) parts.month = static_cast<int>(i) + 1;
  }
  if (!take(text, " ")) return std::nullopt;
  parts.year = take_number(text, 4);
  if (!take(text, " ") || !take_clock(text, parts) || text != " GMT") return std::nullopt;
  return moment(parts);
}

}  // namespace syncline::spot
