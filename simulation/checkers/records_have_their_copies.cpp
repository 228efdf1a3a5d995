// After healing every committed game is journalled, durable, and in the replica of every node that
// wants it; those are as many independent copies as configured and possible; replicas are equal.
#include <algorithm>

#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
class RecordsHaveTheirCopies final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "records_have_their_copies"; }

  std::string missing() override {
    std::set<core::NodeId> alive;
    for (const Node* node : running()) alive.insert(node->id());
    std::set<core::NodeId> wanted;
    for (const Node* node : running()) {
      const auto& here = node->engine().placement().wanted_by(kGames);
      if (node == running().front()) wanted = here;
      if (here != wanted) return node->id().text + " means that others want the games";
      if (std::string unread = not_journalled(*node); !unread.empty()) return unread;
      std::set<core::NodeId> others = alive;
      others.erase(node->id());
      const bool can_be = real_domains(world_, others, node->id()) >= world_.plan.acks;
      if (can_be && node->engine().records().undelivered() > 0) {
        return std::to_string(node->engine().records().undelivered()) + " records of " +
               node->id().text + " are not durable";
      }
    }
    const int possible = real_domains(world_, alive, core::NodeId());
    const int copies = real_domains(world_, wanted, core::NodeId());
    if (copies < std::min(world_.plan.copies, possible)) {
      return "only " + std::to_string(copies) + " copies of the games are wanted";
    }
    return missing_at(wanted);
  }

 private:
  // By what the journal has got, not by what the node believes to have read.
  std::string not_journalled(const Node& node) const {
    std::set<std::string> taken;
    for (const auto& [log, units] : truth_.units) {
      if (log.origin != node.id()) continue;
      for (const auto& [seq, unit] : units) taken.insert(unit);
    }
    for (const Game& game : node.disk().source) {
      const std::string unit = game.key + " version " + std::to_string(game.version);
      if (taken.count(unit) == 0) return unit + " of " + node.id().text + " was not journalled";
    }
    return {};
  }
  std::string missing_at(const std::set<core::NodeId>& wanted) const {
    std::map<core::LogId, core::SeqSet> all;
    for (const Node* node : running()) {
      for (const auto& [id, log] : node->disk().logs) all[id].insert(node->disk().have(id));
    }
    const Node* first = nullptr;
    for (const core::NodeId& id : wanted) {
      const Node* node = world_.find(id);
      if (node == nullptr || !node->is_running()) return id.text + " is gone and still wanted";
      for (const auto& [log, seqs] : all) {
        core::SeqSet merged;
        auto found = node->disk().replica.merged.find(log);
        if (found != node->disk().replica.merged.end()) {
          for (const auto& [seq, record] : found->second) merged.insert(seq, seq);
        }
        const core::SeqSet lacking = seqs.minus(merged);
        if (lacking.empty()) continue;
        std::ostringstream what;
        what << id << " lacks " << to_string(lacking) << " of " << log << " in its replica";
        return what.str();
      }
      if (first == nullptr) first = node;
      if (!(node->disk().replica.fingerprint == first->disk().replica.fingerprint)) {
        return "the replicas of " + id.text + " and " + first->id().text + " differ";
      }
    }
    return {};
  }
};
}  // namespace

std::unique_ptr<Checker> records_have_their_copies(const World& world, const Truth& truth) {
  return make<RecordsHaveTheirCopies>(world, truth);
}

}  // namespace syncline::simulation
