// What routing is told of nodes, rules and work. All values: copyable, comparable, no pointers.
//
// An optional that is empty, a total of 0 bytes or a text that is empty means "not known"; each
// rule says what it does then. Unknown is never taken for good: an unknown failure domain counts
// for no copy, an unknown disk gives no points.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"

namespace syncline::routing {

enum class Liveness { kAlive, kSuspect, kDead, kLeft };
const char* to_string(Liveness liveness);

// Two nodes that share `host` or `storage` lose their data together (see domains.hpp). Provider
// and zone are a preference between otherwise equal receivers, not an identity.
struct Domain {
  std::string host;     // machine id; without it nothing is known
  std::string storage;  // NFS export, or what is unique to a disk; empty = the host's own disk
  std::string provider;
  std::string zone;
  bool is_known() const { return !host.empty(); }
  bool operator==(const Domain&) const = default;
};

struct Disk {
  std::uint64_t total_bytes = 0;  // 0 = not told yet
  std::uint64_t free_bytes = 0;
  bool is_known() const { return total_bytes > 0; }
  double used_percent() const;  // 0 when not known
  double used_percent_with(std::uint64_t more_bytes) const;
  bool operator==(const Disk&) const = default;
};

// Of one node and one collection.
struct CollectionView {
  std::optional<core::Instant> synced_at;  // when the node last had all it wants; empty = never
  double quality = 0;                      // 0..1, of the data it makes or trains on
  bool holds_newest = false;
  bool operator==(const CollectionView&) const = default;
};

// Transfers to or from the node, recently. The caller lets both fade.
struct History {
  std::uint32_t successes = 0;
  std::uint32_t failures = 0;
  bool operator==(const History&) const = default;
};

struct NodeView {
  core::NodeId id;
  Liveness liveness = Liveness::kAlive;
  bool is_linked = false;  // this node has a connection to it now (or it is this node)
  std::vector<std::string> roles;
  Domain domain;
  Disk disk;
  double bandwidth_mbps = 0;  // MB/s, the slower of up and down; 0 = by provider
  bool is_ephemeral = false;
  bool has_daemon = true;  // false: agentless, reached over SSH only
  bool is_draining = false;
  bool is_training = false;  // a training job runs there now
  bool is_selfplay = false;  // a self-play job runs there now
  bool is_priority_host = false;
  bool receives = true;  // false: configured to take nothing (skip_sync_receive)
  History history;
  std::map<core::CollectionName, CollectionView> collections;
  bool operator==(const NodeView&) const = default;
};

// Bandwidth in MB/s that a provider's machines have when nobody has measured it.
double bandwidth_of_provider(const std::string& provider);

// Who may hold a collection, and how full their disks may get. From the configuration.
struct Policy {
  core::CollectionName collection;
  core::Kind kind = core::Kind::kFiles;
  core::Placement placement;
  core::DiskLimits disk;
  int copies = 3;
  bool feeds_training = false;  // then nodes with the training role gain 30
  bool operator==(const Policy&) const = default;
};
Policy policy_of(const core::CollectionConfig& collection, const core::DiskLimits& disk);

// One piece of work to find targets for.
struct Job {
  core::CollectionName collection;
  core::ConfigKey config_key;        // empty = all of the collection
  std::uint64_t bytes = 0;           // that will lie on each target's disk afterwards
  core::NodeId from;                 // where the data is; empty = anywhere
  std::vector<core::NodeId> only;    // named by the request; empty = whoever wants it
  std::vector<std::string> exclude;  // globs of node ids
  bool is_placement_waived = false;  // named by a person: role and placement do not matter
  bool is_link_required = false;     // a push from here: only nodes that we have a link to
  core::Instant now;
};

// One piece of work to find sources for.
struct Pull {
  core::CollectionName collection;
  std::uint64_t bytes = 0;
  core::NodeId to;
  std::vector<core::NodeId> holders;  // who has it
  std::vector<std::string> exclude;   // globs of node ids
  bool is_link_required = false;
  core::Instant now;
};

// 1/100 of a point, so that equal inputs give equal orders on every machine.
using Points = std::int32_t;
constexpr Points kPoint = 100;

// A node's place in the fleet's table: valid until the next Fleet::put of a new node or remove.
using NodeIndex = std::uint32_t;

struct Ranked {
  NodeIndex node = 0;
  Points points = 0;
  bool operator==(const Ranked&) const = default;
};
// Eligible nodes only, best first; equal points by node id.
using Route = std::vector<Ranked>;

}  // namespace syncline::routing
