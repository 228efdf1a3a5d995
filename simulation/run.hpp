// One run: a fleet, its plan, and the checkers. The same plan gives the same digest, always.
#pragma once

#include <optional>
#include <string>

#include "simulation/negative/planted.hpp"
#include "simulation/plan.hpp"

namespace syncline::simulation {

struct Failure {
  std::string checker;
  std::string what;
  core::Instant at;
};

struct Outcome {
  std::optional<Failure> failure;
  std::uint64_t digest = 0;  // of every event and action of every node
  std::uint64_t messages = 0;
  core::Instant settled_at;  // when nothing was missing any more
};

struct RunOptions {
  Bug bug = Bug::kNone;
  bool is_traced = false;
};

// Faults until plan.faults_end; then everything heals, and the fleet must come to rest with nothing
// missing within two minutes of its time.
Outcome run(const Plan& plan, const RunOptions& options = {});

// Drops steps of a failing plan for as long as the same checker still fails.
Plan reduce(const Plan& plan, const RunOptions& options, const std::string& checker);

}  // namespace syncline::simulation
