// SHA-256 of many messages of one length, side by side in a processor's vector registers: with
// AVX-512 three times, with SHA instructions one and a half times as fast as one after the other
// (decisions/0047). By Intel's library for multi-buffer cryptography, which takes the best that the
// processor has; on others than x86-64 one after the other, by OpenSSL.
// Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "core/ids.hpp"

namespace syncline::core {

// One digest for each `message_bytes` of `bytes`, in order; the last message is what is left.
// REQUIRES: message_bytes > 0.
std::vector<Digest256> sha256_many(std::string_view bytes, std::size_t message_bytes);

}  // namespace syncline::core
