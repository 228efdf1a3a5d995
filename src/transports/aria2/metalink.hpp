// A description of one file for aria2c and others: Metalink 4 (RFC 5854) with its size, its SHA-256
// as a whole and by pieces, and where it can be got.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace syncline::transports::aria2 {

struct MetalinkOf {
  std::string name;  // relative, "/" between folders
  std::uint64_t size_bytes = 0;
  std::vector<std::string> urls;  // best first
  // Fills `into` from `offset`; fewer bytes only at the end.
  std::function<core::Result<std::size_t>(std::uint64_t offset, std::span<char> into)> read_at;
};

// Reads all of it. Pieces are of 1 MiB, or of the power of two above that makes no more than
// kMetalinkPiecesMax. kInvalid: a name that XML cannot hold; the errors of read_at.
core::Result<std::string> metalink(const MetalinkOf& file);

inline constexpr std::uint64_t kMetalinkPiecesMax = 4096;

}  // namespace syncline::transports::aria2
