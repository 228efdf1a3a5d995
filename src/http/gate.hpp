// A bound on how many are inside at once; who finds it full is told so, never queued.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace syncline::http {

// Thread-safe. Must outlive its passes.
class Gate {
 public:
  explicit Gate(std::size_t places) : free_(static_cast<long>(places)) {}

  // One place, given back when the last copy is gone; null when the gate is full.
  std::shared_ptr<void> enter() {
    if (free_.fetch_sub(1) <= 0) {
      free_.fetch_add(1);
      return nullptr;
    }
    return std::shared_ptr<void>(this, [](void* gate) { static_cast<Gate*>(gate)->leave(); });
  }

 private:
  void leave() { free_.fetch_add(1); }
  std::atomic<long> free_;
};

}  // namespace syncline::http
