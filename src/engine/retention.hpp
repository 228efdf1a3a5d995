// Which files may go from a node that only made them: old ones that others keep.
//
// A collection with `retain_s` set is cleaned up on nodes that do not want it (a spot machine that
// writes training data): a file goes once it is that old and enough nodes that do want it, alive
// and in distinct failure domains, have told that they hold the very version. A node that wants the
// collection never cleans it up, so no two nodes can each rely on the other's copy.
// Pure: what is known goes in, what may go comes out.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/time.hpp"
#include "engine/actions.hpp"
#include "engine/fleet_view.hpp"

namespace syncline::engine {

struct RetentionDoor {
  std::function<const std::set<core::NodeId>&(const core::CollectionName&)> wanted_by;
};

class Retention {
 public:
  Retention(const core::Config& config, const FleetView& view, RetentionDoor door);

  // The wall clock, as told: ages are those of versions, which carry it.
  void clock_told(core::WallMs wall) { wall_ = wall; }
  // Removes what may go, a bounded number at a time, each with an event that says why.
  void plan(core::Instant now, Actions& out);
  std::optional<core::Instant> next_wake() const;

 private:
  // Empty: it has to stay.
  std::vector<core::NodeId> keepers(const ObjectId& object,
                                    const core::CollectionConfig& collection) const;

  const core::Config& config_;
  core::NodeId self_;
  const FleetView& view_;
  RetentionDoor door_;
  std::optional<core::WallMs> wall_;
  core::Instant look_at_;
  bool has_any_ = false;
};

}  // namespace syncline::engine
