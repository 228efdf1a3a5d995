#include "hooks/queue.hpp"

#include <algorithm>

namespace syncline::hooks {

namespace {
constexpr core::Duration kPauseMax = core::seconds(300);
constexpr int kDoublingsMax = 9;

// Paths and queries of URLs may hold secrets; status is shown to many.
std::string shown(const core::HookConfig& config) {
  if (config.post.empty()) return config.run.front();
  const std::size_t host = config.post.find("://") + 3;
  const std::string at = config.post.substr(host, config.post.find_first_of("/?#", host) - host);
  const std::size_t login = at.rfind('@');
  return config.post.substr(0, host) + (login == std::string::npos ? at : at.substr(login + 1));
}
}  // namespace

Queue::Queue(core::HookConfig config) : config_(std::move(config)) {
  state_.name = config_.name;
  state_.target = shown(config_);
}

bool Queue::wants(const std::string& event_type) const {
  return core::any_glob_matches(config_.on, event_type);
}

void Queue::offer(Notice notice) {
  if (waiting_.size() >= static_cast<std::size_t>(config_.queue_max)) {
    drop_first();
    state_.last_error = "more than " + std::to_string(config_.queue_max) +
                        " events waited; the oldest was given up";
  }
  waiting_.push_back(std::move(notice));
}

void Queue::drop_first() {
  waiting_.pop_front();
  tries_ = 0;
  ++state_.given_up;
}

const Notice* Queue::due(core::Instant now) const {
  return waiting_.empty() || now < not_before_ ? nullptr : &waiting_.front();
}

std::optional<core::Instant> Queue::next_wake() const {
  if (waiting_.empty()) return std::nullopt;
  return not_before_;
}

void Queue::succeeded() {
  if (waiting_.empty()) return;
  waiting_.pop_front();
  tries_ = 0;
  not_before_ = {};
  ++state_.delivered;
  state_.failures = 0;
  state_.last_error.clear();
}

void Queue::failed(const std::string& why, core::Instant now) {
  if (waiting_.empty()) return;
  state_.last_error = why;
  ++state_.failures;
  const core::Duration pause =
      core::seconds(config_.pause_s) * (1 << std::min(std::max(tries_, 0), kDoublingsMax));
  not_before_ = now + std::min<core::Duration>(pause, kPauseMax);
  if (++tries_ >= config_.tries) drop_first();
}

HookState Queue::state() const {
  HookState state = state_;
  state.waiting = waiting_.size();
  return state;
}

}  // namespace syncline::hooks
