// The one loop: it owns the engine, gives it events and the time, and passes on its actions.
//
// Threads: run() is the loop's thread. post() and call() from any other. The engine is touched on
// the loop's thread only.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <span>
#include <type_traits>
#include <variant>

#include "engine/engine.hpp"
#include "env/clock.hpp"

namespace asio {
class io_context;
}

namespace syncline::node {

class Loop {
 public:
  using CarryOut = std::function<void(engine::Action&)>;

  explicit Loop(const env::Clock& clock);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Before run(): the engine, and who carries its actions out (on the loop's thread).
  void attach(std::unique_ptr<engine::Engine> engine, CarryOut carry_out);

  void run();   // until stop()
  void stop();  // from any thread

  // Hands an event to the engine, in turn; those that came together are one step of it.
  void post(engine::Event event);
  // Runs on the loop's thread, between two steps: after what was posted before it.
  void post_task(std::function<void()> task);

  // Asks the loop and waits for the answer. REQUIRES: not the loop's own thread. Answers the
  // default value when the loop has stopped.
  template <typename F>
  auto call(F ask) -> std::invoke_result_t<F, engine::Engine&> {
    using Answer = std::invoke_result_t<F, engine::Engine&>;
    auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = promise->get_future();
    post_task([this, promise, ask = std::move(ask)] { promise->set_value(ask(engine())); });
    while (answer.wait_for(std::chrono::milliseconds(200)) != std::future_status::ready) {
      if (has_stopped()) return Answer{};
    }
    return answer.get();
  }

  asio::io_context& io();
  engine::Engine& engine();
  core::Instant now() const;
  bool has_stopped() const;

 private:
  using Item = std::variant<engine::Event, std::function<void()>>;
  void enqueue(Item item);
  void turn();
  void step(std::span<const engine::Event> events);
  void arm();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace syncline::node
