// What was called durable is on some disk for as long as fewer machines than `acks` are lost.
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
class NothingIsLost final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "nothing_is_lost"; }

  void settled() override {
    if (static_cast<int>(truth_.lost.size()) >= world_.plan.acks) return;
    for (const auto& [log, claimed] : truth_.claimed) {
      core::SeqSet left = claimed;
      for (const auto& node : world_.nodes) {
        if (node->state() != NodeState::kDestroyed) left = left.minus(node->disk().have(log));
      }
      if (left.empty()) continue;
      std::ostringstream what;
      what << to_string(left) << " of " << log << " were durable and are on no disk any more";
      fail(what.str());
    }
  }
};
}  // namespace

std::unique_ptr<Checker> nothing_is_lost(const World& world, const Truth& truth) {
  return make<NothingIsLost>(world, truth);
}

}  // namespace syncline::simulation
