// simulate: whole fleets on virtual time, one for each seed. Prints every seed that fails; any of
// them replays exactly, and is shortened with --reduce.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include "simulation/run.hpp"

namespace {

using syncline::simulation::Bug;
using syncline::simulation::draw_plan;
using syncline::simulation::Outcome;
using syncline::simulation::Plan;

constexpr const char* kUsage =
    "simulate [--seeds A..B | --seed N] [--scenario NAME] [--nodes N] [--trace] [--reduce]\n"
    "         [--bug NAME] [--list] [--keep-going]\n";

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 200;
  syncline::simulation::PlanOptions plan;
  syncline::simulation::RunOptions run;
  bool is_reduced = false;
  bool keeps_going = false;
  bool is_listed = false;
};

bool parse(int count, char** words, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    auto value = [&] { return i + 1 < count ? std::string(words[++i]) : std::string(); };
    if (word == "--seeds") {
      const std::string range = value();
      const auto dots = range.find("..");
      if (dots == std::string::npos) return false;
      options.first = std::strtoull(range.c_str(), nullptr, 10);
      options.last = std::strtoull(range.c_str() + dots + 2, nullptr, 10);
    } else if (word == "--seed") {
      options.first = options.last = std::strtoull(value().c_str(), nullptr, 10);
    } else if (word == "--scenario") {
      options.plan.scenario = value();
      if (syncline::simulation::find_scenario(options.plan.scenario) == nullptr) return false;
    } else if (word == "--nodes") {
      options.plan.nodes = std::atoi(value().c_str());
      if (options.plan.nodes < 3 || options.plan.nodes > 50) return false;
    } else if (word == "--bug") {
      const std::string name = value();
      for (const auto& planted : syncline::simulation::planted_bugs()) {
        if (planted.name == name) options.run.bug = planted.bug;
      }
      if (options.run.bug == Bug::kNone) return false;
    } else if (word == "--trace") {
      options.run.is_traced = true;
    } else if (word == "--reduce") {
      options.is_reduced = true;
    } else if (word == "--keep-going") {
      options.keeps_going = true;
    } else if (word == "--list") {
      options.is_listed = true;
    } else {
      return false;
    }
  }
  return true;
}

void print_steps(const Plan& plan) {
  std::cout << "  acks " << plan.acks << ", copies " << plan.copies << "\n";
  for (const auto& machine : plan.machines) {
    std::cout << "  " << machine.id << " on " << machine.host << " " << machine.storage
              << (machine.is_ephemeral ? " (spot)" : "") << "\n";
  }
  for (const auto& step : plan.steps) std::cout << "  " << to_string(step) << "\n";
}

void report(const Options& options, const Plan& plan, const Outcome& outcome) {
  std::cout << "seed " << plan.seed << " (" << plan.scenario << ", " << plan.machines.size()
            << " nodes) failed at " << syncline::core::to_seconds(outcome.failure->at.since_start)
            << " s: " << outcome.failure->checker << ": " << outcome.failure->what << "\n"
            << "  replay: simulate --seed " << plan.seed;
  if (!options.plan.scenario.empty()) std::cout << " --scenario " << options.plan.scenario;
  if (options.plan.nodes > 0) std::cout << " --nodes " << options.plan.nodes;
  std::cout << " --trace\n";
  if (!options.is_reduced) return;
  print_steps(syncline::simulation::reduce(plan, options.run, outcome.failure->checker));
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (!parse(count, words, options)) {
    std::cerr << kUsage;
    return 2;
  }
  if (options.is_listed) {
    for (const auto& scenario : syncline::simulation::scenarios()) {
      std::cout << scenario.name << ": " << scenario.what << "\n";
    }
    return 0;
  }
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t failed = 0;
  std::uint64_t done = 0;
  std::uint64_t messages = 0;
  for (std::uint64_t seed = options.first; seed <= options.last; ++seed) {
    const Plan plan = draw_plan(seed, options.plan);
    const Outcome outcome = run(plan, options.run);
    ++done;
    messages += outcome.messages;
    if (options.first == options.last) {
      std::cout << "digest " << std::hex << outcome.digest << std::dec << "\n";
    }
    if (!outcome.failure) continue;
    ++failed;
    report(options, plan, outcome);
    if (!options.keeps_going) break;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::cout << done << " seeds, " << failed << " failed, " << messages << " messages, "
            << took.count() << " s, " << static_cast<double>(done) / took.count() << " seeds/s\n";
  return failed == 0 ? 0 : 1;
}
