// What is told to others of the pieces that are here: messages that each fit into a frame.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "wire/messages.hpp"

namespace syncline::transports::p2p {

// The largest numbers take 5 bytes each of a header's 4 MiB. One that resumes a great object may
// have more of it.
inline constexpr std::size_t kPiecesPerMessage = 1u << 16;

// At least one message; only the first asks for what the other has.
inline std::vector<wire::ObjectPieces> tellings(const core::Root& root,
                                                const std::vector<std::uint32_t>& pieces,
                                                bool asks) {
  std::vector<wire::ObjectPieces> messages;
  std::size_t at = 0;
  do {
    const std::size_t end = std::min(pieces.size(), at + kPiecesPerMessage);
    const auto first = pieces.begin() + static_cast<std::ptrdiff_t>(at);
    const auto last = pieces.begin() + static_cast<std::ptrdiff_t>(end);
    messages.push_back(wire::ObjectPieces{root, {first, last}, asks && at == 0});
    at = end;
  } while (at < pieces.size());
  return messages;
}

}  // namespace syncline::transports::p2p
