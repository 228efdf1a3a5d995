// A thread with a queue: tasks run one after the other, in the order they were posted.
//
// Everything that may block (SQLite, scanning, hashing) runs on one of these, so that a database
// connection is used by one thread only and the loop never waits. Threads: post() from any.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace syncline::node {

class Serial {
 public:
  explicit Serial(std::string name);
  ~Serial();  // close()
  Serial(const Serial&) = delete;
  Serial& operator=(const Serial&) = delete;

  // False once the gate is closed: the task will not run.
  bool post(std::function<void()> task);
  // Runs what is queued, takes nothing more, and joins the thread.
  void close();

 private:
  void run();

  std::string name_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool is_closed_ = false;
  std::thread thread_;
};

}  // namespace syncline::node
