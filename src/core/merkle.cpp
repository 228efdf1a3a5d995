#include "core/merkle.hpp"

#include <algorithm>
#include <array>

#include "core/check.hpp"
#include "core/sha256_many.hpp"

namespace syncline::core {

namespace {
unsigned height_of(std::size_t width) {
  unsigned height = 0;
  while ((std::size_t{1} << height) < width) ++height;
  return height;
}
}  // namespace

Digest256 merkle_parent(const Digest256& left, const Digest256& right) {
  std::array<char, 64> both;
  std::copy(left.bytes.begin(), left.bytes.end(), both.begin());
  std::copy(right.bytes.begin(), right.bytes.end(), both.begin() + 32);
  return sha256({both.data(), both.size()});
}

Digest256 merkle_padding(unsigned height) {
  Digest256 padding;
  for (unsigned i = 0; i < height; ++i) padding = merkle_parent(padding, padding);
  return padding;
}

Digest256 merkle_root(std::vector<Digest256> nodes, unsigned height, std::size_t width_min) {
  SYNCLINE_CHECK(!nodes.empty(), "a tree of nothing");
  const unsigned top = height_of(std::max(nodes.size(), width_min));
  Digest256 padding = merkle_padding(height);
  for (unsigned level = 0; level < top; ++level) {
    if (nodes.size() % 2 == 1) nodes.push_back(padding);
    for (std::size_t i = 0; i < nodes.size() / 2; ++i) {
      nodes[i] = merkle_parent(nodes[2 * i], nodes[2 * i + 1]);
    }
    nodes.resize(nodes.size() / 2);
    padding = merkle_parent(padding, padding);
  }
  return nodes.front();
}

std::vector<Digest256> block_hashes(std::string_view bytes) {
  return sha256_many(bytes, kBlockBytes);
}

std::vector<Digest256> merkle_layer(const std::vector<Digest256>& leaves,
                                    std::size_t piece_blocks) {
  return coarser_layer(leaves, 1, piece_blocks);
}

std::vector<Digest256> coarser_layer(const std::vector<Digest256>& layer, std::size_t piece_blocks,
                                     std::size_t factor) {
  if (layer.empty()) return {};
  if (layer.size() <= factor) return {root_of_layer(layer, piece_blocks)};
  std::vector<Digest256> coarser;
  for (std::size_t first = 0; first < layer.size(); first += factor) {
    const auto begin = layer.begin() + static_cast<std::ptrdiff_t>(first);
    const std::size_t count = std::min(factor, layer.size() - first);
    coarser.push_back(merkle_root({begin, begin + static_cast<std::ptrdiff_t>(count)},
                                  height_of(piece_blocks), factor));
  }
  return coarser;
}

Root root_of_layer(const std::vector<Digest256>& layer, std::size_t piece_blocks) {
  if (layer.empty()) return {};
  if (layer.size() == 1) return layer.front();
  return merkle_root(layer, height_of(piece_blocks));
}

void MerkleHasher::update(std::string_view bytes) {
  size_bytes_ += bytes.size();
  while (!bytes.empty()) {
    if (block_fill_ == 0 && bytes.size() >= kBlockBytes) {
      const auto whole = bytes.substr(0, bytes.size() - bytes.size() % kBlockBytes);
      const std::vector<Digest256> hashes = block_hashes(whole);
      leaves_.insert(leaves_.end(), hashes.begin(), hashes.end());
      bytes.remove_prefix(whole.size());
      continue;
    }
    const std::size_t take = std::min(bytes.size(), kBlockBytes - block_fill_);
    hasher_.update(bytes.substr(0, take));
    block_fill_ += take;
    bytes.remove_prefix(take);
    if (block_fill_ == kBlockBytes) {
      leaves_.push_back(hasher_.finish());
      block_fill_ = 0;
    }
  }
}

Root MerkleHasher::finish() {
  if (block_fill_ > 0) {
    leaves_.push_back(hasher_.finish());
    block_fill_ = 0;
  }
  return leaves_.empty() ? Root{} : merkle_root(leaves_);
}

}  // namespace syncline::core
