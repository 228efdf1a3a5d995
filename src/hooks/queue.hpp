// What one hook has to tell: in order, again after a pause that doubles, given up after its tries.
// Pure: no clock, no thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "core/config.hpp"
#include "core/time.hpp"

namespace syncline::hooks {

struct Notice {  // one event on its way to a hook
  std::string type;
  std::string json;
};

// How a hook does, for `status`.
struct HookState {
  std::string name;
  std::string target;  // the program, or the URL without what follows its host
  std::uint64_t waiting = 0;
  std::uint64_t delivered = 0;
  std::uint64_t given_up = 0;
  int failures = 0;        // in a row
  std::string last_error;  // of the last failure; empty again after a success
};

class Queue {
 public:
  explicit Queue(core::HookConfig config);

  bool wants(const std::string& event_type) const;
  void offer(Notice notice);
  // The one to try now, if any is due. It stays first until it succeeded or was given up.
  const Notice* due(core::Instant now) const;
  std::optional<core::Instant> next_wake() const;  // when due() says something; none: empty
  void succeeded();
  void failed(const std::string& why, core::Instant now);

  HookState state() const;
  const core::HookConfig& config() const { return config_; }

 private:
  void drop_first();

  const core::HookConfig config_;
  std::deque<Notice> waiting_;
  int tries_ = 0;  // of the first
  core::Instant not_before_;
  HookState state_;
};

}  // namespace syncline::hooks
