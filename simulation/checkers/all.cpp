#include "simulation/checkers/checker.hpp"

namespace syncline::simulation {

std::vector<std::unique_ptr<Checker>> all_checkers(const World& world, const Truth& truth) {
  std::vector<std::unique_ptr<Checker>> all;
  for (const MakeChecker maker :
       {acks_are_true, claims_are_true, nothing_is_lost, units_are_whole, watermarks_grow,
        everything_is_bounded, catalogs_agree, records_have_their_copies, files_have_their_copies,
        status_is_true, requests_are_answered, removed_stay_removed, leaders_agree,
        nobody_dies_falsely}) {
    all.push_back(maker(world, truth));
  }
  return all;
}

}  // namespace syncline::simulation
