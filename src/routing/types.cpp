#include "routing/types.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace syncline::routing {

const char* to_string(Liveness liveness) {
  switch (liveness) {
    case Liveness::kAlive:
      return "alive";
    case Liveness::kSuspect:
      return "suspect";
    case Liveness::kDead:
      return "dead";
    case Liveness::kLeft:
      return "left";
  }
  return "?";
}

double Disk::used_percent() const {
  return used_percent_with(0);
}

double Disk::used_percent_with(std::uint64_t more_bytes) const {
  if (!is_known()) return 0;
  const double total = static_cast<double>(total_bytes);
  const double free = static_cast<double>(std::min(free_bytes, total_bytes));
  return (total - free + static_cast<double>(more_bytes)) / total * 100.0;
}

// What the older system had measured; anything else is taken for a slow link.
double bandwidth_of_provider(const std::string& provider) {
  struct Row {
    const char* name;
    double mbps;
  };
  static constexpr std::array<Row, 7> kRows = {{{"lambda", 100},
                                                {"runpod", 100},
                                                {"tailscale", 100},
                                                {"hetzner", 80},
                                                {"vultr", 80},
                                                {"nebius", 50},
                                                {"vast", 50}}};
  std::string lower = provider;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const Row& row : kRows) {
    if (lower == row.name) return row.mbps;
  }
  return 20;
}

Policy policy_of(const core::CollectionConfig& collection, const core::DiskLimits& disk) {
  Policy policy;
  policy.collection = collection.name;
  policy.kind = collection.kind;
  policy.placement = collection.placement;
  policy.disk = disk;
  policy.copies = collection.copies;
  const auto& roles = collection.placement.roles;
  policy.feeds_training = collection.name.text == "games" || collection.name.text == "npz" ||
                          std::find(roles.begin(), roles.end(), "training") != roles.end();
  return policy;
}

}  // namespace syncline::routing
