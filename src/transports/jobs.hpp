// One thread per transfer, for transports whose work is waiting for others: programs, polls.
// How many run at once is bounded by who calls fetch() (TransportLimits::jobs_max).
//
// Threads: all functions of Jobs from any thread, but close() not from a callback; a Job is used
// by its own thread, but for cancel() and its pace.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "core/time.hpp"
#include "transports/control_file.hpp"
#include "transports/transport.hpp"

namespace syncline::transports {

class Job {
 public:
  Job(FetchRequest request, FetchCallbacks callbacks)
      : request_(std::move(request)),
        callbacks_(std::move(callbacks)),
        cancel_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        mbps_(request_.bandwidth_mbps) {}
  ~Job() { ::close(cancel_fd_); }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  const FetchRequest& request() const { return request_; }
  int cancel_fd() const { return cancel_fd_; }  // readable once cancelled, and stays so
  bool is_cancelled() const { return is_cancelled_; }
  double mbps() const { return mbps_; }  // may change while it runs; 0 = unlimited
  void cancel() {
    is_cancelled_ = true;
    ::eventfd_write(cancel_fd_, 1);
  }
  // Sleeps, but not through a cancel. True if it was cancelled.
  bool pause(core::Duration at_most) const {
    pollfd one{cancel_fd_, POLLIN, 0};
    ::poll(&one, 1, static_cast<int>(std::chrono::ceil<core::milliseconds>(at_most).count()));
    return is_cancelled_;
  }
  // Told to the caller when it grew; never beyond the object's size.
  void progress(std::uint64_t bytes_present) {
    bytes_present = std::min(bytes_present, request_.object.size_bytes);
    if (bytes_present <= reported_) return;
    reported_ = bytes_present;
    if (callbacks_.progress) callbacks_.progress(bytes_present);
  }
  core::Error cancelled_error() const {
    return {core::ErrorKind::kCancelled, "the transfer was cancelled", request_.path};
  }

 private:
  friend class Jobs;
  const FetchRequest request_;
  const FetchCallbacks callbacks_;
  const int cancel_fd_;
  std::atomic<bool> is_cancelled_{false};
  std::atomic<double> mbps_;
  std::uint64_t reported_ = 0;
};

// One fetch by a transport that writes the staged file itself: opens it, has what comes kept for
// the next attempt, lets `move` bring what is missing, and verifies all of it.
inline FetchOutcome fetch_staged(
    Job& job, const std::string& why_not,
    const std::function<core::Status(Destination&, FetchOutcome&)>& move) {
  const FetchRequest& request = job.request();
  FetchOutcome outcome;
  if (!why_not.empty()) {
    outcome.status = core::Error{core::ErrorKind::kInvalid, why_not, request.path};
    return outcome;
  }
  auto opened = request.open({});
  if (!opened.ok()) {
    outcome.status = opened.error();
    return outcome;
  }
  Destination& destination = **opened;
  if (destination.size_bytes() > 0 && destination.bytes_present() < destination.size_bytes()) {
    outcome.status = destination.checkpoint();
    if (outcome.status.ok()) outcome.status = move(destination, outcome);
    if (!outcome.status.ok()) return outcome;
  }
  outcome.status = destination.verify_all();
  // The note has done its service; after wrong bytes all of them are fetched again.
  forget_pieces(destination);
  if (outcome.status.ok()) job.progress(request.object.size_bytes);
  return outcome;
}

class Jobs {
 public:
  using Work = std::function<FetchOutcome(Job&)>;

  Jobs() : state_(std::make_shared<State>()) {}
  ~Jobs() { close(); }
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  // Runs `work` on a thread of its own and tells its outcome through `done`. A number that runs
  // already is kInvalid, a closed room kCancelled: both told at once, on the caller's thread.
  void start(FetchRequest request, FetchCallbacks callbacks, Work work) {
    auto job = std::make_shared<Job>(std::move(request), std::move(callbacks));
    if (const core::Status refused = admit(job); !refused.ok()) {
      job->callbacks_.done({refused, 0, {}});
      return;
    }
    std::thread([state = state_, job, work = std::move(work)]() mutable {
      FetchOutcome outcome = work(*job);
      work = {};
      {
        // Before `done`, so that the caller may use the number again from there.
        const std::lock_guard lock(state->mutex);
        state->running.erase(job->request().job);
      }
      job->callbacks_.done(std::move(outcome));
      job.reset();
      const std::lock_guard lock(state->mutex);
      --state->threads;
      state->ended.notify_all();
    }).detach();
  }

  void cancel(std::uint64_t number) {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->running.find(number);
    if (found != state_->running.end()) found->second->cancel();
  }

  void pace(std::uint64_t number, double mbps) {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->running.find(number);
    if (found != state_->running.end()) found->second->mbps_ = mbps;
  }

  // Cancels all and waits for their ends.
  void close() {
    std::unique_lock lock(state_->mutex);
    state_->is_closed = true;
    for (auto& [number, job] : state_->running) job->cancel();
    state_->ended.wait(lock, [this] { return state_->threads == 0; });
  }

 private:
  // Held by each thread as well: the last of them may let go of the lock after we are gone.
  struct State {
    std::mutex mutex;
    std::condition_variable ended;
    std::map<std::uint64_t, std::shared_ptr<Job>> running;
    int threads = 0;
    bool is_closed = false;
  };

  core::Status admit(const std::shared_ptr<Job>& job) {
    const std::lock_guard lock(state_->mutex);
    const std::uint64_t number = job->request().job;
    if (state_->is_closed) return job->cancelled_error();
    if (!state_->running.emplace(number, job).second) {
      return core::Error{core::ErrorKind::kInvalid, "a job of this number runs already",
                         std::to_string(number)};
    }
    ++state_->threads;
    return {};
  }

  const std::shared_ptr<State> state_;
};

}  // namespace syncline::transports
