// What really happened, as only the simulation can know it: the measure for every checker.
#pragma once

#include <map>
#include <set>
#include <string>

#include "simulation/node.hpp"

namespace syncline::simulation {

struct Request {
  int node = 0;
  int life = 0;
  bool is_flush = false;
  core::Instant deadline;
  std::size_t games = 0;  // committed in the node's source when it was asked
  int answers = 0;
};

struct Truth {
  // Nodes on whose disk a record has ever been fsynced.
  std::map<core::LogId, std::map<core::NodeId, core::SeqSet>> ever_held;
  // The game versions in each log: seq -> "key version".
  std::map<core::LogId, std::map<std::uint64_t, std::string>> units;
  std::map<core::LogId, core::SeqSet> claimed;  // said to be durable by their origin
  std::set<core::NodeId> lost;                  // destroyed, or came back without their disk
  std::set<core::NodeId> removed;
  std::map<std::uint64_t, Request> requests;
  // Until then some node was, or may have been, stopped, starting or cut off from another.
  core::Instant disturbed_until;

  // Records of the log that at least `acks` real failure domains beside the origin's have had.
  core::SeqSet ever_durable(const World& world, const core::LogId& log, int acks) const;
};

// Independent failure domains among the nodes, by where the machines really stand, the domain of
// `origin` left out.
int real_domains(const World& world, const std::set<core::NodeId>& nodes,
                 const core::NodeId& origin);

}  // namespace syncline::simulation
