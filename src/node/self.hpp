// What this machine is, where the configuration leaves it open.
#pragma once

#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"

namespace syncline::node {

// Fills in fleet, provider, ephemeral (auto stays where only metadata can tell), storage_domain and
// peer_advertise. Returns what was found out, one sentence each, for the log.
core::Result<std::vector<std::string>> complete(core::Config& config, const std::string& fleet);

}  // namespace syncline::node
