// No queue grows without bound, no turn says too much, and a fleet at rest is at rest.
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
constexpr std::size_t kDiskQueueMax = 2000;
constexpr std::size_t kTurnMax = 2000;             // actions
constexpr std::uint64_t kUnderWayMax = 20'000;     // messages, in the whole fleet
constexpr std::uint64_t kWakesPerSecondMax = 300;  // any node, in any second
// Six for all that rests, and three for membership's probe: its begin, indirect way and end.
constexpr std::uint64_t kIdleWakesPerSecondMax = 6 + 3;

class EverythingIsBounded final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "everything_is_bounded"; }

  void second() override {
    if (world_.network.under_way() > kUnderWayMax) {
      fail(std::to_string(world_.network.under_way()) + " messages are under way");
    }
    for (const Node* node : running()) {
      if (node->disk().queued() > kDiskQueueMax) {
        fail(node->id().text + " has " + std::to_string(node->disk().queued()) + " disk writes");
      }
      if (node->largest_turn() > kTurnMax) {
        fail(node->id().text + " had " + std::to_string(node->largest_turn()) +
             " actions in one turn");
      }
      const std::uint64_t woke = node->wakes() - std::exchange(wakes_[node->id()], node->wakes());
      const std::uint64_t bound = is_settled_ ? kIdleWakesPerSecondMax : kWakesPerSecondMax;
      if (woke > bound) {
        fail(node->id().text + " woke " + std::to_string(woke) + " times in one second" +
             (is_settled_ ? " with nothing to do" : ""));
      }
    }
  }
  void settled() override { is_settled_ = true; }

 private:
  bool is_settled_ = false;
  std::map<core::NodeId, std::uint64_t> wakes_;
};
}  // namespace

std::unique_ptr<Checker> everything_is_bounded(const World& world, const Truth& truth) {
  return make<EverythingIsBounded>(world, truth);
}

}  // namespace syncline::simulation
