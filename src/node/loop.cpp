#include "node/loop.hpp"

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>

namespace syncline::node {

struct Loop::State {
  explicit State(const env::Clock& c) : clock(c), work(io.get_executor()), timer(io) {}
  const env::Clock& clock;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work;
  asio::steady_timer timer;
  std::optional<core::Instant> armed_for;
  std::unique_ptr<engine::Engine> engine;
  CarryOut carry_out;
  std::atomic<bool> has_stopped{false};
};

Loop::Loop(const env::Clock& clock) : state_(std::make_unique<State>(clock)) {}
Loop::~Loop() = default;

void Loop::attach(std::unique_ptr<engine::Engine> engine, CarryOut carry_out) {
  state_->engine = std::move(engine);
  state_->carry_out = std::move(carry_out);
}

void Loop::run() {
  post(engine::Tick{});
  state_->io.run();
  state_->has_stopped = true;
}

void Loop::stop() {
  state_->has_stopped = true;
  state_->io.stop();
}

void Loop::post(engine::Event event) {
  asio::post(state_->io, [this, event = std::move(event)] { step(event); });
}

void Loop::post_task(std::function<void()> task) {
  asio::post(state_->io, std::move(task));
}

void Loop::step(const engine::Event& event) {
  engine::Actions actions;
  state_->engine->step(event, now(), actions);
  for (engine::Action& action : actions) state_->carry_out(action);
  arm();
}

void Loop::arm() {
  const auto wake = state_->engine->next_wake();
  if (!wake) return;
  if (state_->armed_for && *state_->armed_for == *wake) return;
  state_->armed_for = wake;
  const core::Duration wait = std::max(core::Duration{0}, *wake - now());
  state_->timer.expires_after(wait);
  state_->timer.async_wait([this](const std::error_code& error) {
    if (error) return;  // armed anew for another time
    state_->armed_for.reset();
    step(engine::Tick{});
  });
}

asio::io_context& Loop::io() {
  return state_->io;
}
engine::Engine& Loop::engine() {
  return *state_->engine;
}
bool Loop::has_stopped() const {
  return state_->has_stopped;
}

core::Instant Loop::now() const {
  return state_->clock.now();
}

}  // namespace syncline::node
