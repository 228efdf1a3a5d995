// Randomness from the operating system: keys, tokens, seeds.
#pragma once

#include <cstdint>
#include <string>

namespace syncline::env {

// `size` bytes fit for keys. Stops the process if the system has none to give.
std::string random_bytes(std::size_t size);
std::uint64_t random_u64();

}  // namespace syncline::env
