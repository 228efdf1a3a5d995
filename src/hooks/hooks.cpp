#include "hooks/hooks.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "env/files.hpp"
#include "hooks/deliver.hpp"

namespace syncline::hooks {

namespace {
constexpr std::size_t kSecretBytesMax = 4096;
constexpr core::Duration kAnyPause = core::seconds(24 * 3600);  // longer than all of them
}  // namespace

// One hook and its thread.
class Teller {
 public:
  Teller(const core::HookConfig& config, std::string secret, std::string node,
         const env::Clock& clock, const std::function<void(const std::string&)>& problem)
      : config_(config),
        secret_(std::move(secret)),
        node_(std::move(node)),
        clock_(clock),
        problem_(problem),
        cancel_fd_(::eventfd(0, EFD_CLOEXEC)),
        queue_(config),
        thread_([this] { run(); }) {}
  ~Teller() {
    end();
    ::close(cancel_fd_);
  }

  bool wants(const std::string& type) const { return queue_.wants(type); }  // fixed
  void offer(const Notice& notice) {
    {
      const std::lock_guard lock(mutex_);
      if (is_closing_) return;
      queue_.offer(notice);
    }
    wake_.notify_all();
  }
  HookState state() const {
    const std::lock_guard lock(mutex_);
    return queue_.state();
  }
  // From now on pauses are not kept, and a failure ends it.
  void begin_to_close() {
    {
      const std::lock_guard lock(mutex_);
      is_closing_ = true;
    }
    wake_.notify_all();
  }
  void wait_for_end(core::Instant until) {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, std::max<core::Duration>(until - clock_.now(), core::Duration(0)),
                    [this] { return has_ended_; });
  }
  void end() {
    begin_to_close();
    ::eventfd_write(cancel_fd_, 1);
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    pthread_setname_np(pthread_self(), "sl-hook");
    std::unique_lock lock(mutex_);
    while (true) {
      const core::Instant now = clock_.now();
      const Notice* due = queue_.due(is_closing_ ? now + kAnyPause : now);
      if (due == nullptr) {
        if (is_closing_) break;
        const auto at = queue_.next_wake();
        if (at) {
          wake_.wait_for(lock, *at - now);
        } else {
          wake_.wait(lock);
        }
        continue;
      }
      const Notice notice = *due;
      lock.unlock();
      const core::Status told = deliver(config_, notice, node_, secret_, cancel_fd_);
      const bool is_first_failure = !told.ok() && !std::exchange(is_failing_, true);
      if (told.ok()) is_failing_ = false;
      if (is_first_failure) problem_("hook " + config_.name + ": " + told.error().what);
      lock.lock();
      if (told.ok()) {
        queue_.succeeded();
      } else {
        queue_.failed(told.error().what, clock_.now());
        if (is_closing_) break;
      }
    }
    has_ended_ = true;
    lock.unlock();
    ended_.notify_all();
  }

  const core::HookConfig config_;
  const std::string secret_;
  const std::string node_;
  const env::Clock& clock_;
  const std::function<void(const std::string&)>& problem_;
  const int cancel_fd_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  Queue queue_;
  bool is_closing_ = false;
  bool has_ended_ = false;
  bool is_failing_ = false;  // the thread's own
  std::thread thread_;       // last: it uses everything above
};

struct Hooks::State {
  State(const env::Clock& c, std::function<void(const std::string&)> p)
      : clock(c), problem(std::move(p)) {}
  const env::Clock& clock;
  const std::function<void(const std::string&)> problem;
  std::vector<std::unique_ptr<Teller>> tellers;
};

Hooks::Hooks(std::unique_ptr<State> state) : state_(std::move(state)) {}
Hooks::~Hooks() = default;

core::Result<std::unique_ptr<Hooks>> Hooks::start(
    const std::vector<core::HookConfig>& configs, const std::string& node, const env::Clock& clock,
    std::function<void(const std::string& sentence)> problem) {
  auto state = std::make_unique<State>(clock, std::move(problem));
  for (const core::HookConfig& config : configs) {
    std::string secret;
    if (!config.secret_file.empty()) {
      SYNCLINE_ASSIGN(secret, env::read_file(config.secret_file, kSecretBytesMax));
      while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
      if (secret.empty()) {
        return core::Error{core::ErrorKind::kInvalid,
                           "the secret of hook " + config.name + " is empty", config.secret_file};
      }
    }
    state->tellers.push_back(
        std::make_unique<Teller>(config, std::move(secret), node, clock, state->problem));
  }
  return std::unique_ptr<Hooks>(new Hooks(std::move(state)));
}

bool Hooks::wants(const std::string& event_type) const {
  return std::any_of(state_->tellers.begin(), state_->tellers.end(),
                     [&](const auto& teller) { return teller->wants(event_type); });
}

void Hooks::offer(const Notice& notice) {
  for (const auto& teller : state_->tellers) {
    if (teller->wants(notice.type)) teller->offer(notice);
  }
}

std::vector<HookState> Hooks::states() const {
  std::vector<HookState> states;
  for (const auto& teller : state_->tellers) states.push_back(teller->state());
  return states;
}

void Hooks::close(core::Duration patience) {
  for (const auto& teller : state_->tellers) teller->begin_to_close();
  const core::Instant until = state_->clock.now() + patience;
  for (const auto& teller : state_->tellers) teller->wait_for_end(until);
  for (const auto& teller : state_->tellers) teller->end();
}

}  // namespace syncline::hooks
