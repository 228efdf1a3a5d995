// Workloads that break things. All of it heals when the faults end, except what is gone for ever.
#include <algorithm>

#include "simulation/workloads/workloads.hpp"

namespace syncline::simulation::workloads {

namespace {
constexpr core::Duration kFaultsFrom = core::seconds(1);  // the fleet has begun
int another(Random& random, const Plan& plan, int node) {
  const int count = static_cast<int>(plan.machines.size());
  return (node + random.between(1, count - 1)) % count;
}
// Does losing this machine cost fewer domains than there are acks, with what is lost already?
bool may_lose(const Plan& plan) {
  const auto lost = std::count_if(plan.steps.begin(), plan.steps.end(), [](const Step& step) {
    return step.kind == StepKind::kWipe || step.kind == StepKind::kDestroy ||
           step.kind == StepKind::kNotice;
  });
  return lost + 1 < plan.acks && plan.machines.size() > 3;
}
}  // namespace

void bad_network(Random& random, Plan& plan) {
  const int count = random.between(3, 15);
  for (int i = 0; i < count; ++i) {
    const int node = any_node(random, plan);
    const int other = another(random, plan, node);
    const std::int64_t ms = random.between(50, 8000);
    switch (random.between(0, 3)) {
      case 0:
        plan.steps.push_back({moment(random, plan, kFaultsFrom), StepKind::kCut, node, other, 0});
        break;
      case 1:
        plan.steps.push_back(
            {moment(random, plan, kFaultsFrom), StepKind::kSlowLink, node, other, ms});
        break;
      case 2: {  // both ways
        const core::Instant at = moment(random, plan, kFaultsFrom);
        plan.steps.push_back({at, StepKind::kBlock, node, other, ms});
        plan.steps.push_back({at, StepKind::kBlock, other, node, ms});
        break;
      }
      default:
        plan.steps.push_back(
            {moment(random, plan, kFaultsFrom), StepKind::kBlock, node, other, ms});
    }
  }
}

// One node in three is far away for the whole run; one datagram in twenty is lost.
void slow_network(Random& random, Plan& plan) {
  const std::int64_t ms = plan.faults_end.since_start.count() / 1'000'000;
  const int count = static_cast<int>(plan.machines.size());
  plan.steps.push_back({core::Instant{}, StepKind::kLoss, 0, 5, ms});
  for (int node = 0; node < count; ++node) {
    if (!random.chance(33)) continue;
    for (int other = 0; other < count; ++other) {
      if (other == node) continue;
      plan.steps.push_back({core::Instant{}, StepKind::kSlowLink, node, other, ms});
      plan.steps.push_back({core::Instant{}, StepKind::kSlowLink, other, node, ms});
    }
  }
}

void partitions(Random& random, Plan& plan) {
  const int count = random.between(1, 3);
  for (int i = 0; i < count; ++i) {
    const std::int64_t ms = random.between(2000, 20000);
    if (random.chance(50)) {
      plan.steps.push_back(
          {moment(random, plan, kFaultsFrom), StepKind::kIsolate, any_node(random, plan), 0, ms});
    } else {
      const int bits = std::min(static_cast<int>(plan.machines.size()), kSplitBits);
      const int mask = random.between(1, (1 << bits) - 2);
      plan.steps.push_back({moment(random, plan, kFaultsFrom), StepKind::kSplit, 0, mask, ms});
    }
  }
}

void crashes(Random& random, Plan& plan) {
  const int count = random.between(1, 6);
  for (int i = 0; i < count; ++i) {
    plan.steps.push_back({moment(random, plan, kFaultsFrom), StepKind::kCrash,
                          any_node(random, plan), 0, random.between(100, 12000)});
  }
}

void rolling_restart(Random& random, Plan& plan) {
  core::Instant at{core::seconds(2)};
  for (std::size_t i = 0; i < plan.machines.size() && at < plan.faults_end; ++i) {
    plan.steps.push_back({at, StepKind::kStop, static_cast<int>(i), 0, random.between(0, 4000)});
    at = at + random.between(core::milliseconds(500), core::seconds(5));
  }
}

void bad_disks(Random& random, Plan& plan) {
  const int count = random.between(1, 4);
  for (int i = 0; i < count; ++i) {
    const StepKind kind = random.chance(50) ? StepKind::kDiskFull : StepKind::kDiskSlow;
    plan.steps.push_back({moment(random, plan, kFaultsFrom), kind, any_node(random, plan), 0,
                          random.between(500, 10000)});
  }
}

void bad_clocks(Random& random, Plan& plan) {
  const int count = random.between(1, 4);
  for (int i = 0; i < count; ++i) {
    plan.steps.push_back({moment(random, plan, kFaultsFrom), StepKind::kWallJump,
                          any_node(random, plan), 0,
                          random.between(-86'400, 86'400) * std::int64_t{1000}});
  }
}

void lost_disk(Random& random, Plan& plan) {
  if (!may_lose(plan)) return;
  plan.steps.push_back({moment(random, plan, kFaultsFrom), StepKind::kWipe, any_node(random, plan),
                        0, random.between(100, 10000)});
}

void lost_machine(Random& random, Plan& plan) {
  if (!may_lose(plan)) return;
  plan.steps.push_back(
      {moment(random, plan, kFaultsFrom), StepKind::kDestroy, any_node(random, plan), 0, 0});
}

void spot_notices(Random& random, Plan& plan) {
  for (std::size_t i = 0; i < plan.machines.size(); ++i) {
    if (!plan.machines[i].is_ephemeral || !may_lose(plan)) continue;
    plan.steps.push_back({moment(random, plan, kFaultsFrom), StepKind::kNotice, static_cast<int>(i),
                          0, random.between(0, 10000)});
  }
}

void removal(Random& random, Plan& plan) {
  for (const Step& step : std::vector<Step>(plan.steps)) {
    if (step.kind != StepKind::kDestroy) continue;
    plan.steps.push_back({step.at + core::seconds(random.between(1, 10)), StepKind::kRemove,
                          another(random, plan, step.node), step.node, 0});
  }
}

}  // namespace syncline::simulation::workloads
