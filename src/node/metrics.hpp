// /metrics: the engine's reports in Prometheus' text format 0.0.4. Pure.
#pragma once

#include <string>

#include "facade/reports.hpp"
#include "facade/series.hpp"

namespace syncline::node {

std::string metrics_text(const facade::StatusReport& status, const facade::StatsReport& stats,
                         const facade::Series& series, std::uint64_t transfers_running);

}  // namespace syncline::node
