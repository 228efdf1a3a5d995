// The rules in words: short, with the numbers that decided. Made only when somebody asks.
#pragma once

#include <string>

#include "routing/rules.hpp"

namespace syncline::routing {

// "base +50, training role +30, disk 41 % used +10, never synced +30": adds up to the points.
std::string reason_of(const NodeView& node, const Cell& cell, const TargetQuestion& question);
std::string reason_of(const NodeView& node, const Cell& cell, const SourceQuestion& question);

// "its disk would be 83 % full with these 4 GB; the limit is 70 %". REQUIRES: block != kNone
std::string reason_of(Block block, const NodeView& node, const TargetQuestion& question);
std::string reason_of(Block block, const NodeView& node, const SourceQuestion& question);

// Points as people say them: 11550 -> "115.5".
std::string say_points(Points points);

}  // namespace syncline::routing
