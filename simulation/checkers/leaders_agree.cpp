// After healing all nodes follow one leader that is there, or agree that nobody leads.
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
class LeadersAgree final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "leaders_agree"; }

  std::string missing() override {
    const auto nodes = running();
    bool is_there = nodes.empty();
    for (const Node* node : nodes) {
      const auto& theirs = node->engine().leadership();
      const auto& first = nodes.front()->engine().leadership();
      if (theirs.leader != first.leader || theirs.epoch != first.epoch) {
        return node->id().text + " follows '" + theirs.leader.text + "' (epoch " +
               std::to_string(theirs.epoch) + "), " + nodes.front()->id().text + " follows '" +
               first.leader.text + "' (epoch " + std::to_string(first.epoch) + ")";
      }
      is_there |= first.leader.empty() || first.leader == node->id();
    }
    return is_there ? "" : "the leader is not running";
  }
};
}  // namespace

std::unique_ptr<Checker> leaders_agree(const World& world, const Truth& truth) {
  return make<LeadersAgree>(world, truth);
}

}  // namespace syncline::simulation
