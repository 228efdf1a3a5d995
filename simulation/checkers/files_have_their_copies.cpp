// After healing every node that wants the models has the winning version of each on its disk.
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
class FilesHaveTheirCopies final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "files_have_their_copies"; }

  std::string missing() override {
    if (running().empty()) return {};
    const engine::Engine& engine = running().front()->engine();
    for (const auto& [object, holders] : engine.view().objects()) {
      const core::ObjectVersion* winner = engine.view().winner(object);
      if (winner == nullptr || winner->is_deleted || !is_somewhere(object, winner->root)) continue;
      for (const core::NodeId& id : engine.placement().wanted_by(kModels)) {
        const Node* node = world_.find(id);
        if (node == nullptr || !node->is_running()) return id.text + " is gone and still wanted";
        auto file = node->disk().files.find(object.second);
        if (file == node->disk().files.end()) return id.text + " lacks " + object.second;
        if (file->second.root != winner->root) return id.text + " has an old " + object.second;
      }
    }
    return {};
  }

 private:
  // A version that was only on a machine that is gone cannot be had any more.
  bool is_somewhere(const engine::ObjectId& object, const core::Root& root) const {
    for (const Node* node : running()) {
      auto file = node->disk().files.find(object.second);
      if (file != node->disk().files.end() && file->second.root == root) return true;
    }
    return false;
  }
};
}  // namespace

std::unique_ptr<Checker> files_have_their_copies(const World& world, const Truth& truth) {
  return make<FilesHaveTheirCopies>(world, truth);
}

}  // namespace syncline::simulation
