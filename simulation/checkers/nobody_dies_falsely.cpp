// Membership never counts a running node as dead for slowness or lost datagrams alone; and after a
// fault that might excuse it, every running node is alive for every other again.
#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

namespace {
// What was said of a node while it was away spreads a little longer than it is away.
constexpr core::Duration kEchoesFor = core::seconds(30);

class NobodyDiesFalsely final : public Checker {
 public:
  using Checker::Checker;
  const char* name() const override { return "nobody_dies_falsely"; }

  void second() override {
    const core::Instant excused_until = truth_.disturbed_until + kEchoesFor;
    if (world_.timeline.now() < excused_until) return;
    for_each_wrong([&](const Node& node, const membership::Member& member) {
      if (member.standing.state == core::MemberState::kSuspect) return;  // it may still refute
      if (member.changed_at < excused_until) return;
      fail(node.id().text + " counts " + member.node.text + " as " +
           to_string(member.standing.state) + ", which was only slow");
    });
  }
  std::string missing() override {
    std::string what;
    for_each_wrong([&](const Node& node, const membership::Member& member) {
      if (member.standing.state == core::MemberState::kSuspect) return;
      what = node.id().text + " still counts " + member.node.text + " as " +
             to_string(member.standing.state) + " at incarnation " +
             std::to_string(member.standing.incarnation) + ", its own is " +
             std::to_string(
                 world_.find(member.node)->engine().membership().self().standing.incarnation);
    });
    return what;
  }

 private:
  // Running members that a running node takes for anything but alive.
  template <typename F>
  void for_each_wrong(F found) {
    for (const Node* node : running()) {
      for (const membership::Member* member : node->engine().membership().members().all()) {
        const Node* other = world_.find(member->node);
        const bool is_there = other != nullptr && other->is_running() &&
                              !other->engine().is_draining() && !node->engine().is_draining();
        if (is_there && member->standing.state != core::MemberState::kAlive) found(*node, *member);
      }
    }
  }
};
}  // namespace

std::unique_ptr<Checker> nobody_dies_falsely(const World& world, const Truth& truth) {
  return make<NobodyDiesFalsely>(world, truth);
}

}  // namespace syncline::simulation
