#include "node/watch_thread.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include "env/files.hpp"
#include "env/watch.hpp"

namespace syncline::node {

namespace {
constexpr int kRootRetryMs = 2000;
// A program that writes thousands of files wakes this thread for each event. After so many in a
// row it looks only now and then; a database's commit is a few events, and never waits.
constexpr int kBurstWakes = 64;
constexpr auto kBurstGap = std::chrono::milliseconds(1);
constexpr auto kBurstPause = std::chrono::milliseconds(5);
}  // namespace

struct WatchThread::State {
  State(env::Watch w, std::vector<WatchedRoot> r, OnChange c, OnProblem p)
      : watch(std::move(w)), waiting(std::move(r)), changed(std::move(c)), problem(std::move(p)) {}
  ~State() {
    if (stop_fd >= 0) ::close(stop_fd);
  }

  env::Watch watch;
  std::vector<WatchedRoot> waiting;            // not watched yet
  std::map<std::size_t, WatchedRoot> watched;  // by number of the root
  std::set<std::string> told;                  // problems told already
  OnChange changed;
  OnProblem problem;
  int stop_fd = -1;
  std::thread thread;

  void add_roots();
  void tell_changes();
  void run();
};

void WatchThread::State::add_roots() {
  for (auto it = waiting.begin(); it != waiting.end();) {
    if (!env::exists(it->path)) {
      ++it;
      continue;
    }
    auto number = watch.add_root(it->path);
    if (!number.ok()) {
      const std::string sentence = core::to_string(number.error());
      if (told.insert(sentence).second) problem(sentence);
      ++it;
      continue;
    }
    changed(it->collection, {});  // whatever was written before the watch stood
    watched.emplace(*number, std::move(*it));
    it = waiting.erase(it);
  }
}

void WatchThread::State::tell_changes() {
  std::map<std::size_t, std::vector<env::FileChange>> by_root;
  for (env::FileChange& change : watch.read_changes()) {
    if (change.is_overflow) {
      for (const auto& [number, root] : watched) changed(root.collection, {});
      return;
    }
    const std::size_t number = change.root;
    by_root[number].push_back(std::move(change));
  }
  for (const auto& [number, changes] : by_root) {
    auto root = watched.find(number);
    if (root != watched.end()) changed(root->second.collection, changes);
  }
}

void WatchThread::State::run() {
  pthread_setname_np(pthread_self(), "sl-watch");
  using Clock = std::chrono::steady_clock;
  int wakes = 0;
  while (true) {
    add_roots();
    pollfd fds[] = {{watch.fd(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
    const auto waits_since = Clock::now();
    const int ready = ::poll(fds, 2, waiting.empty() ? -1 : kRootRetryMs);
    if (ready < 0 && errno != EINTR) {
      problem("watching for changes has ended: " + std::string(::strerror(errno)) +
              "; changes are found by polling only, restart the daemon");
      return;
    }
    if ((fds[1].revents & POLLIN) != 0) return;
    if (ready <= 0 || (fds[0].revents & POLLIN) == 0) continue;
    wakes = Clock::now() - waits_since < kBurstGap ? wakes + 1 : 0;
    if (wakes > kBurstWakes) std::this_thread::sleep_for(kBurstPause);
    tell_changes();
  }
}

WatchThread::WatchThread(std::unique_ptr<State> state) : state_(std::move(state)) {}

core::Result<std::unique_ptr<WatchThread>> WatchThread::start(std::vector<WatchedRoot> roots,
                                                              OnChange changed, OnProblem problem) {
  SYNCLINE_ASSIGN(env::Watch watch, env::Watch::open());
  auto state = std::make_unique<State>(std::move(watch), std::move(roots), std::move(changed),
                                       std::move(problem));
  state->stop_fd = ::eventfd(0, EFD_CLOEXEC);
  if (state->stop_fd < 0) return env::system_error("making an eventfd", "watch", errno);
  State* raw = state.get();
  state->thread = std::thread([raw] { raw->run(); });
  return std::unique_ptr<WatchThread>(new WatchThread(std::move(state)));
}

WatchThread::~WatchThread() {
  const std::uint64_t one = 1;
  if (::write(state_->stop_fd, &one, sizeof(one)) == sizeof(one) && state_->thread.joinable()) {
    state_->thread.join();
  }
}

}  // namespace syncline::node
