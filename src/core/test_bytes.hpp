// Content for tests of every room that moves or stores files.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

namespace syncline::core {

// Bytes that repeat nowhere, the same for the same seed (xorshift64, Marsaglia 2003). Eight at a
// time: tests are built without optimisation, and a byte at a time takes a minute under TSan.
inline std::string test_bytes(std::size_t size, std::uint64_t seed = 1) {
  std::string bytes(size, '\0');
  std::uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  for (std::size_t i = 0; i < size; i += sizeof state) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    std::memcpy(bytes.data() + i, &state, std::min(sizeof state, size - i));
  }
  return bytes;
}

}  // namespace syncline::core
