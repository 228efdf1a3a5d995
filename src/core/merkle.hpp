// Content roots: the SHA-256 Merkle tree of BitTorrent v2 (BEP 52).
//
// Leaves are the hashes of 16 KiB blocks, the last one hashed as long as it is. The leaves are
// filled up with zero hashes to a power of two; a parent is the hash of its two children. The
// root of a file of one block is that block's hash; the empty file has no tree: its root is zero.
//
// A layer cuts the tree at a height: with piece_blocks = 16, one hash per 256 KiB. Whoever knows
// the layer can verify each piece alone; the layer itself is verified against the root.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/sha256.hpp"

namespace syncline::core {

inline constexpr std::size_t kBlockBytes = 16 * 1024;  // BEP 52. DO NOT CHANGE
// A piece is what is verified, resumed and passed on alone (decisions/0045).
// DO NOT CHANGE: the wire, staged bitfields and stored piece layers count in it.
inline constexpr std::size_t kPieceBlocks = 16;
inline constexpr std::uint64_t kPieceBytes = kPieceBlocks * kBlockBytes;

// H(left ‖ right).
Digest256 merkle_parent(const Digest256& left, const Digest256& right);
// The root of a tree of 2^height zero leaves: what stands for nothing above the leaves.
Digest256 merkle_padding(unsigned height);

// Root of the tree over `nodes`, each a root of its own tree of height `height`, filled up to a
// power of two that is at least `width_min` nodes. REQUIRES: nodes not empty.
Digest256 merkle_root(std::vector<Digest256> nodes, unsigned height = 0, std::size_t width_min = 1);

// Hashes of the blocks of some bytes that begin at a block's start.
std::vector<Digest256> block_hashes(std::string_view bytes);

// Roots of the pieces of `piece_blocks` blocks (a power of two), from all leaves in order.
// A file that is not longer than one piece has one entry: its root.
std::vector<Digest256> merkle_layer(const std::vector<Digest256>& leaves, std::size_t piece_blocks);
// The same for pieces `factor` times as large (a power of two), from such a layer.
std::vector<Digest256> coarser_layer(const std::vector<Digest256>& layer, std::size_t piece_blocks,
                                     std::size_t factor);
// The file's root from such a layer.
Root root_of_layer(const std::vector<Digest256>& layer, std::size_t piece_blocks);

// Bytes in, root out, in constant memory but for 32 bytes per block.
class MerkleHasher {
 public:
  void update(std::string_view bytes);
  // The root of all bytes so far. No update may follow.
  Root finish();
  std::uint64_t size_bytes() const { return size_bytes_; }
  // After finish().
  const std::vector<Digest256>& leaves() const { return leaves_; }

 private:
  Sha256 hasher_;
  std::size_t block_fill_ = 0;
  std::uint64_t size_bytes_ = 0;
  std::vector<Digest256> leaves_;
};

}  // namespace syncline::core
