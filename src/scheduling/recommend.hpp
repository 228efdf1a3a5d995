// What a person should do now, most urgent first: what the older scheduler gave as
// `get_sync_recommendations`. Each says what it saw, what to do, and how urgent it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "facade/reports.hpp"

namespace syncline::scheduling {

struct SpotAtRisk {
  std::string node;
  std::uint64_t unacked_bytes = 0;
  std::uint64_t allowed_bytes = 0;  // strategy::bytes_at_risk_max
};
struct DiskFilling {
  std::string node;
  double used_percent = 0;
  double target_percent = 60;
  double max_percent = 70;
};
struct CopiesMissing {
  std::string collection;
  int copies = 0;
  int wanted = 0;
};
struct Situation {
  std::vector<facade::FreshnessRow> freshness;
  std::vector<SpotAtRisk> spots;
  std::vector<DiskFilling> disks;
  std::vector<CopiesMissing> copies;
};

struct Recommendation {
  core::Priority priority = core::Priority::kNormal;
  std::string subject;  // collection, "collection/key" or node
  std::string why;      // "its oldest data waits for 5 min, the target is 60 s"
  std::string command;  // "syncline sync games --board-type hex8 --num-players 2 --priority high"
  bool operator==(const Recommendation&) const = default;
};

// Empty when nothing needs a person. Ordered by priority, then as found.
std::vector<Recommendation> recommend(const Situation& situation);

}  // namespace syncline::scheduling
