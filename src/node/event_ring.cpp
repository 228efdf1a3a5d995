#include "node/event_ring.hpp"

#include <algorithm>

namespace syncline::node {

std::uint64_t EventRing::add(facade::EventRow event) {
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = event.id = ++last_id_;
    events_.push_back(event);
    if (events_.size() > kEventsKept) events_.pop_front();
  }
  added_.notify_all();
  if (listener_) listener_(event);
  return id;
}

std::vector<facade::EventRow> EventRing::after(std::uint64_t id, core::Duration wait_max) {
  std::unique_lock lock(mutex_);
  added_.wait_for(lock, wait_max, [&] { return last_id_ > id; });
  auto first = std::lower_bound(
      events_.begin(), events_.end(), id + 1,
      [](const facade::EventRow& event, std::uint64_t value) { return event.id < value; });
  return {first, events_.end()};
}

}  // namespace syncline::node
