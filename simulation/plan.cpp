#include "simulation/plan.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace syncline::simulation {

namespace {
constexpr core::Duration kFaultsLast = core::seconds(30);

std::vector<Machine> draw_machines(Random& random, int count) {
  std::vector<Machine> machines;
  // In some fleets a few machines share one host, or one NFS export.
  const bool has_shared_hosts = random.chance(25);
  const bool has_shared_storage = random.chance(25);
  for (int i = 0; i < count; ++i) {
    Machine machine;
    machine.id = "n" + std::to_string(i);
    machine.host = "host-" + std::to_string(has_shared_hosts ? i / 2 : i);
    machine.storage = has_shared_storage && i % 3 == 0 ? "nfs:export" : "";
    machine.is_ephemeral = i >= 3 && random.chance(30);
    machine.roles = machine.is_ephemeral ? std::vector<std::string>{"selfplay"}
                                         : std::vector<std::string>{"training", "backup"};
    machine.wall_skew_ms = random.chance(50) ? random.between(-5000, 5000) : 0;
    machines.push_back(std::move(machine));
  }
  return machines;
}
}  // namespace

const char* to_string(StepKind kind) {
  switch (kind) {
    case StepKind::kGames:
      return "games";
    case StepKind::kGameChanged:
      return "game-changed";
    case StepKind::kFile:
      return "file";
    case StepKind::kFileGone:
      return "file-gone";
    case StepKind::kSync:
      return "sync";
    case StepKind::kFlush:
      return "flush";
    case StepKind::kCut:
      return "cut";
    case StepKind::kBlock:
      return "block";
    case StepKind::kIsolate:
      return "isolate";
    case StepKind::kSplit:
      return "split";
    case StepKind::kLoss:
      return "loss";
    case StepKind::kSlowLink:
      return "slow-link";
    case StepKind::kCrash:
      return "crash";
    case StepKind::kWipe:
      return "wipe";
    case StepKind::kDestroy:
      return "destroy";
    case StepKind::kStop:
      return "stop";
    case StepKind::kNotice:
      return "notice";
    case StepKind::kDiskFull:
      return "disk-full";
    case StepKind::kDiskSlow:
      return "disk-slow";
    case StepKind::kWallJump:
      return "wall-jump";
    case StepKind::kRemove:
      return "remove";
  }
  return "?";
}

bool is_fault(StepKind kind) {
  return kind != StepKind::kGames && kind != StepKind::kGameChanged && kind != StepKind::kFile &&
         kind != StepKind::kSync && kind != StepKind::kFlush;
}

std::string to_string(const Step& step) {
  return core::say_number(core::to_seconds(step.at.since_start), 3) + " s " + to_string(step.kind) +
         " n" + std::to_string(step.node) + " other " + std::to_string(step.other) + " amount " +
         std::to_string(step.amount);
}

const Scenario* find_scenario(const std::string& name) {
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name == name) return &scenario;
  }
  return nullptr;
}

namespace {
// Most fleets are small: what goes wrong needs few nodes, and many runs. Each so-manieth is large.
constexpr std::uint64_t kLargeEvery = 25;
constexpr std::uint64_t kLargeMin = 13;
constexpr std::uint64_t kLargeMax = 50;

int large_fleet(std::uint64_t number) {
  return static_cast<int>(kLargeMin + number % (kLargeMax - kLargeMin + 1));
}
}  // namespace

Plan draw_plan(std::uint64_t seed, const PlanOptions& options) {
  Random random(seed * 0x9e3779b97f4a7c15u + 1);
  const auto& all = scenarios();
  const Scenario* scenario =
      options.scenario.empty() ? &all[random.below(all.size())] : find_scenario(options.scenario);
  Plan plan;
  plan.seed = seed;
  plan.scenario = scenario->name;
  plan.acks = random.chance(70) ? 2 : 1;
  plan.copies = random.between(2, 3);
  int nodes = options.nodes;
  if (nodes <= 0) {
    nodes = random.between(scenario->nodes_min, scenario->nodes_max);
    if (seed % kLargeEvery == 0) nodes = large_fleet(seed / kLargeEvery);
  }
  plan.machines = draw_machines(random, nodes);
  plan.faults_end = core::Instant{kFaultsLast};
  for (const Workload workload : scenario->workloads) workload(random, plan);
  std::stable_sort(plan.steps.begin(), plan.steps.end(),
                   [](const Step& a, const Step& b) { return a.at < b.at; });
  return plan;
}

}  // namespace syncline::simulation
