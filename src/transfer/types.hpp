// The transports by name, and what the planner knows of a transfer. Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace syncline::transfer {

// In the order in which failure escalates.
enum class Transport { kNfs, kP2p, kSwarm, kAria2, kSsh };
constexpr Transport kTransports[] = {Transport::kNfs, Transport::kP2p, Transport::kSwarm,
                                     Transport::kAria2, Transport::kSsh};

const char* to_string(Transport transport);  // nfs | p2p | swarm | aria2 | ssh
// kInvalid with the nearest name for anything else.
core::Result<Transport> parse_transport(std::string_view text);

}  // namespace syncline::transfer
