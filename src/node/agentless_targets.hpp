// Hosts without a daemon as targets of a request: taken out of what the engine is asked for, and
// their part of the answer. They are given files over SSH by this node (collecting/).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "facade/types.hpp"

namespace syncline::node {

// By host: what did not go as asked. Nothing at all: the time was over first.
using CollectOutcome = std::optional<std::map<core::NodeId, std::vector<std::string>>>;

struct AgentlessTarget {
  core::NodeId host;
  std::set<core::CollectionName> collections;  // asked for, and delivered there
  std::string refusal;                         // why it gets nothing
};

// Moves hosts of [[agentless]] from `resolved.targets` into the answer, except those whose own
// daemon is linked.
std::vector<AgentlessTarget> take_agentless_targets(const core::Config& config,
                                                    const std::set<core::NodeId>& with_daemon,
                                                    facade::SyncRequest& resolved);

std::set<core::CollectionName> collections_of(const std::vector<AgentlessTarget>& targets);

void add_verdicts(const std::vector<AgentlessTarget>& targets, facade::RouteReport& route);
// Success is only left where every host that was named has what it was to be given.
void add_outcomes(const std::vector<AgentlessTarget>& targets, const CollectOutcome& outcome,
                  facade::SyncResponse& response);

// The answer to a request whose targets are all such hosts, before their outcomes.
facade::SyncResponse answer_without_engine(const facade::SyncRequest& asked);

}  // namespace syncline::node
