// Whoever says that it holds a record has it on its disk: in every ack and in every fact.
#include "core/ranges.hpp"
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
class AcksAreTrue final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "acks_are_true"; }

  void sent(const Node& node, const core::Message& message) override {
    if (const auto* ack = std::get_if<core::AckRecords>(&message)) {
      check(node, ack->log, ack->held, "acks");
    } else if (const auto* delta = std::get_if<core::DeltaMessage>(&message)) {
      for (const core::CatalogDelta::Part& part : delta->delta.parts) {
        if (part.owner != node.id()) continue;
        for (const core::Fact& fact : part.facts) {
          const auto log = catalog::parse_log_key(fact.key);
          if (!log || fact.is_removed) continue;
          check(node, *log, *core::parse_seq_set(fact.value), "tells the fleet of");
        }
      }
    }
  }

  void settled() override {
    for (const Node* node : running()) {
      for (const auto& [id, log] : node->disk().logs) {
        const core::SeqSet lacking = log.held.minus(node->disk().have(id));
        if (lacking.empty()) continue;
        std::ostringstream what;
        what << node->id() << " notes as held, and has in no form, " << to_string(lacking) << " of "
             << id;
        fail(what.str());
      }
    }
  }

 private:
  void check(const Node& node, const core::LogId& id, const core::SeqSet& said, const char* how) {
    auto log = node.disk().logs.find(id);
    const core::SeqSet held = log == node.disk().logs.end() ? core::SeqSet() : log->second.held;
    const core::SeqSet lie = said.minus(held);
    if (lie.empty()) return;
    std::ostringstream what;
    what << node.id() << " " << how << " " << to_string(lie) << " of " << id
         << ", which are not on its disk";
    fail(what.str());
  }
};
}  // namespace

std::unique_ptr<Checker> acks_are_true(const World& world, const Truth& truth) {
  return make<AcksAreTrue>(world, truth);
}

}  // namespace syncline::simulation
