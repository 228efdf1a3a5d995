#include "transports/p2p/workers.hpp"

#include <pthread.h>

#include <utility>

namespace syncline::transports::p2p {

Workers::Workers(std::size_t threads, core::Duration tick_every, std::function<void()> tick)
    : tick_(std::move(tick)) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  ticker_ = std::thread([this, tick_every] { keep_time(tick_every); });
}

Workers::~Workers() {
  close();
}

void Workers::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Workers::set_ticking(Ticking whose, bool is_ticking) {
  const auto bit = static_cast<unsigned>(whose);
  {
    const std::lock_guard lock(mutex_);
    const unsigned before = std::exchange(ticking_, is_ticking ? ticking_ | bit : ticking_ & ~bit);
    if ((before == 0) == (ticking_ == 0)) return;
  }
  wake_ticker_.notify_one();
}

void Workers::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
  }
  wake_.notify_all();
  wake_ticker_.notify_all();
  if (ticker_.joinable()) ticker_.join();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Workers::run() {
  pthread_setname_np(pthread_self(), "sl-p2p");
  std::unique_lock lock(mutex_);
  while (true) {
    // A task that runs may post another: only when none runs is the line really empty.
    wake_.wait(lock, [this] { return !tasks_.empty() || (is_closed_ && busy_ == 0); });
    if (tasks_.empty()) break;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    ++busy_;
    lock.unlock();
    task();
    task = nullptr;  // what it holds is let go outside the lock
    lock.lock();
    --busy_;
    if (is_closed_) wake_.notify_all();
  }
}

void Workers::keep_time(core::Duration every) {
  pthread_setname_np(pthread_self(), "sl-p2p-time");
  std::unique_lock lock(mutex_);
  while (!is_closed_) {
    if (ticking_ == 0) {
      wake_ticker_.wait(lock, [this] { return is_closed_ || ticking_ != 0; });
      continue;
    }
    wake_ticker_.wait_for(lock, every, [this] { return is_closed_; });
    if (is_closed_) return;
    lock.unlock();
    tick_();
    lock.lock();
  }
}

void Strand::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    if (is_running_) return;
    is_running_ = true;
  }
  workers_.post([self = shared_from_this()] { self->run(); });
}

// One task at a time, then back into the line of all strands: a long job never holds a thread.
void Strand::run() {
  std::function<void()> task;
  {
    const std::lock_guard lock(mutex_);
    task = std::move(tasks_.front());
    tasks_.pop_front();
  }
  task();
  task = nullptr;
  go_on();
}

void Strand::dispatch(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (is_running_) {
      tasks_.push_back(std::move(task));
      return;
    }
    is_running_ = true;
  }
  task();
  task = nullptr;
  go_on();
}

void Strand::go_on() {
  {
    const std::lock_guard lock(mutex_);
    is_running_ = !tasks_.empty();
    if (!is_running_) return;
  }
  workers_.post([self = shared_from_this()] { self->run(); });
}

}  // namespace syncline::transports::p2p
