// A record is called durable only when as many independent machines as asked for had it on disk.
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
class ClaimsAreTrue final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "claims_are_true"; }

  void stepped(const Node& node) override {
    for (const auto& [log, writer] : node.engine().records().own_logs()) {
      core::SeqSet& known = known_[log];
      if (writer.durable() == known) continue;
      const core::SeqSet fresh = writer.durable().minus(known);
      known = writer.durable();
      // After a restart a log begins with what the journal has trimmed: judged before.
      const core::SeqSet lie = fresh.minus(truth_.ever_durable(world_, log, world_.plan.acks));
      if (lie.empty()) continue;
      std::ostringstream what;
      what << node.id() << " calls " << to_string(lie) << " of " << log
           << " durable, and too few machines ever had them";
      fail(what.str());
    }
  }

 private:
  std::map<core::LogId, core::SeqSet> known_;
};
}  // namespace

std::unique_ptr<Checker> claims_are_true(const World& world, const Truth& truth) {
  return make<ClaimsAreTrue>(world, truth);
}

}  // namespace syncline::simulation
