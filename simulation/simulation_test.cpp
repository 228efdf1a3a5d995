// The simulation itself: it finds what is wrong, repeats itself exactly, and shortens what failed.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "simulation/negative/planted.hpp"
#include "simulation/plan.hpp"
#include "simulation/run.hpp"

namespace syncline::simulation {
namespace {

struct Found {
  std::uint64_t seed = 0;
  Plan plan;
  Failure failure;
};

std::optional<Found> find(const PlantedBug& bug) {
  RunOptions options;
  options.bug = bug.bug;
  PlanOptions drawn;
  drawn.scenario = bug.scenario;
  for (std::uint64_t seed = 1; seed <= static_cast<std::uint64_t>(bug.seeds_max); ++seed) {
    Plan plan = draw_plan(seed, drawn);
    const Outcome outcome = run(plan, options);
    if (outcome.failure) return Found{seed, std::move(plan), *outcome.failure};
  }
  return std::nullopt;
}

class Teeth : public testing::TestWithParam<PlantedBug> {};
INSTANTIATE_TEST_SUITE_P(Each, Teeth, testing::ValuesIn(planted_bugs()), [](const auto& test) {
  std::string name = test.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(Teeth, a_planted_bug_is_found_within_its_number_of_seeds) {
  const auto found = find(GetParam());
  ASSERT_TRUE(found) << "seeds 1.." << GetParam().seeds_max << " of " << GetParam().scenario;
  std::cout << "seed " << found->seed << " of " << GetParam().scenario << ": "
            << found->failure.checker << ": " << found->failure.what << "\n";
  // Without the bug the very same plan passes: it is the bug that was found, and nothing else.
  EXPECT_FALSE(run(found->plan).failure);
}

TEST(Run, the_same_seed_gives_the_same_run) {
  for (const std::uint64_t seed : {1u, 2u, 3u, 194u, 614u, 1272u}) {
    const Plan plan = draw_plan(seed, {});
    const Outcome once = run(plan);
    const Outcome again = run(draw_plan(seed, {}));
    EXPECT_EQ(once.digest, again.digest) << "seed " << seed;
    EXPECT_EQ(once.messages, again.messages);
    EXPECT_NE(once.digest, run(draw_plan(seed + 1, {})).digest);
  }
}

// Each found a bug that has been mended (docs/simulation.md).
TEST(Run, plans_that_failed_once_pass) {
  for (const std::uint64_t seed : {194u, 614u, 1272u}) {
    const Outcome outcome = run(draw_plan(seed, {}));
    EXPECT_FALSE(outcome.failure) << "seed " << seed << ": " << outcome.failure->what;
  }
}

TEST(Reduce, leaves_a_shorter_plan_that_fails_in_the_same_way) {
  const auto bug = std::find_if(planted_bugs().begin(), planted_bugs().end(),
                                [](const auto& one) { return one.bug == Bug::kCursorLost; });
  const auto found = find(*bug);
  ASSERT_TRUE(found);
  RunOptions options;
  options.bug = bug->bug;
  const Plan reduced = reduce(found->plan, options, found->failure.checker);
  EXPECT_LT(reduced.steps.size(), found->plan.steps.size());
  EXPECT_LE(reduced.steps.size(), 4u) << "a few games and a crash are enough";
  const Outcome outcome = run(reduced, options);
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->checker, found->failure.checker);
}

}  // namespace
}  // namespace syncline::simulation
