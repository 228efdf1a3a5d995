#include "http/workers.hpp"

#include <httplib.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace syncline::http {
namespace {

// An idle thread costs a stack; starting one costs tens of microseconds.
constexpr std::chrono::seconds kIdleMax(10);

class Workers : public httplib::TaskQueue {
 public:
  explicit Workers(std::size_t threads_max) : threads_max_(threads_max) {}

  void enqueue(std::function<void()> task) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !task_ && (idle_ > 0 || running() < threads_max_); });
    join_ended();
    if (idle_ == 0) {
      const auto at = threads_.emplace(threads_.end());
      *at = std::thread(&Workers::work, this, at, std::move(task));
      return;
    }
    task_ = std::move(task);
    changed_.notify_all();
  }

  void shutdown() override {
    std::unique_lock lock(mutex_);
    is_closed_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return running() == 0; });
    join_ended();
  }

 private:
  using Threads = std::list<std::thread>;

  std::size_t running() const { return threads_.size(); }

  void work(Threads::iterator self, std::function<void()> task) {
    while (task) {
      task();
      task = nullptr;  // what it holds is given back before waiting
      std::unique_lock lock(mutex_);
      ++idle_;
      changed_.notify_all();
      changed_.wait_for(lock, kIdleMax, [this] { return task_ || is_closed_; });
      --idle_;
      task = std::exchange(task_, nullptr);
      if (!task) ended_.splice(ended_.end(), threads_, self);
      changed_.notify_all();
    }
  }

  // These have only their return left to do. REQUIRES: the lock is held
  void join_ended() {
    for (std::thread& thread : ended_) thread.join();
    ended_.clear();
  }

  const std::size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> task_;  // handed over, not yet taken: at most one
  Threads threads_;
  Threads ended_;
  std::size_t idle_ = 0;
  bool is_closed_ = false;
};

}  // namespace

httplib::TaskQueue* make_workers(std::size_t threads_max) {
  return new Workers(threads_max);
}

}  // namespace syncline::http
