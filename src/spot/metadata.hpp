// What the answers of AWS, GCP and Azure mean. Pure; every byte comes from outside (fuzzed).
//
// Sources: AWS EC2 User Guide, "Spot Instance interruption notices", "EC2 instance rebalance
// recommendations", "Use the Instance Metadata Service"; Google Cloud, "Preemptible VM instances",
// "About VM metadata"; Microsoft Learn, "Azure Metadata Service: Scheduled Events for Linux VMs",
// "Azure Instance Metadata Service".
//
// Times in the answers are the provider's wall time. They are compared with the Date of the very
// answer, and with our own clock only where it has none: a node whose clock is wrong by minutes
// still drains for as long as it has. Somebody who reads a notice is alive, so a time that has
// passed counts as kSecondsLeftMin: to hope for too long costs nothing, to give up early does.
#pragma once

#include <optional>
#include <string>

#include "core/result.hpp"
#include "spot/types.hpp"

namespace syncline::spot {

inline constexpr double kSecondsLeftMin = 5;
inline constexpr double kSecondsLeftMax = 24 * 3600.0;
// What the providers promise, for a notice that names no time.
inline constexpr double kAwsNoticeS = 120;
inline constexpr double kGcpNoticeS = 30;
inline constexpr double kAzureNoticeS = 30;

// ── AWS ──
// PUT /latest/api/token. kCorrupt: no token can be in it.
core::Result<std::string> aws_token(const Answer& answer);
// GET /latest/meta-data/instance-life-cycle: spot, on-demand, scheduled, capacity-block. None:
// something else answers that is not AWS (others imitate its paths).
std::optional<bool> aws_is_spot(const Answer& answer);
// GET /latest/meta-data/spot/instance-action: 404 until there is one. Of a hibernation only the
// advice is made: the memory is kept and the daemon goes on afterwards.
core::Result<Signals> aws_instance_action(const Answer& answer, core::WallMs now);
// GET /latest/meta-data/events/recommendations/rebalance: 404 until there is one. One sentence, or
// empty.
core::Result<std::string> aws_rebalance(const Answer& answer);

// ── GCP ──
// …/instance/scheduling/preemptible. None: not GCP.
std::optional<bool> gcp_is_spot(const Answer& answer);
// …/instance/preempted
core::Result<Signals> gcp_preempted(const Answer& answer);

// ── Azure ──
struct AzureCompute {
  std::string name;  // as scheduled events call this machine
  bool is_spot = false;
  bool operator==(const AzureCompute&) const = default;
};
// GET /metadata/instance/compute. None: not Azure.
std::optional<AzureCompute> azure_compute(const Answer& answer);
// GET /metadata/scheduledevents. Events come to all machines of a set: those that name others
// only are passed over. With an empty name every event counts as ours.
core::Result<Signals> azure_events(const Answer& answer, const std::string& own_name,
                                   core::WallMs now);

}  // namespace syncline::spot
