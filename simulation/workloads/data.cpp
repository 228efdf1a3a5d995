// Workloads that make data and ask questions.
#include "simulation/workloads/workloads.hpp"

namespace syncline::simulation::workloads {

namespace {
constexpr core::Duration kDataFrom = core::milliseconds(500);  // the fleet has begun
}  // namespace

void games(Random& random, Plan& plan) {
  const int writers = random.between(1, 3);
  for (int w = 0; w < writers; ++w) {
    const int node = any_node(random, plan);
    const int batches = random.between(3, 12);
    for (int b = 0; b < batches; ++b) {
      plan.steps.push_back(
          {moment(random, plan, kDataFrom), StepKind::kGames, node, 0, random.between(1, 6)});
    }
    if (random.chance(40)) {
      plan.steps.push_back({moment(random, plan, kDataFrom), StepKind::kGameChanged, node, 0, 0});
    }
  }
}

void bursts(Random& random, Plan& plan) {
  plan.steps.push_back({moment(random, plan, kDataFrom), StepKind::kGames, any_node(random, plan),
                        0, random.between(100, 400)});
}

void files(Random& random, Plan& plan) {
  const int writes = random.between(2, 6);
  for (int i = 0; i < writes; ++i) {
    plan.steps.push_back({moment(random, plan, kDataFrom), StepKind::kFile, any_node(random, plan),
                          random.between(0, 2), random.between(1, 200) * 1'000'000});
  }
  if (random.chance(30)) {
    plan.steps.push_back({moment(random, plan, kDataFrom), StepKind::kFileGone,
                          any_node(random, plan), random.between(0, 2), 0});
  }
}

void requests(Random& random, Plan& plan) {
  const int count = random.between(1, 4);
  for (int i = 0; i < count; ++i) {
    const StepKind kind = random.chance(50) ? StepKind::kSync : StepKind::kFlush;
    plan.steps.push_back({moment(random, plan, kDataFrom), kind, any_node(random, plan), 0,
                          random.between(100, 8000)});
  }
}

}  // namespace syncline::simulation::workloads
