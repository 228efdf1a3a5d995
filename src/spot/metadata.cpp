#include "spot/metadata.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "spot/wall_time.hpp"

namespace syncline::spot {

namespace {

using Json = nlohmann::json;

constexpr int kOk = 200;
constexpr int kNotFound = 404;
constexpr std::size_t kTokenBytesMax = 1024;  // they have about 60

core::Error not_understood(const char* provider, const std::string& what) {
  return {core::ErrorKind::kCorrupt,
          std::string("the metadata service of ") + provider + " was not understood: " + what, ""};
}
core::Error bad_status(const char* provider, const Answer& answer) {
  return not_understood(provider, "it answered with status " + std::to_string(answer.status));
}

Json parse(const std::string& body) {
  return Json::parse(body, nullptr, /*allow_exceptions=*/false);
}
// The text of a field; empty if there is none.
std::string text_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::string word_of(const std::string& body) {
  std::string word = body;
  while (!word.empty() && std::isspace(static_cast<unsigned char>(word.back())) != 0) {
    word.pop_back();
  }
  return word;
}

bool is_same_name(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

double seconds_until(std::optional<core::WallMs> at, const Answer& answer, core::WallMs now,
                     double promised_s) {
  if (!at) return promised_s;
  const core::WallMs told_at = parse_http_time(answer.date).value_or(now);
  const double left_s = static_cast<double>(at->ms - told_at.ms) / 1000.0;
  return std::clamp(left_s, kSecondsLeftMin, kSecondsLeftMax);
}

Notice notice(const std::string& what, double seconds_left) {
  return {what + " in " + core::say_seconds(seconds_left), seconds_left};
}

}  // namespace

// ── AWS ─────────────────────────────────────────────────────────────────────────────────────────

core::Result<std::string> aws_token(const Answer& answer) {
  if (answer.status != kOk) return bad_status("AWS", answer);
  const std::string token = word_of(answer.body);
  const bool is_plain = std::all_of(token.begin(), token.end(), [](char c) {
    return c > ' ' && c <= '~';  // it goes into a header
  });
  if (token.empty() || token.size() > kTokenBytesMax || !is_plain) {
    return not_understood("AWS", "its answer is no token");
  }
  return token;
}

std::optional<bool> aws_is_spot(const Answer& answer) {
  if (answer.status != kOk) return std::nullopt;
  const std::string word = word_of(answer.body);
  if (word == "spot") return true;
  if (word == "on-demand" || word == "scheduled" || word == "capacity-block") return false;
  return std::nullopt;
}

core::Result<Signals> aws_instance_action(const Answer& answer, core::WallMs now) {
  if (answer.status == kNotFound) return Signals{};
  if (answer.status != kOk) return bad_status("AWS", answer);
  const Json json = parse(answer.body);
  if (!json.is_object()) return not_understood("AWS", "its instance action is no JSON object");
  const std::string action = text_of(json, "action");
  if (action == "hibernate") return Signals{std::nullopt, "AWS hibernates this spot instance"};
  if (action != "terminate" && action != "stop") {
    return not_understood("AWS", "its instance action is none of terminate, stop and hibernate");
  }
  const double left_s =
      seconds_until(parse_iso_time(text_of(json, "time")), answer, now, kAwsNoticeS);
  return Signals{notice("AWS will " + action + " this spot instance", left_s), ""};
}

core::Result<std::string> aws_rebalance(const Answer& answer) {
  if (answer.status == kNotFound) return std::string();
  if (answer.status != kOk) return bad_status("AWS", answer);
  const Json json = parse(answer.body);
  if (!json.is_object() || !parse_iso_time(text_of(json, "noticeTime"))) {
    return not_understood("AWS", "its rebalance recommendation has no time");
  }
  return std::string("AWS expects to take this spot instance back (rebalance recommendation)");
}

// ── GCP ─────────────────────────────────────────────────────────────────────────────────────────

namespace {
// Google marks every answer of its service, so that nothing else is taken for it.
std::optional<bool> gcp_truth(const Answer& answer) {
  if (answer.status != kOk || answer.flavor != "Google") return std::nullopt;
  const std::string word = word_of(answer.body);
  if (is_same_name(word, "true")) return true;
  if (is_same_name(word, "false")) return false;
  return std::nullopt;
}
}  // namespace

std::optional<bool> gcp_is_spot(const Answer& answer) {
  return gcp_truth(answer);
}

core::Result<Signals> gcp_preempted(const Answer& answer) {
  const auto is_preempted = gcp_truth(answer);
  if (!is_preempted) return not_understood("GCP", "`preempted` is neither TRUE nor FALSE");
  if (!*is_preempted) return Signals{};
  return Signals{notice("GCP will preempt this instance", kGcpNoticeS), ""};
}

// ── Azure ───────────────────────────────────────────────────────────────────────────────────────

std::optional<AzureCompute> azure_compute(const Answer& answer) {
  if (answer.status != kOk) return std::nullopt;
  const Json json = parse(answer.body);
  // `vmId` is what no imitation has; `priority` is empty for ordinary machines.
  if (!json.is_object() || text_of(json, "vmId").empty()) return std::nullopt;
  const std::string priority = text_of(json, "priority");
  return AzureCompute{text_of(json, "name"), priority == "Spot" || priority == "Low"};
}

core::Result<Signals> azure_events(const Answer& answer, const std::string& own_name,
                                   core::WallMs now) {
  if (answer.status != kOk) return bad_status("Azure", answer);
  const Json json = parse(answer.body);
  if (!json.is_object() || !json.contains("Events") || !json["Events"].is_array()) {
    return not_understood("Azure", "its scheduled events hold no list `Events`");
  }
  Signals signals;
  for (const Json& event : json["Events"]) {
    if (!event.is_object()) continue;
    const std::string type = text_of(event, "EventType");
    const bool is_preempted = type == "Preempt";
    if (!is_preempted && type != "Terminate") continue;  // reboots and freezes lose nothing
    bool is_ours = own_name.empty();
    if (event.contains("Resources") && event["Resources"].is_array()) {
      for (const Json& name : event["Resources"]) {
        is_ours |= name.is_string() && is_same_name(name.get<std::string>(), own_name);
      }
    }
    if (!is_ours) continue;
    // An event without NotBefore has begun.
    const double left_s =
        seconds_until(parse_http_time(text_of(event, "NotBefore")), answer, now,
                      text_of(event, "EventStatus") == "Started" ? kSecondsLeftMin : kAzureNoticeS);
    if (signals.notice && signals.notice->seconds_left <= left_s) continue;
    signals.notice = notice(
        is_preempted ? "Azure will preempt this spot machine" : "Azure will delete this machine",
        left_s);
  }
  return signals;
}

}  // namespace syncline::spot
