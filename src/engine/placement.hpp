// The fleet as routing sees it: one table of nodes made from the catalog and the links, and the
// questions the engine asks of it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalog/views.hpp"
#include "core/config.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "engine/events.hpp"
#include "engine/fleet_view.hpp"
#include "engine/peers.hpp"
#include "facade/types.hpp"
#include "routing/router.hpp"
#include "strategy/wanted.hpp"

namespace syncline::engine {

class Placement {
 public:
  explicit Placement(const core::Config& config);

  // Makes the table anew from what is known. Call after links or `self` facts have changed.
  void refresh(const FleetView& view, const Peers& peers, bool is_draining, core::Instant now);

  const routing::Router& router() const { return router_; }
  const strategy::Wanted& wanted(const core::CollectionName& collection) const;
  const std::set<core::NodeId>& wanted_by(const core::CollectionName& collection) const;

  // Best linked receivers of a push from here.
  std::vector<core::NodeId> choose_receivers(const core::CollectionName& collection, int count,
                                             const std::set<core::NodeId>& avoid,
                                             core::Instant now) const;
  // Backend, and a verdict for every node.
  facade::RouteReport route(const facade::SyncRequest& request,
                            const core::CollectionConfig& collection, core::Instant now) const;
  // May this node take a file of so many bytes? Otherwise the sentence says which limit holds.
  core::Status may_take(std::uint64_t bytes, const DiskMeasured& disk) const;

 private:
  const core::Config& config_;
  routing::Router router_;
  std::map<core::CollectionName, strategy::Wanted> wanted_;
  std::map<core::CollectionName, std::set<core::NodeId>> wanted_all_;
};

// What this node says of itself.
catalog::NodeSelf self_of(const core::Config& config, const DiskMeasured& disk, bool is_draining);

core::Duration poll_interval(const core::CollectionConfig& collection,
                             const core::NodeConfig& node);

}  // namespace syncline::engine
