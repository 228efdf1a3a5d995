// What follows from a configuration once all of it was read: defaults that the host knows, absolute
// paths, settings that need each other. Private to the room.
#pragma once

#include <string>

#include "core/config.hpp"

namespace syncline::core {

// A path that is not absolute is meant from `folder` (which ends in '/').
void make_absolute(std::string& path, const std::string& folder);

// "" or the sentence that says what is wrong.
std::string complete_config(Config& config, const ConfigOverrides& overrides,
                            const std::string& folder);

}  // namespace syncline::core
