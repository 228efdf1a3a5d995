#include "spot/watcher.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "core/check.hpp"
#include "spot/conversations.hpp"

namespace syncline::spot {

WatcherSettings watcher_settings(const core::SpotConfig& spot, core::Tristate ephemeral) {
  SYNCLINE_CHECK(ephemeral != core::Tristate::kFalse, "a node that stays waits for no notice");
  WatcherSettings settings;
  settings.base_aws = spot.metadata_aws;
  settings.base_gcp = spot.metadata_gcp;
  settings.base_azure = spot.metadata_azure;
  settings.poll_interval = core::milliseconds(spot.poll_interval_ms);
  settings.is_ephemeral_for_certain = ephemeral == core::Tristate::kTrue;
  return settings;
}

struct Watcher::State {
  State(WatcherSettings s, const env::Clock& c, WatcherCallbacks k)
      : settings(std::move(s)), clock(c), callbacks(std::move(k)) {}

  struct Service {
    std::unique_ptr<Conversation> conversation;
    std::unique_ptr<HttpDoor> door;
    Ask ask() {
      return [this](const Request& request) { return door->ask(request); };
    }
  };

  bool wait(core::Duration pause);  // false: told to stop
  Service* detect();
  void watch(Service& service);
  bool poll(Service& service);  // false: nothing more to wait for
  void run();

  const WatcherSettings settings;
  const env::Clock& clock;
  const WatcherCallbacks callbacks;
  std::array<Service, 3> services;
  int silent_polls = 0;
  std::string last_advice;

  std::mutex mutex;
  std::condition_variable changed;
  bool is_stopping = false;
  std::thread thread;
};

bool Watcher::State::wait(core::Duration pause) {
  std::unique_lock lock(mutex);
  return !changed.wait_for(lock, pause, [this] { return is_stopping; });
}

Watcher::State::Service* Watcher::State::detect() {
  core::Duration pause = settings.poll_interval;
  for (int tries = 1;; ++tries) {
    for (Service& service : services) {
      const auto found = service.conversation->detect(service.ask());
      if (!wait(core::Duration(0))) return nullptr;
      if (!found) continue;
      callbacks.found(*found);
      const bool may_come = found->is_spot || settings.is_ephemeral_for_certain;
      return may_come ? &service : nullptr;
    }
    if (!settings.is_ephemeral_for_certain && tries >= settings.detect_tries_max) return nullptr;
    if (!wait(pause)) return nullptr;
    pause = std::min(pause * 2, std::max(settings.detect_pause_max, settings.poll_interval));
  }
}

bool Watcher::State::poll(Service& service) {
  const auto signals = service.conversation->poll(service.ask(), clock.wall());
  const core::Instant now = clock.now();
  if (!wait(core::Duration(0))) return false;
  if (!signals.ok()) {
    if (++silent_polls == settings.silent_polls_max) {
      callbacks.problem("a notice of termination would not be seen: " +
                        core::to_string(signals.error()));
    }
    return true;
  }
  silent_polls = 0;
  if (!signals->advice.empty() && signals->advice != last_advice) {
    callbacks.advice(signals->advice);
  }
  last_advice = signals->advice;
  if (!signals->notice) return true;
  callbacks.notice(*signals->notice, now + core::from_seconds(signals->notice->seconds_left));
  return false;
}

void Watcher::State::run() {
  pthread_setname_np(pthread_self(), "sl-spot");
  Service* service = detect();
  if (service == nullptr) return;
  while (poll(*service) && wait(settings.poll_interval)) {
  }
}

Watcher::Watcher(std::unique_ptr<State> state) : state_(std::move(state)) {}

core::Result<std::unique_ptr<Watcher>> Watcher::start(WatcherSettings settings,
                                                      const env::Clock& clock,
                                                      WatcherCallbacks callbacks) {
  auto state = std::make_unique<State>(std::move(settings), clock, std::move(callbacks));
  const WatcherSettings& used = state->settings;
  SYNCLINE_ASSIGN(auto aws, HttpDoor::open(used.base_aws, used.http));
  SYNCLINE_ASSIGN(auto gcp, HttpDoor::open(used.base_gcp, used.http));
  SYNCLINE_ASSIGN(auto azure, HttpDoor::open(used.base_azure, used.http));
  state->services = {State::Service{make_aws(), std::move(aws)},
                     State::Service{make_gcp(), std::move(gcp)},
                     State::Service{make_azure(), std::move(azure)}};
  State* raw = state.get();
  state->thread = std::thread([raw] { raw->run(); });
  return std::unique_ptr<Watcher>(new Watcher(std::move(state)));
}

Watcher::~Watcher() {
  {
    std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
  }
  state_->changed.notify_all();
  for (State::Service& service : state_->services) service.door->cancel();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace syncline::spot
