// After healing every node knows the same of everybody.
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
class CatalogsAgree final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "catalogs_agree"; }

  std::string missing() override {
    const auto nodes = running();
    for (const Node* node : nodes) {
      const auto theirs = node->engine().catalog().digest();
      const auto first = nodes.front()->engine().catalog().digest();
      for (const auto& [owner, mark] : first.marks) {
        auto other = theirs.marks.find(owner);
        if (other != theirs.marks.end() && other->second == mark) continue;
        return node->id().text + " and " + nodes.front()->id().text + " know different things of " +
               owner.text;
      }
      if (theirs.marks.size() != first.marks.size()) {
        return node->id().text + " knows of other nodes than " + nodes.front()->id().text;
      }
    }
    return {};
  }
};
}  // namespace

std::unique_ptr<Checker> catalogs_agree(const World& world, const Truth& truth) {
  return make<CatalogsAgree>(world, truth);
}

}  // namespace syncline::simulation
