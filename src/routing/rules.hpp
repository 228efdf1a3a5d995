// The rules themselves: may this node take part, and how many points has it.
//
// What depends on node and policy alone is a Cell, worked out when either changes; what depends on
// the question is added per question. Each rule stands here once; reasons.hpp says it in words.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "routing/types.hpp"

namespace syncline::routing {

// Why a node does not take part. The order is the order of checking: the first that holds is told.
enum class Block : std::uint8_t {
  kNone,
  // from the request:
  kNotNamed,
  kExcludedByRequest,
  kIsSource,      // asked as a target, and the data comes from it
  kHoldsNothing,  // asked as a source
  // from the node and the policy, worked out beforehand:
  kDead,
  kLeft,
  kSuspect,
  kDraining,
  kReceivesNothing,
  kAgentless,      // no daemon there, and the collection is not one of whole files
  kNodeExcluded,   // placement.exclude_nodes
  kNodeNotPlaced,  // placement.nodes
  kRoleNotWanted,  // placement.roles
  // from both:
  kConfigKeyNotPlaced,  // placement.config_keys
  kSameStorage,         // as the source: the bytes are there already
  kNotLinked,
  kDiskFull,  // over its limit with this job; one full disk removes one node
};

// What made up a score. Each is said in words by reasons.cpp.
enum class Reason : std::uint8_t {
  kBase,
  kTrainingRuns,
  kTrainingRole,
  kPriorityHost,
  kDiskRoomy,
  kDiskAboveTarget,
  kQuality,
  kSpot,
  kStale,
  kNeverSynced,
  kHoldsNewest,
  kSelfplayRuns,
  kSpotUrgent,
  kDrainingUrgent,
  kSuspect,
  kBandwidth,
  kBandwidthOfProvider,
  kSameProvider,
  kFailures,
};
struct Term {
  Reason reason = Reason::kBase;
  Points points = 0;
};
class Terms {
 public:
  void add(Reason reason, Points points);  // terms of 0 points are not kept
  Points sum() const { return sum_; }
  const Term* begin() const { return terms_.data(); }
  const Term* end() const { return terms_.data() + size_; }

 private:
  std::array<Term, 16> terms_{};
  std::size_t size_ = 0;
  Points sum_ = 0;
};

// Stand-ins for names: equal numbers, equal names; 0 = not known.
using NameNumber = std::uint32_t;

struct Cell {
  Points target_points = 0;  // without what depends on the question
  Points source_points = 0;
  Block target_block = Block::kNone;
  Block target_block_waived = Block::kNone;  // with placement waived
  Block source_block = Block::kNone;
  bool is_linked = false;
  NameNumber provider = 0;
  NameNumber storage = 0;
  std::int64_t synced_ns = std::numeric_limits<std::int64_t>::min();  // min = never
  double headroom_bytes = 0;  // largest job that keeps every disk limit; negative: over it now
};
Cell make_cell(const NodeView& node, const Policy& policy, NameNumber provider, NameNumber storage);
Terms target_terms(const NodeView& node, const Policy& policy);
Terms source_terms(const NodeView& node, const Policy& policy);

constexpr NodeIndex kNoNode = std::numeric_limits<NodeIndex>::max();

struct TargetQuestion {
  const Job* job = nullptr;        // not null
  const Policy* policy = nullptr;  // not null
  bool is_config_key_placed = true;
  NodeIndex from = kNoNode;
  NameNumber from_provider = 0;
  NameNumber from_storage = 0;
  std::vector<bool> is_named;     // by index; empty = everybody is
  std::vector<bool> is_excluded;  // by index; empty = nobody is
};
Block block_of(const Cell& cell, NodeIndex node, const TargetQuestion& question);
Points points_of(const Cell& cell, const TargetQuestion& question);
void add_terms(const Cell& cell, const TargetQuestion& question, Terms& terms);

struct SourceQuestion {
  const Pull* pull = nullptr;      // not null
  const Policy* policy = nullptr;  // not null
  NodeIndex to = kNoNode;
  NameNumber to_provider = 0;
  std::vector<bool> is_holder;    // by index
  std::vector<bool> is_excluded;  // by index; empty = nobody is
};
Block block_of(const Cell& cell, NodeIndex node, const SourceQuestion& question);
Points points_of(const Cell& cell, const SourceQuestion& question);
void add_terms(const Cell& cell, const SourceQuestion& question, Terms& terms);

}  // namespace syncline::routing
