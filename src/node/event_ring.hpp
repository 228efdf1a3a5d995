// The last events, for `syncline events` and its followers.
//
// Threads: any. Memory: the newest kEventsKept only; a follower that fell behind starts with the
// oldest one kept, and sees from the ids that some are gone.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "core/time.hpp"
#include "facade/reports.hpp"

namespace syncline::node {

inline constexpr std::size_t kEventsKept = 10000;

class EventRing {
 public:
  // Is told of every event, by the thread that adds it; must not wait. Set before the first.
  using Listener = std::function<void(const facade::EventRow&)>;
  void listen(Listener listener) { listener_ = std::move(listener); }

  // Gives the event its id and returns it.
  std::uint64_t add(facade::EventRow event);
  // Events above `id`, oldest first; waits up to `wait_max` for the first.
  std::vector<facade::EventRow> after(std::uint64_t id, core::Duration wait_max);

 private:
  Listener listener_;
  std::mutex mutex_;
  std::condition_variable added_;
  std::deque<facade::EventRow> events_;
  std::uint64_t last_id_ = 0;
};

}  // namespace syncline::node
