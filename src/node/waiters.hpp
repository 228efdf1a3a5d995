// Answers that are still to come, by request id: an API thread waits, the loop answers.
//
// Threads: any. After close() every wait ends at once with nothing.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "core/time.hpp"

namespace syncline::node {

template <typename Answer>
class Waiters {
 public:
  std::uint64_t open() {
    const std::lock_guard lock(mutex_);
    const std::uint64_t id = ++last_id_;
    answers_.emplace(id, std::nullopt);
    return id;
  }
  // An answer nobody waits for any more is dropped.
  void answer(std::uint64_t id, Answer answer) {
    {
      const std::lock_guard lock(mutex_);
      auto it = answers_.find(id);
      if (it == answers_.end()) return;
      it->second = std::move(answer);
    }
    changed_.notify_all();
  }
  std::optional<Answer> wait(std::uint64_t id, core::Duration wait_max) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, wait_max, [&] { return is_closed_ || answers_[id].has_value(); });
    std::optional<Answer> out = std::move(answers_[id]);
    answers_.erase(id);
    return out;
  }
  void close() {
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, std::optional<Answer>> answers_;
  std::uint64_t last_id_ = 0;
  bool is_closed_ = false;
};

}  // namespace syncline::node
