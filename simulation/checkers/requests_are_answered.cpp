// Every request is answered once, by its deadline, and a success is one; a node that is told to
// stop says in time that it is ready, and truly what is durable.
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
constexpr core::Duration kGrace = core::milliseconds(100);

class RequestsAreAnswered final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "requests_are_answered"; }

  void synced(const Node& node, std::uint64_t id, const facade::SyncResponse& response) override {
    const Request& request = truth_.requests.at(id);
    if (request.answers > 1) fail("a sync was answered twice");
    if (!response.success) return;
    for (const std::string& target : response.nodes_synced) {
      for (std::size_t i = 0; i < request.games; ++i) {
        const Node* other = world_.find(core::NodeId(target));
        if (has(*other, node, i)) continue;
        fail("a sync said that " + target + " has everything, it lacks a game of " +
             node.id().text);
        return;
      }
    }
  }

  void flushed(const Node& node, std::uint64_t id, const facade::FlushReport& report) override {
    const Request& request = truth_.requests.at(id);
    if (request.answers > 1) fail("a flush was answered twice");
    if (report.is_durable && count_durable(node) < request.games) {
      fail("a flush of " + node.id().text + " said that all is durable, and it is not");
    }
  }

  void stop_ready(const Node& node, bool is_durable) override {
    if (is_durable && count_durable(node) < node.disk().source.size()) {
      fail(node.id().text + " stopped and said that all is durable, and it is not");
    }
  }

  void second() override {
    for (const auto& [id, request] : truth_.requests) {
      const Node& node = *world_.nodes[static_cast<std::size_t>(request.node)];
      if (request.answers > 0 || !node.is_running() || node.life() != request.life) continue;
      if (world_.timeline.now() <= request.deadline + kGrace) continue;
      fail(std::string(request.is_flush ? "a flush" : "a sync") + " at " + node.id().text +
           " was not answered by its deadline");
    }
  }

 private:
  // Game versions of the node's source that enough machines had, since its disk is this one.
  std::size_t count_durable(const Node& node) const {
    std::set<std::string> durable;
    for (const auto& [log, units] : truth_.units) {
      if (log.origin != node.id()) continue;
      const core::SeqSet seqs = truth_.ever_durable(world_, log, world_.plan.acks);
      for (const auto& [seq, unit] : units) {
        if (seqs.contains(seq)) durable.insert(unit);
      }
    }
    std::size_t count = 0;
    for (const Game& game : node.disk().source) count += durable.count(text(game));
    return count;
  }
  static std::string text(const Game& game) {
    return game.key + " version " + std::to_string(game.version);
  }
  bool has(const Node& other, const Node& origin, std::size_t game) const {
    const std::string wanted = text(origin.disk().source[game]);
    for (const auto& [log, units] : truth_.units) {
      if (log.origin != origin.id()) continue;
      for (const auto& [seq, unit] : units) {
        if (unit != wanted) continue;
        auto held = truth_.ever_held.at(log).find(other.id());
        return held != truth_.ever_held.at(log).end() && held->second.contains(seq);
      }
    }
    return false;
  }
};
}  // namespace

std::unique_ptr<Checker> requests_are_answered(const World& world, const Truth& truth) {
  return make<RequestsAreAnswered>(world, truth);
}

}  // namespace syncline::simulation
