// All hooks of a node: one thread and one queue each, so that a slow one delays nobody.
//
// Threads: offer() and states() from any; they never wait for a delivery.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"
#include "env/clock.hpp"
#include "hooks/queue.hpp"

namespace syncline::hooks {

class Hooks {
 public:
  // kInvalid: a secret cannot be read. `problem`: told once when a hook begins to fail.
  static core::Result<std::unique_ptr<Hooks>> start(
      const std::vector<core::HookConfig>& configs, const std::string& node,
      const env::Clock& clock, std::function<void(const std::string& sentence)> problem);
  ~Hooks();  // close()
  Hooks(const Hooks&) = delete;
  Hooks& operator=(const Hooks&) = delete;

  bool wants(const std::string& event_type) const;
  void offer(const Notice& notice);
  std::vector<HookState> states() const;
  // What waits is tried once more, all of it together for at most this long; then threads end.
  void close(core::Duration patience);

 private:
  struct State;
  explicit Hooks(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace syncline::hooks
