// The configuration from its file, with what the host knows: its name, its machine id.
#pragma once

#include <string>

#include "core/config.hpp"
#include "core/result.hpp"

namespace syncline::env {

// Makes `path` absolute first. SYNCLINE_STATE_DIR overrides node.state_dir.
core::Result<core::Config> load_config(const std::string& path);
std::string host_name();

}  // namespace syncline::env
