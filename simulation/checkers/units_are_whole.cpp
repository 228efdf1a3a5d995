// No unit is doubled or torn: a replica has each key once, whole, at its newest version; and no
// version of a unit is journalled twice by its origin.
#include "core/sha256.hpp"
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
class UnitsAreWhole final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "units_are_whole"; }

  void journalled(const Node& node, const core::LogId& log,
                  const core::RecordBatch& batch) override {
    if (log.origin != node.id()) return;
    for (const core::Record& record : batch.records) {
      // Under the same name it may come back to a node that has given it up, or lost its disk.
      const auto name = std::pair(log, record.seq);
      if (journalled_.try_emplace(record.unit.bytes, name).first->second != name) {
        fail(node.id().text + " has journalled " + record.unit.bytes + " twice");
      }
    }
  }

  void settled() override {
    for (const Node* node : running()) {
      for (const auto& [key, rows] : node->disk().replica.units) check(*node, key, rows);
      for (const auto& [id, log] : node->disk().logs) {
        for (const auto& [seq, record] : log.payloads) check(*node, record.unit);
      }
    }
  }

 private:
  void check(const Node& node, const std::string& key, const std::vector<Row>& rows) {
    if (rows.size() != 1) fail(key + " stands more than once in the replica of " + node.id().text);
    if (core::sha256(rows.front().bytes) != rows.front().hash) {
      fail(key + " is torn in the replica of " + node.id().text);
    }
  }
  void check(const Node& node, const core::EncodedUnit& unit) {
    if (core::sha256(unit.bytes) != unit.hash) {
      fail(unit.key + " is torn in the journal of " + node.id().text);
    }
  }
  std::map<std::string, std::pair<core::LogId, core::Seq>> journalled_;
};
}  // namespace

std::unique_ptr<Checker> units_are_whole(const World& world, const Truth& truth) {
  return make<UnitsAreWhole>(world, truth);
}

}  // namespace syncline::simulation
