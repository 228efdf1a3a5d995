// A few threads that read, hash and write, so that the loop never does; and one that keeps time.
//
// A Strand is a line of tasks of which one runs at a time, in order, on any of the threads: one
// per job costs nothing while it is empty.
// Threads: post() and close() from any; a task may post.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/time.hpp"

namespace syncline::transports::p2p {

class Workers {
 public:
  // `tick` is called each `tick_every` by a thread of its own while somebody's set_ticking() says
  // so.
  Workers(std::size_t threads, core::Duration tick_every, std::function<void()> tick);
  ~Workers();  // close()
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void post(std::function<void()> task);
  enum class Ticking { kFetches = 1, kBundles = 2 };  // who has something to wait for
  void set_ticking(Ticking whose, bool is_ticking);
  // Runs what is queued, and what that posts; then joins the threads.
  void close();

 private:
  void run();
  void keep_time(core::Duration every);

  std::function<void()> tick_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable wake_ticker_;
  std::deque<std::function<void()>> tasks_;
  std::size_t busy_ = 0;
  unsigned ticking_ = 0;  // bits of Ticking
  bool is_closed_ = false;
  std::vector<std::thread> threads_;
  std::thread ticker_;
};

class Strand : public std::enable_shared_from_this<Strand> {
 public:
  explicit Strand(Workers& workers) : workers_(workers) {}
  void post(std::function<void()> task);
  // The same for a task of a worker: runs at once, on this thread, if nothing of it runs or waits.
  void dispatch(std::function<void()> task);

 private:
  void run();
  void go_on();
  Workers& workers_;
  std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;
  bool is_running_ = false;
};

}  // namespace syncline::transports::p2p
