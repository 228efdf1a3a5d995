#include "node/loop.hpp"

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace syncline::node {

namespace {
// Sockets are not kept waiting for more than so many at once.
constexpr std::size_t kItemsPerTurn = 256;
constexpr std::size_t kActionsKeptMax = 8192;
}  // namespace

struct Loop::State {
  explicit State(const env::Clock& c) : clock(c), work(io.get_executor()), timer(io) {}
  const env::Clock& clock;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work;
  asio::steady_timer timer;
  std::optional<core::Instant> armed_for;
  std::unique_ptr<engine::Engine> engine;
  CarryOut carry_out;
  engine::Actions actions;  // of the step under way
  std::atomic<bool> has_stopped{false};

  std::mutex mutex;  // of what follows
  std::deque<Item> line;
  bool is_turn_posted = false;
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
  enqueue(std::move(event));
}

void Loop::post_task(std::function<void()> task) {
  enqueue(std::move(task));
}

void Loop::enqueue(Item item) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->line.push_back(std::move(item));
    if (std::exchange(state_->is_turn_posted, true)) return;
  }
  asio::post(state_->io, [this] { turn(); });
}

// What came since the last turn, in order; events with no task between them in one step.
void Loop::turn() {
  std::vector<Item> items;
  {
    const std::lock_guard lock(state_->mutex);
    std::deque<Item>& line = state_->line;
    const std::size_t count = std::min(line.size(), kItemsPerTurn);
    const auto end = line.begin() + static_cast<std::ptrdiff_t>(count);
    items.assign(std::make_move_iterator(line.begin()), std::make_move_iterator(end));
    line.erase(line.begin(), end);
    state_->is_turn_posted = !line.empty();
    if (state_->is_turn_posted) asio::post(state_->io, [this] { turn(); });
  }
  std::vector<engine::Event> events;
  for (Item& item : items) {
    if (auto* event = std::get_if<engine::Event>(&item)) {
      events.push_back(std::move(*event));
      continue;
    }
    if (!events.empty()) step(std::exchange(events, {}));
    std::get<std::function<void()>>(item)();
  }
  if (!events.empty()) step(events);
}

void Loop::step(std::span<const engine::Event> events) {
  // Kept from step to step: thousands of actions would be moved each time that it grows.
  engine::Actions& actions = state_->actions;
  state_->engine->step(events, now(), actions);
  for (engine::Action& action : actions) state_->carry_out(action);
  actions.clear();
  if (actions.capacity() > kActionsKeptMax) actions = {};
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
    const engine::Event tick = engine::Tick{};
    step({&tick, 1});
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
