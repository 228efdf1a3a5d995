// The daemon: one node of the fleet, from its configuration to its exit code.
#pragma once

#include <string>

#include "core/config.hpp"

namespace syncline::node {

// What loading a configuration cannot tell: its schedules. kInvalid with one sentence.
core::Status check(const core::Config& config);

// Runs until SIGTERM or SIGINT; both begin a drain (spot.drain_deadline_s), a second one ends it.
// Returns 0 when everything of this node is durable elsewhere, 4 when not, 1 when it could not
// start: a wrong configuration, no identity, a port that is taken; one line on standard error.
int run_daemon(const std::string& config_path);

}  // namespace syncline::node
