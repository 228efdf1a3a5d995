// The words of the configuration: priorities, kinds, strategies.
#include "core/config.hpp"

namespace syncline::core {

namespace {
template <typename T, std::size_t N>
std::optional<T> parse_word(std::string_view text, const T (&values)[N]) {
  for (const T value : values) {
    if (text == to_string(value)) return value;
  }
  return std::nullopt;
}
}  // namespace

const char* to_string(Priority priority) {
  switch (priority) {
    case Priority::kCritical:
      return "critical";
    case Priority::kHigh:
      return "high";
    case Priority::kNormal:
      return "normal";
    case Priority::kLow:
      return "low";
    case Priority::kBackground:
      return "background";
  }
  return "unknown";
}

const char* to_string(Kind kind) {
  return kind == Kind::kSqlite ? "sqlite" : "files";
}

const char* to_string(StrategyName strategy) {
  switch (strategy) {
    case StrategyName::kAuto:
      return "auto";
    case StrategyName::kHybrid:
      return "hybrid";
    case StrategyName::kBroadcast:
      return "broadcast";
    case StrategyName::kEphemeral:
      return "ephemeral";
    case StrategyName::kPull:
      return "pull";
  }
  return "unknown";
}

std::optional<Priority> parse_priority(std::string_view text) {
  static constexpr Priority kAll[] = {Priority::kCritical, Priority::kHigh, Priority::kNormal,
                                      Priority::kLow, Priority::kBackground};
  return parse_word(text, kAll);
}

std::optional<Kind> parse_kind(std::string_view text) {
  static constexpr Kind kAll[] = {Kind::kSqlite, Kind::kFiles};
  return parse_word(text, kAll);
}

std::optional<StrategyName> parse_strategy(std::string_view text) {
  static constexpr StrategyName kAll[] = {StrategyName::kAuto, StrategyName::kHybrid,
                                          StrategyName::kBroadcast, StrategyName::kEphemeral,
                                          StrategyName::kPull};
  return parse_word(text, kAll);
}

// Shares of bandwidth, as the older scheduler had them.
double share_of(Priority priority) {
  switch (priority) {
    case Priority::kCritical:
      return 2.0;
    case Priority::kHigh:
      return 1.5;
    case Priority::kNormal:
      return 1.0;
    case Priority::kLow:
      return 0.5;
    case Priority::kBackground:
      return 0.25;
  }
  return 1.0;
}

}  // namespace syncline::core
