#include "core/merkle.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::core {
namespace {

std::string content(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 7 + i / 251) & 0xff);
  return bytes;
}

// Roots made by an independent implementation of BEP 52's text (Python, hashlib), kept in
// tests/support/bep52_roots.py.
struct Vector {
  std::size_t size;
  const char* root;
};
const Vector kVectors[] = {
#include "core/merkle_vectors.inc"
};

TEST(Merkle, gives_the_roots_that_bep_52_defines) {
  for (const Vector& vector : kVectors) {
    MerkleHasher hasher;
    hasher.update(content(vector.size));
    EXPECT_EQ(to_hex(hasher.finish()), vector.root) << vector.size << " bytes";
  }
}

TEST(Merkle, an_empty_file_has_the_zero_root) {
  EXPECT_TRUE(MerkleHasher().finish().is_zero());
}

RC_GTEST_PROP(MerkleProperty, does_not_depend_on_how_the_bytes_arrive, ()) {
  const std::string bytes = content(static_cast<std::size_t>(*rc::gen::inRange(0, 200000)));
  MerkleHasher whole;
  whole.update(bytes);
  MerkleHasher parts;
  std::string_view left = bytes;
  while (!left.empty()) {
    const auto take = std::min(left.size(), static_cast<std::size_t>(*rc::gen::inRange(1, 60000)));
    parts.update(left.substr(0, take));
    left.remove_prefix(take);
  }
  RC_ASSERT(whole.finish() == parts.finish());
}

RC_GTEST_PROP(MerkleProperty, every_layer_leads_to_the_same_root, ()) {
  const std::string bytes = content(static_cast<std::size_t>(*rc::gen::inRange(1, 900000)));
  MerkleHasher hasher;
  hasher.update(bytes);
  const Root root = hasher.finish();
  for (std::size_t piece_blocks : {1u, 4u, 16u, 64u}) {
    const auto layer = merkle_layer(hasher.leaves(), piece_blocks);
    RC_ASSERT(root_of_layer(layer, piece_blocks) == root);
  }
}

RC_GTEST_PROP(MerkleProperty, a_coarser_layer_is_the_one_that_the_leaves_give, ()) {
  const std::string bytes = content(static_cast<std::size_t>(*rc::gen::inRange(0, 900000)));
  const auto leaves = block_hashes(bytes);
  for (std::size_t piece_blocks : {1u, 4u, 16u}) {
    for (std::size_t factor : {1u, 2u, 4u, 16u}) {
      RC_ASSERT(coarser_layer(merkle_layer(leaves, piece_blocks), piece_blocks, factor) ==
                merkle_layer(leaves, piece_blocks * factor));
    }
  }
}

}  // namespace
}  // namespace syncline::core
