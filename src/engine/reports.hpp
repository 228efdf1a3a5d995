// What people ask of a node, answered from the engine's state. Pure: nothing is changed.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "facade/reports.hpp"

namespace syncline::engine {

// Everything but node-level facts that only the shell knows (version, uptime).
facade::StatusReport status_of(const Engine& engine, core::Instant now);
std::vector<facade::PeerStatus> peers_of(const Engine& engine, core::Instant now);
std::vector<facade::FreshnessRow> freshness_of(const Engine& engine, core::Instant now);
std::vector<facade::TransferRow> transfers_of(const Engine& engine, core::Instant now);
// Differences between this node and the fleet, after its own data was re-hashed.
facade::VerifyReport verify_of(const Engine& engine, const core::CollectionConfig& collection);

}  // namespace syncline::engine
