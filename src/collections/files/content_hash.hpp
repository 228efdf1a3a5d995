// Content roots of files (BEP 52): the tree of core/merkle over bytes read from a descriptor.
//
// Threads: the functions are thread-safe; hash_file itself uses two threads for large files.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collections/files/types.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"

namespace syncline::collections::files {

// From this size on a file is hashed by two threads: below, starting one costs more than it saves.
inline constexpr std::uint64_t kParallelHashBytesMin = 32u << 20;

inline std::uint64_t piece_count_of(std::uint64_t size_bytes) {
  return (size_bytes + kPieceBytes - 1) / kPieceBytes;
}
inline std::uint64_t piece_bytes_of(std::uint64_t size_bytes, std::uint64_t piece) {
  const std::uint64_t left = size_bytes - piece * kPieceBytes;
  return left < kPieceBytes ? left : kPieceBytes;
}

// Root of one piece of an object of `size_bytes`: of the only piece it is the object's root itself;
// else its blocks are padded to a whole piece. REQUIRES: bytes.size() is that piece's size.
core::Digest256 piece_root(std::string_view bytes, std::uint64_t size_bytes);
// The same from the hashes of its 16 KiB blocks, in order.
core::Digest256 piece_root(const std::vector<core::Digest256>& block_hashes,
                           std::uint64_t size_bytes);

// The object's root from the roots of its pieces (at least one).
core::Root root_of_layer(const std::vector<core::Digest256>& piece_layer);

struct FileHash {
  core::Root root;                           // zero for the empty file
  std::vector<core::Digest256> piece_layer;  // one per piece; a single entry equals the root
};

// Reads exactly `size_bytes` from offset 0. kConflict: the file is shorter; kCancelled: `cancel`
// became true; kInvalid: read error.
core::Result<FileHash> hash_file(int fd, std::uint64_t size_bytes,
                                 const std::atomic<bool>* cancel = nullptr);

}  // namespace syncline::collections::files
