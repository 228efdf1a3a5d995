// Who leads the fleet, as this node sees it: by rank, or by a lease in etcd.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "coordination/lease_election.hpp"
#include "coordination/rank_election.hpp"
#include "core/config.hpp"
#include "core/time.hpp"
#include "engine/actions.hpp"
#include "engine/placement.hpp"

namespace syncline::engine {

class Leading {
 public:
  explicit Leading(const core::Config& config);

  // The fleet as it is now. `claims`: epochs that nodes told.
  void fleet_changed(const Placement& placement,
                     const std::map<core::NodeId, std::uint64_t>& claims);
  void answered(const EtcdAnswered& event, core::Instant now, Actions& out);
  void resign(core::Instant now, Actions& out);  // this node drains
  void plan(core::Instant now, Actions& out);
  std::optional<core::Instant> next_wake() const;

  const coordination::Leadership& leadership() const;
  bool is_leading() const { return leadership().leader == self_; }
  // What the fleet has to be told; 0: nothing yet.
  std::uint64_t claim() const { return lease_ ? 0 : rank_.claim(); }
  // A request in the name of an older leader than is known of.
  bool is_outdated(std::uint64_t epoch) const { return epoch != 0 && epoch < highest_epoch_; }

 private:
  void step(const coordination::LeaseEvent& event, core::Instant now, Actions& out);

  core::NodeId self_;
  bool has_resigned_ = false;
  coordination::RankElection rank_;
  std::optional<coordination::LeaseElection> lease_;  // with coordination = "etcd"
  std::uint64_t highest_epoch_ = 0;
};

}  // namespace syncline::engine
