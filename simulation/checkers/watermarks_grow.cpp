// Within one life a node never holds less of a log than before, except what it says it gave up.
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
class WatermarksGrow final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "watermarks_grow"; }

  void sent(const Node& node, const core::Message& message) override {
    const auto* ack = std::get_if<core::AckRecords>(&message);
    if (ack == nullptr) return;
    core::SeqSet& before = said_[{node.id(), node.life(), ack->log}];
    const core::SeqSet gone = before.minus(ack->held);
    if (!gone.empty()) {
      std::ostringstream what;
      what << node.id() << " acked " << to_string(gone) << " of " << ack->log << " and does not "
           << "any more";
      fail(what.str());
    }
    before = ack->held;
  }
  void forgotten(const Node& node, const core::LogId& log, const core::SeqSet& seqs) override {
    core::SeqSet& before = said_[{node.id(), node.life(), log}];
    before = before.minus(seqs);
  }

 private:
  std::map<std::tuple<core::NodeId, int, core::LogId>, core::SeqSet> said_;
};
}  // namespace

std::unique_ptr<Checker> watermarks_grow(const World& world, const Truth& truth) {
  return make<WatermarksGrow>(world, truth);
}

}  // namespace syncline::simulation
