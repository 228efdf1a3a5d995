// What is remembered of one host between two runs of the daemon, as text.
//
//   "syncline-agentless 1\n"
//   "<size> <mtime_ms> <wal size> <wal mtime_ms> <root in hex> <collection> <path in hex>\n" …
//   "sum <SHA-256 of all lines above, hex>\n"
// Losing it costs a second copy of each file, never data. Pure.
#pragma once

#include <string>
#include <string_view>

#include "collecting/types.hpp"

namespace syncline::collecting {

inline constexpr std::size_t kMemoryBytesMax = 512u << 20;

std::string encode_memory(const Memory& memory, const core::NodeId& host);
// kCorrupt for whatever encode_memory cannot have made, a torn write included.
core::Result<Memory> decode_memory(std::string_view text, const core::NodeId& host);

}  // namespace syncline::collecting
