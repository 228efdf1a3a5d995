#include "simulation/run.hpp"

#include <algorithm>

#include "simulation/fleet.hpp"

namespace syncline::simulation {

Outcome run(const Plan& plan, const RunOptions& options) {
  return Fleet(plan, options).run();
}

Plan reduce(const Plan& plan, const RunOptions& options, const std::string& checker) {
  RunOptions quiet = options;
  quiet.is_traced = false;
  const auto still_fails = [&](const Plan& shorter) {
    const Outcome outcome = run(shorter, quiet);
    return outcome.failure && outcome.failure->checker == checker;
  };
  // Delta debugging (Zeller and Hildebrandt 2002), without its complements: larger pieces first.
  Plan shortest = plan;
  for (std::size_t piece = std::max<std::size_t>(plan.steps.size() / 2, 1);; piece /= 2) {
    for (std::size_t at = 0; at < shortest.steps.size();) {
      Plan shorter = shortest;
      const auto first = shorter.steps.begin() + static_cast<std::ptrdiff_t>(at);
      const auto count = std::min(piece, shorter.steps.size() - at);
      shorter.steps.erase(first, first + static_cast<std::ptrdiff_t>(count));
      if (still_fails(shorter)) {
        shortest = std::move(shorter);
      } else {
        at += count;
      }
    }
    if (piece <= 1) return shortest;
  }
}

}  // namespace syncline::simulation
