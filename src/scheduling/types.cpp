#include "scheduling/types.hpp"

#include <algorithm>

namespace syncline::scheduling {

Caps caps_of(const core::TransportLimits& limits) {
  Caps caps;
  caps.jobs_max = std::max(limits.jobs_max, 1);
  caps.express_jobs_max = std::max(caps.jobs_max / 2, 1);
  caps.jobs_per_node_max = std::max(caps.jobs_max / 2, 1);
  caps.total_mbps = limits.bandwidth_total_mbps;
  caps.by_provider_mbps = limits.bandwidth_by_provider_mbps;
  return caps;
}

int jobs_bound(const Caps& caps, const Resources& resources) {
  std::uint64_t bound = static_cast<std::uint64_t>(std::max(caps.jobs_max, 1));
  if (resources.memory_bytes > 0 && resources.bytes_per_job > 0) {
    bound = std::min(bound, resources.memory_bytes / resources.bytes_per_job);
  }
  if (resources.descriptors > 0 && resources.descriptors_per_job > 0) {
    bound = std::min(
        bound, static_cast<std::uint64_t>(resources.descriptors / resources.descriptors_per_job));
  }
  return static_cast<int>(std::max<std::uint64_t>(bound, 1));
}

}  // namespace syncline::scheduling
