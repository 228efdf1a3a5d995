// What this machine is, where the configuration leaves it open.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"

namespace syncline::node {

// Fills in fleet, provider, ephemeral (auto stays where only metadata can tell), storage_domain and
// peer_advertise. Returns what was found out, one sentence each, for the log.
core::Result<std::vector<std::string>> complete(core::Config& config, const std::string& fleet);

// Load average of the last minute per processor; 1000: all are busy. 0 if nobody can tell.
std::uint32_t load_permille();
// Of this machine's time zone, now.
int utc_offset_minutes();

}  // namespace syncline::node
