// Which nodes shall hold a collection in the end.
//
// First those that the placement names (roles, nodes, config keys). Where fewer of them are alive
// than the collection wants copies, counted in independent failure domains, others are added by
// score until there are enough; they are let go again when the wanted ones return. Pure: every
// node computes the same answer from the same catalog.
#pragma once

#include <set>
#include <string>

#include "core/config.hpp"
#include "core/ids.hpp"
#include "routing/router.hpp"

namespace syncline::strategy {

struct Wanted {
  std::set<core::NodeId> placed;  // by placement, and there
  std::set<core::NodeId> added;   // stand-ins, so that there are enough copies
  std::set<core::NodeId> absent;  // by placement, but dead or gone
  int copies = 0;                 // independent failure domains among placed and added
  std::string why;                // one sentence; says so when copies are fewer than configured
  std::set<core::NodeId> all() const;
  bool contains(const core::NodeId& node) const {
    return placed.count(node) > 0 || added.count(node) > 0;
  }
  bool operator==(const Wanted&) const = default;
};

// `now` matters only for the score of stand-ins (staleness).
Wanted wanted_by(const routing::Router& router, const core::CollectionName& collection,
                 core::Instant now);

// Would the placement have this node, whatever its state? (roles, nodes, exclude_nodes)
bool is_placed_on(const core::Placement& placement, const core::NodeId& node,
                  const std::vector<std::string>& roles);

}  // namespace syncline::strategy
