// What is scheduled, and within which bounds. Values only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/config.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"

namespace syncline::scheduling {

using JobId = std::uint64_t;  // chosen by the caller, never used twice

// One transfer to be done: what, from whom, to where, how urgent.
struct Job {
  JobId id = 0;
  core::CollectionName collection;
  core::ConfigKey config_key;
  core::NodeId source;
  core::NodeId target;
  std::string source_provider;  // for caps by provider
  std::string target_provider;
  std::uint64_t bytes = 0;
  core::Priority priority = core::Priority::kNormal;
  bool is_record = false;                 // before files when a node drains
  std::uint64_t newness = 0;              // larger is newer: newest models first when draining
  std::optional<core::Instant> deadline;  // then it goes before all that has none
  double bandwidth_mbps = 0;              // MB/s for this job; 0 = no limit of its own
  bool operator==(const Job&) const = default;
};

// Bounds. 0 = no limit, unless said otherwise.
struct Caps {
  int jobs_max = 8;          // at once; raise it on fast disks and many peers
  int express_jobs_max = 4;  // beside them, for small jobs only: a game never waits
                             // for an archive to end
  std::uint64_t express_bytes_max = 1 << 20;  // what is small
  int jobs_per_node_max = 4;                  // at once with one other node
  std::map<core::CollectionName, int> jobs_by_collection;
  double total_mbps = 0;                           // MB/s, all transfers together
  std::map<std::string, double> by_node_mbps;      // glob of ids: for each node that matches
  std::map<std::string, double> by_provider_mbps;  // glob: for all its nodes together
  std::map<core::CollectionName, double> by_collection_mbps;
  bool operator==(const Caps&) const = default;
};
Caps caps_of(const core::TransportLimits& limits);

// How many jobs memory and descriptors allow: a bound that no configuration may exceed.
struct Resources {
  std::uint64_t memory_bytes = 0;          // that transfers may use; 0 = not known
  std::uint64_t bytes_per_job = 16 << 20;  // window, buffers, staging state
  int descriptors = 0;                     // left for transfers; 0 = not known
  int descriptors_per_job = 8;             // sockets, the file, its bitfield
};
// At least 1, at most `caps.jobs_max`.
int jobs_bound(const Caps& caps, const Resources& resources);

constexpr double kBytesPerMb = 1e6;

}  // namespace syncline::scheduling
