// The fleet as routing sees it: one table of nodes made from the catalog and the links, and the
// questions the engine asks of it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/views.hpp"
#include "coordination/types.hpp"
#include "core/config.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "engine/events.hpp"
#include "engine/fleet_view.hpp"
#include "engine/peers.hpp"
#include "facade/types.hpp"
#include "membership/members.hpp"
#include "routing/router.hpp"
#include "strategy/wanted.hpp"

namespace syncline::engine {

class Placement {
 public:
  explicit Placement(const core::Config& config);

  // What a refresh changed.
  struct Change {
    std::set<core::NodeId> dead;                      // all that are dead now
    std::set<core::CollectionName> wanted_otherwise;  // their wanted nodes are others than before
    std::set<core::CollectionName> wanted_here_anew;  // this node wants them, and did not before
  };
  // Makes the table anew from what is known. Call after links or `self` facts have changed, and
  // when next_change() has come. A node with a link is alive; of others, membership's word holds.
  // One that left in good order has suspicion_max() to come back before its copies are made anew,
  // but a spot node that left is gone: its machine is taken away.
  Change refresh(const FleetView& view, const Peers& peers, const membership::Members& members,
                 bool is_draining, core::Instant now);
  std::optional<core::Instant> next_change() const { return next_change_; }

  const routing::Router& router() const { return router_; }
  const strategy::Wanted& wanted(const core::CollectionName& collection) const;
  const std::set<core::NodeId>& wanted_by(const core::CollectionName& collection) const;

  // Best linked receivers of a push from here.
  std::vector<core::NodeId> choose_receivers(const core::CollectionName& collection, int count,
                                             const std::set<core::NodeId>& avoid,
                                             core::Instant now) const;
  // Backend, and a verdict for every node.
  facade::RouteReport route(const facade::SyncRequest& request,
                            const core::CollectionConfig& collection,
                            const coordination::Leadership& leadership, core::Instant now) const;
  // May this node take a file of so many bytes? Otherwise the sentence says which limit holds.
  core::Status may_take(std::uint64_t bytes, const DiskMeasured& disk) const;

 private:
  struct Standing {
    routing::Liveness liveness = routing::Liveness::kAlive;
    bool is_dead = false;  // its copies count no more
  };
  Standing standing_of(const core::NodeId& id, bool is_ephemeral, const Peers& peers,
                       const membership::Members& members, core::Duration patience,
                       core::Instant now);

  const core::Config& config_;
  std::optional<core::Instant> next_change_;
  routing::Router router_;
  std::map<core::CollectionName, strategy::Wanted> wanted_;
  std::map<core::CollectionName, std::set<core::NodeId>> wanted_all_;
};

// What this node says of itself. Free space is told in steps of 1/128 of the disk: a fact that
// spreads over the whole fleet must be worth it.
catalog::NodeSelf self_of(const core::Config& config, const DiskMeasured& disk, bool is_draining);

// The same for membership, which carries it to nodes that have no link to this one.
core::MemberProfile profile_of(const catalog::NodeSelf& self, std::uint32_t load_permille);

// How long a node of which membership knows nothing may be silent before it counts as dead, and
// one that left may stay away: Lifeguard's longest suspicion (Dadgar et
// al. 2018), suspicion_mult · suspicion_max_mult · max(1, log10 N) · probe interval.
core::Duration suspicion_max(const core::MembershipConfig& membership, std::size_t nodes);

core::Duration poll_interval(const core::CollectionConfig& collection,
                             const core::NodeConfig& node);

}  // namespace syncline::engine
