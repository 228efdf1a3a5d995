// A node that an operator has removed is nobody's peer any more.
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
class RemovedStayRemoved final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "removed_stay_removed"; }

  std::string missing() override {
    for (const Node* node : running()) {
      for (const core::NodeId& removed : truth_.removed) {
        if (node->id() == removed) continue;
        if (node->engine().peers().is_linked(removed)) {
          return node->id().text + " talks to " + removed.text + ", which was removed";
        }
        if (node->engine().peers().all().count(removed) > 0) {
          return node->id().text + " still lists " + removed.text + ", which was removed";
        }
        if (node->engine().view().find(removed) != nullptr) {
          return node->id().text + " still counts " + removed.text + ", which was removed";
        }
      }
    }
    return {};
  }
};
}  // namespace

std::unique_ptr<Checker> removed_stay_removed(const World& world, const Truth& truth) {
  return make<RemovedStayRemoved>(world, truth);
}

}  // namespace syncline::simulation
