// Where another machine could dial this node.
#pragma once

#include <string>
#include <vector>

#include "core/config.hpp"

namespace syncline::env {

// peer_advertise, else peer_listen; for a wildcard the machine's own addresses with its port, at
// most eight, none that only this machine can reach.
std::vector<std::string> callable_addresses(const core::NodeConfig& node);

}  // namespace syncline::env
