#include <algorithm>

#include "core/settings_table.hpp"

namespace syncline::core {

const std::vector<HookSetting>& hook_settings() {
  static const std::vector<HookSetting> kSettings = {
      {"name", "", "its name in status", [](HookConfig& h) -> HookFieldRef { return &h.name; }},
      {"on", "", "globs of event types: \"data_sync_failed\", \"node_*\", \"*\"",
       [](HookConfig& h) -> HookFieldRef { return &h.on; }},
      {"run", "", "program and arguments, no shell; the event is JSON on its standard input",
       [](HookConfig& h) -> HookFieldRef { return &h.run; }},
      {"post", "", "URL the event is posted to as JSON, instead of a program",
       [](HookConfig& h) -> HookFieldRef { return &h.post; }},
      {"secret_file", "",
       "a post is signed with this: X-Syncline-Signature: sha256=HMAC-SHA256 of the body",
       [](HookConfig& h) -> HookFieldRef { return &h.secret_file; }},
      {"timeout_s", "s", "of one try", [](HookConfig& h) -> HookFieldRef { return &h.timeout_s; },
       1.0, 3600.0},
      {"tries", "", "then the event is given up and counted",
       [](HookConfig& h) -> HookFieldRef { return &h.tries; }, 1.0, 1000.0},
      {"pause_s", "s", "before the second try; doubled each time, up to 5 min",
       [](HookConfig& h) -> HookFieldRef { return &h.pause_s; }, 0.0, 300.0},
      {"queue_max", "events", "that may wait; beyond it the oldest is given up and counted",
       [](HookConfig& h) -> HookFieldRef { return &h.queue_max; }, 1.0, 100000.0},
  };
  return kSettings;
}

std::string why_not(const HookConfig& hook, const std::vector<HookConfig>& others) {
  if (hook.name.empty()) return "a [[hook]] needs a name";
  const auto has_name = [&](const HookConfig& other) { return other.name == hook.name; };
  if (std::any_of(others.begin(), others.end(), has_name)) {
    return "hook " + hook.name + " stands twice";
  }
  if (hook.on.empty()) return "hook " + hook.name + " needs `on`: which events?";
  if (hook.run.empty() == hook.post.empty()) {
    return "hook " + hook.name + " needs either `run` or `post`";
  }
  const bool is_url = hook.post.rfind("http://", 0) == 0 || hook.post.rfind("https://", 0) == 0;
  if (!hook.post.empty() && !is_url) {
    return "hook " + hook.name + ": post must begin with http:// or https://";
  }
  if (!hook.run.empty() && hook.run.front().rfind('/', 0) != 0) {
    return "hook " + hook.name + ": run must name its program by an absolute path";
  }
  if (!hook.run.empty() && !hook.secret_file.empty()) {
    return "hook " + hook.name + ": secret_file is for posts only";
  }
  return "";
}

}  // namespace syncline::core
