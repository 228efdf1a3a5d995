// What is remembered of a staged object beside its bytes, so that it can be resumed, and so that a
// replacement which a crash interrupted can be completed.
//
// Bytes of <id>.meta, DO NOT CHANGE without a new first line; docs/formats/staging.md says the
// same:
//   "syncline-landing 2\n"
//   "path <bytes of the path in hex>\n"
//   "root <64 hex>\n" "size <decimal>\n"
//   "replaces <64 hex>\n"
//   "pieces x<bitfield in hex; bit i%8 of byte i/8 is piece i>\n"
//   "sum <SHA-256 of all lines above, hex>\n"
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"

namespace syncline::collections::files {

inline constexpr std::uint64_t kObjectBytesMax = std::uint64_t{1} << 44;  // 16 TiB
inline constexpr std::size_t kMetaBytesMax = 20u << 20;  // bitfield of 16 TiB, in hex

// Which pieces of an object are verified and on disk.
class PieceSet {
 public:
  PieceSet() = default;
  explicit PieceSet(std::uint64_t count)
      : count_(count), bits_(static_cast<std::size_t>((count + 7) / 8), '\0') {}
  // kCorrupt: wrong length, or a bit beyond the last piece.
  static core::Result<PieceSet> from_bytes(std::string bits, std::uint64_t count);

  std::uint64_t count() const { return count_; }
  std::uint64_t present() const { return present_; }
  bool is_full() const { return present_ == count_; }
  bool has(std::uint64_t piece) const;
  void add(std::uint64_t piece);
  void remove(std::uint64_t piece);
  const std::string& bytes() const { return bits_; }
  std::string missing_bytes() const;
  bool operator==(const PieceSet&) const = default;

 private:
  std::uint64_t count_ = 0;
  std::uint64_t present_ = 0;
  std::string bits_;
};

struct LandingMeta {
  std::string path;
  core::Root root;
  std::uint64_t size_bytes = 0;
  core::Root replaces;
  PieceSet pieces;
  bool operator==(const LandingMeta&) const = default;
};

std::string encode(const LandingMeta& meta);
// kCorrupt for whatever encode cannot have made, a torn write included.
core::Result<LandingMeta> decode_landing_meta(std::string_view bytes);

// 32 hex digits, the same for the same path and root.
std::string landing_id(std::string_view path, const core::Root& root);

// "models/a.pth" -> "models/a.sync-conflict-20250309-140507-node.pth"; `attempt` > 1 adds "-2" …
std::string conflict_name(const std::string& path, std::int64_t mtime_ms, const core::NodeId& node,
                          int attempt);

}  // namespace syncline::collections::files
