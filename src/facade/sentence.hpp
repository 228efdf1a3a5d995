// The route as a person would say it, for --explain: a few sentences, one paragraph.
//
//   "games goes by hybrid, because nothing special was asked for. trainer-1 comes first (215
//   points: a training job runs there +50, never synced +30), then backup-1. Left out: spot-2, whose
//   disk would be 83 % full; the limit is 70 %."
#pragma once

#include <string>

#include "facade/reports.hpp"

namespace syncline::facade {

std::string sentence(const RouteReport& report);

}  // namespace syncline::facade
