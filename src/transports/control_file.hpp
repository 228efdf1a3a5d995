// aria2's control file (<file>.aria2): which pieces of a staged file are on the disk, for
// transports that write it themselves. Each begins where the one before it was stopped: swarm after
// aria2 and the other way round, and both after pieces that p2p brought.
//
// What it says is believed until all of the file is verified; where that fails it is removed.
// Source: aria2c(1), "CONTROL FILE", format version 1.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/merkle.hpp"
#include "env/files.hpp"
#include "transports/transport.hpp"

namespace syncline::transports {

inline constexpr std::uint32_t kControlPieceBytes = 1u << 20;  // aria2's --piece-length
inline constexpr std::size_t kControlFileBytesMax = std::size_t{16} << 20;
// Below this an interrupted transfer starts anew, as landings do.
inline constexpr std::uint64_t kControlledBytesMin = 8u << 20;

// Beside the file that it tells of.
inline std::string control_path(const std::string& path) {
  return path + ".aria2";
}

namespace control {
template <typename Number>
void put(std::string& out, Number value) {  // big-endian
  for (int shift = static_cast<int>(sizeof(Number)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

inline std::uint64_t get(std::string_view text, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value = value << 8 | static_cast<unsigned char>(text[at + i]);
  }
  return value;
}

// Where its fields begin, without an info hash.
inline constexpr std::size_t kPieceLengthAt = 10, kTotalLengthAt = 14, kBitsLengthAt = 30,
                             kBitsAt = 34;

inline std::uint64_t pieces_of(std::uint64_t size_bytes) {
  return (size_bytes + kControlPieceBytes - 1) / kControlPieceBytes;
}
}  // namespace control

// `has(i)`: piece i of `size_bytes` is there.
inline std::string encode_control_file(std::uint64_t size_bytes,
                                       const std::function<bool(std::uint64_t piece)>& has) {
  const std::uint64_t pieces = control::pieces_of(size_bytes);
  std::string bits((pieces + 7) / 8, '\0');
  for (std::uint64_t i = 0; i < pieces; ++i) {
    if (has(i)) bits[i / 8] = static_cast<char>(bits[i / 8] | (0x80 >> (i % 8)));
  }
  std::string out;
  control::put<std::uint16_t>(out, 1);  // version
  control::put<std::uint32_t>(out, 0);  // extensions: none
  control::put<std::uint32_t>(out, 0);  // length of an info hash: it is no torrent
  control::put<std::uint32_t>(out, kControlPieceBytes);
  control::put<std::uint64_t>(out, size_bytes);
  control::put<std::uint64_t>(out, 0);  // uploaded
  control::put<std::uint32_t>(out, static_cast<std::uint32_t>(bits.size()));
  out += bits;
  control::put<std::uint32_t>(out, 0);  // pieces in flight
  return out;
}

// Which pieces such a file says are there. None: it is damaged, or is not of a download of this
// size in these pieces.
inline std::optional<std::vector<bool>> pieces_in_control_file(std::string_view text,
                                                               std::uint64_t size_bytes) {
  const std::uint64_t pieces = control::pieces_of(size_bytes);
  const std::uint64_t bits = (pieces + 7) / 8;
  if (text.size() < control::kBitsAt + bits || control::get(text, 0, 2) != 1 ||
      control::get(text, 6, 4) != 0 ||
      control::get(text, control::kPieceLengthAt, 4) != kControlPieceBytes ||
      control::get(text, control::kTotalLengthAt, 8) != size_bytes ||
      control::get(text, control::kBitsLengthAt, 4) != bits) {
    return std::nullopt;
  }
  std::vector<bool> held(pieces);
  for (std::uint64_t i = 0; i < pieces; ++i) {
    const auto byte = static_cast<unsigned char>(text[control::kBitsAt + i / 8]);
    held[i] = (byte & (0x80 >> (i % 8))) != 0;
  }
  return held;
}

// Which pieces of a staged file to take for present when a transfer begins.
inline std::vector<bool> pieces_present(const Destination& destination) {
  const std::uint64_t size = destination.size_bytes();
  const std::string path = control_path(destination.staged_path());
  if (size > kControlledBytesMin && env::exists(path)) {
    const auto text = env::read_file(path, kControlFileBytesMax);
    auto pieces = text.ok() ? pieces_in_control_file(*text, size) : std::nullopt;
    if (pieces) return *std::move(pieces);
  }
  std::vector<bool> pieces(control::pieces_of(size), true);
  for (std::uint64_t i = 0; i < destination.piece_count(); ++i) {
    if (!destination.has_piece(i)) pieces[i * core::kPieceBytes / kControlPieceBytes] = false;
  }
  return pieces;
}

inline std::uint64_t bytes_of(const std::vector<bool>& pieces, std::uint64_t size_bytes) {
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < pieces.size(); ++i) {
    if (!pieces[i]) continue;
    bytes += std::min<std::uint64_t>(kControlPieceBytes, size_bytes - i * kControlPieceBytes);
  }
  return bytes;
}

inline core::Status save_pieces(const Destination& destination, const std::vector<bool>& pieces) {
  const std::string text =
      encode_control_file(destination.size_bytes(), [&](std::uint64_t i) { return pieces[i]; });
  return env::write_file_atomic(control_path(destination.staged_path()), text, 0600);
}

inline void forget_pieces(const Destination& destination) {
  ::unlink(control_path(destination.staged_path()).c_str());
}

}  // namespace syncline::transports
