// The rules themselves: may this node take part, and how many points has it.
//
// What depends on node and policy alone is a Cell, worked out when either changes; what depends on
// the question is added per question. Each rule stands here once and can tell its reason.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "routing/types.hpp"

namespace syncline::routing {

// Why a node does not take part. The order is the order of checking: the first that holds is told.
enum class Block : std::uint8_t {
  kNone,
  kDead,
  kLeft,
  kSuspect,
  kDraining,
  kReceivesNothing,
  kAgentless,        // no daemon there, and the collection is not one of whole files
  kNodeNotPlaced,    // placement.nodes
  kNodeExcluded,     // placement.exclude_nodes
  kRoleNotWanted,    // placement.roles
  kConfigKeyNotPlaced,
  // only these depend on the question:
  kIsSource,
  kNotNamed,
  kExcludedByRequest,
  kSameStorage,      // as the source: the bytes are there already
  kNotLinked,
  kDiskUnderLimit,   // free space too small for this job
  kDiskOverLimit,    // would be fuller than allowed with this job
  kHoldsNothing,     // asked as a source
};

// 32-bit stand-ins for provider and storage names: equal numbers, equal names; 0 = not known.
using NameNumber = std::uint32_t;

struct Cell {
  Points target_points = 0;      // without staleness and provider
  Points source_points = 0;
  Block target_block = Block::kNone;
  Block target_block_named = Block::kNone;  // with placement waived
  Block source_block = Block::kNone;
  bool is_linked = false;
  NameNumber provider = 0;
  NameNumber storage = 0;
  std::int64_t synced_ns = std::numeric_limits<std::int64_t>::min();  // min = never
  double total_bytes = 0;
  double free_bytes = 0;
};

struct Rules {
  Policy policy;
};
Cell make_cell(const NodeView& node, const Rules& rules, NameNumber provider, NameNumber storage);

constexpr NodeIndex kNoNode = std::numeric_limits<NodeIndex>::max();

struct TargetQuestion {
  const Job* job = nullptr;
  const Rules* rules = nullptr;
  bool is_config_key_placed = true;
  NodeIndex from = kNoNode;
  NameNumber from_provider = 0;
  NameNumber from_storage = 0;
  std::vector<bool> is_named;     // by index; empty = everybody is
  std::vector<bool> is_excluded;  // by index; empty = nobody is
};
Block block_of(const Cell& cell, NodeIndex node, const TargetQuestion& question);
Points points_of(const Cell& cell, const TargetQuestion& question);

struct SourceQuestion {
  const Pull* pull = nullptr;
  NodeIndex to = kNoNode;
  NameNumber to_provider = 0;
  std::vector<bool> is_holder;    // by index
  std::vector<bool> is_excluded;  // by index; empty = nobody is
};
Block block_of(const Cell& cell, NodeIndex node, const SourceQuestion& question);
Points points_of(const Cell& cell, const SourceQuestion& question);

// "base 50, training role +30, disk 41 % used +10, never synced +30": sums to points_of.
std::string reason_of(const NodeView& node, const Cell& cell, const TargetQuestion& question);
std::string reason_of(const NodeView& node, const Cell& cell, const SourceQuestion& question);
// "its disk would be 83 % full with these 4.0 GB; the limit is 70 %": for a block.
std::string reason_of(Block block, const NodeView& node, const TargetQuestion& question);
std::string reason_of(Block block, const NodeView& node, const SourceQuestion& question);

}  // namespace syncline::routing
