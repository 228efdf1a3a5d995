// The route as a person would say it, for --explain: a few sentences, one paragraph.
//
//   "games is synced by hybrid, because nothing special was asked for. It goes to trainer-1 by p2p
//   (215 points: base +50, a training job runs there +50, …) first, then to backup-1 by ssh (95.5
//   points: …). Left out: spot-2: its disk would be 83 % full with these 4 GB; the limit is 70 %."
#pragma once

#include <string>

#include "facade/reports.hpp"

namespace syncline::facade {

std::string sentence(const RouteReport& report);

}  // namespace syncline::facade
