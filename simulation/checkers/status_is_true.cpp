// `status` never says that more is durable than is: at any time than ever was, at rest than is.
#include "engine/reports.hpp"
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
class StatusIsTrue final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "status_is_true"; }

  void second() override {
    std::uint64_t ever = 0;
    for (const auto& [log, held] : truth_.ever_held) {
      ever += truth_.ever_durable(world_, log, world_.plan.acks).count();
    }
    check(ever, "ever was");
  }
  void settled() override {
    std::map<core::LogId, std::map<core::NodeId, core::SeqSet>> now;
    for (const Node* node : running()) {
      for (const auto& [id, log] : node->disk().logs) now[id][node->id()] = node->disk().have(id);
    }
    Truth present;
    present.ever_held = std::move(now);
    present.removed = truth_.removed;
    std::uint64_t durable = 0;
    for (const auto& [log, held] : present.ever_held) {
      durable += present.ever_durable(world_, log, world_.plan.acks).count();
    }
    check(durable, "is");
  }

 private:
  void check(std::uint64_t truly, const char* when) {
    for (const Node* node : running()) {
      const auto status = engine::status_of(node->engine(), world_.timeline.now());
      for (const facade::CollectionStatus& collection : status.collections) {
        if (collection.name != kGames.text || collection.durable <= truly) continue;
        fail("status of " + node->id().text + " says that " + std::to_string(collection.durable) +
             " records are durable, " + std::to_string(truly) + " " + when);
      }
    }
  }
};
}  // namespace

std::unique_ptr<Checker> status_is_true(const World& world, const Truth& truth) {
  return make<StatusIsTrue>(world, truth);
}

}  // namespace syncline::simulation
