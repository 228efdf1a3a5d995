#include "node/serial.hpp"

#include <pthread.h>

namespace syncline::node {

Serial::Serial(std::string name) : name_(std::move(name)), thread_([this] { run(); }) {}

Serial::~Serial() {
  close();
}

bool Serial::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return false;
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

void Serial::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Serial::run() {
  pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());  // 15: the kernel's limit
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return is_closed_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace syncline::node
