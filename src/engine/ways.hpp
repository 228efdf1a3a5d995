// Ways: by which transport an object is fetched, from whom, and what follows a failure.
//
// transfer/ decides (cost, escalation, circuits); this class knows the fleet: who holds it, who is
// linked, who shares this machine or its storage, who lets us log in. One breaker per node and
// transport, and what was learnt of each link's speed. Sans-IO, as all of the engine.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "engine/actions.hpp"
#include "engine/fleet_view.hpp"
#include "engine/peers.hpp"
#include "transfer/breaker.hpp"
#include "transfer/choose.hpp"
#include "transfer/escalation.hpp"

namespace syncline::engine {

class Ways {
 public:
  Ways(const core::Config& config, const FleetView& view, const Peers& peers);

  // How this node would get so many bytes of the collection from these. kUnreachable: nobody can be
  // reached now; kInvalid: the forced transport cannot be used.
  // `targets`: nodes that want it now, this one included.
  core::Result<transfer::Choice> choose(const core::CollectionName& collection, std::uint64_t bytes,
                                        const std::set<core::NodeId>& holders,
                                        const std::string& forced, core::Instant now,
                                        int targets = 1) const;
  // Other nodes that store the collection and do not hold the object: who will want it too.
  std::vector<core::NodeId> others_wanting(const core::CollectionName& collection,
                                           const std::set<core::NodeId>& holders) const;
  // Where those take part in swarms: "host:port".
  std::vector<std::string> swarm_addresses(const std::vector<core::NodeId>& nodes) const;
  // What a Fetch needs beside the names of its sources.
  std::map<core::NodeId, Reach> reach(const core::CollectionName& collection,
                                      const std::vector<core::NodeId>& sources) const;
  // By which transport another node would get the collection from here, for explanations.
  std::string transport_to(const core::CollectionName& collection, const core::NodeId& node,
                           core::Instant now) const;

  void begun(const transfer::Attempt& attempt, core::Instant now);
  void succeeded(const transfer::Attempt& attempt, const core::NodeId& node, std::uint64_t bytes,
                 core::Duration took, core::Instant now);
  // Only what is the fault of the way counts against it: a full disk here does not.
  void failed(const transfer::Attempt& attempt, const core::NodeId& node, const core::Error& error,
              core::Instant now);
  void link_up(const core::NodeId& node, core::Instant now);  // p2p has its chance again
  void forget(const core::NodeId& node);

  std::vector<std::string> open_circuits(const core::NodeId& node, core::Instant now) const {
    return breakers_.open_circuits(node, now);
  }
  std::optional<core::Instant> next_wake(core::Instant now) const {
    return breakers_.next_wake(now);
  }

 private:
  struct Learnt {
    transfer::Attempts attempts;
    double mbps = 0;  // of transfers that took long enough to tell
  };
  transfer::Source source(const core::CollectionName& collection, const core::NodeId& node) const;
  bool is_enabled(transfer::Transport transport) const;

  const core::Config& config_;
  const FleetView& view_;
  const Peers& peers_;
  transfer::Breakers breakers_;
  std::map<std::pair<core::NodeId, transfer::Transport>, Learnt> learnt_;
};

}  // namespace syncline::engine
