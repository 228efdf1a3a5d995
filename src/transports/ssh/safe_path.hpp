// Names that come from over there, before they are joined to a root.
#pragma once

#include <string>

namespace syncline::transports::ssh {

// Relative, without "..", of no more than 4096 bytes: may be joined to a root over there.
bool is_safe_path(const std::string& path);

}  // namespace syncline::transports::ssh
