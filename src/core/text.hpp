// Numbers as people say them, for reasons and reports: "41 %", "4.0 GB", "3 min", "+30".
// One way of saying them everywhere; not for machines to read back.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace syncline::core {

// At most `decimals` of them, none that are zero: 12.50 -> "12.5", 3.0 -> "3".
inline std::string say_number(double value, int decimals = 1) {
  std::array<char, 64> text{};
  if (!std::isfinite(value)) return "unknown";
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  std::string said = text.data();
  if (said.find('.') != std::string::npos) {
    said.erase(said.find_last_not_of('0') + 1);
    if (said.back() == '.') said.pop_back();
  }
  return said == "-0" ? "0" : said;
}

inline std::string say_percent(double percent) {
  return say_number(percent, std::abs(percent) < 1 ? 1 : 0) + " %";
}

// Decimal units, as disks and links are sold.
inline std::string say_bytes(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {"bytes", "KB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (std::abs(bytes) >= 999.5 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return say_number(bytes, std::abs(bytes) < 10 && unit > 0 ? 1 : 0) + " " + kUnits[unit];
}

// "0.4 s", "42 s", "3 min", "2.5 h", "4 days".
inline std::string say_seconds(double s) {
  if (s < 10) return say_number(s, 1) + " s";
  if (s < 99.5) return say_number(s, 0) + " s";
  if (s < 99.5 * 60) return say_number(s / 60, 0) + " min";
  if (s < 48.0 * 3600) return say_number(s / 3600, 1) + " h";
  return say_number(s / 86400, 0) + " days";
}

// "a", "a and b", "a, b and c"; with `most`: "a, b and 3 more".
inline std::string say_list(const std::vector<std::string>& items, std::size_t most = 0,
                            const char* last_word = "and") {
  const std::size_t shown = most == 0 || items.size() <= most ? items.size() : most;
  const std::size_t hidden = items.size() - shown;
  std::string said;
  for (std::size_t i = 0; i < shown; ++i) {
    const bool is_last = i + 1 == shown && hidden == 0;
    if (i > 0) said += is_last ? std::string(" ") + last_word + " " : ", ";
    said += items[i];
  }
  if (hidden > 0) said += " and " + std::to_string(hidden) + " more";
  return said;
}

// "1 node", "3 nodes".
inline std::string say_count(std::uint64_t count, const std::string& one,
                             const std::string& many = "") {
  return std::to_string(count) + " " + (count == 1 ? one : many.empty() ? one + "s" : many);
}

}  // namespace syncline::core
