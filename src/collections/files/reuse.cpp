// Delta: pieces that an older file already has are taken from it instead of the network.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "collections/files/content_hash.hpp"
#include "collections/files/landing_state.hpp"

namespace syncline::collections::files {
namespace {

// Shares the extents of a whole piece between the two files, where the file system can.
bool clone_piece(int from, std::uint64_t from_piece, int to, std::uint64_t to_piece) {
  file_clone_range range{};
  range.src_fd = from;
  range.src_offset = from_piece * kPieceBytes;
  range.src_length = kPieceBytes;
  range.dest_offset = to_piece * kPieceBytes;
  return ::ioctl(to, FICLONERANGE, &range) == 0;
}

}  // namespace

core::Result<std::uint64_t> Landing::reuse_from(const std::string& older_path) {
  State& s = *state_;
  SYNCLINE_TRY(check_path(older_path));
  if (!s.has_layer() || s.pieces.is_full()) return std::uint64_t{0};
  SYNCLINE_ASSIGN(const OwnedFd older, s.site->root.open_file(older_path, O_RDONLY));
  struct stat before {};
  if (::fstat(older.get(), &before) != 0) {
    return system_error("look at the older version", older_path, errno);
  }
  std::multimap<core::Digest256, std::uint64_t> wanted;
  for (std::uint64_t i = 0; i < piece_count(); ++i) {
    if (!s.pieces.has(i)) wanted.emplace(s.expected(i), i);
  }
  std::uint64_t reused = 0;
  std::vector<std::uint64_t> cloned;
  bool can_clone = true;
  std::string bytes;
  const auto older_bytes = static_cast<std::uint64_t>(before.st_size);
  for (std::uint64_t from = 0; from * kPieceBytes < older_bytes && !wanted.empty(); ++from) {
    bytes.resize(piece_bytes_of(older_bytes, from));
    const ssize_t n =
        ::pread(older.get(), bytes.data(), bytes.size(), static_cast<off_t>(from * kPieceBytes));
    // It shrinks under us, or cannot be read: the rest is fetched.
    if (n != static_cast<ssize_t>(bytes.size())) break;
    const auto [first, last] = wanted.equal_range(piece_root(bytes, s.size_bytes()));
    for (auto it = first; it != last; ++it) {
      const std::uint64_t to = it->second;
      if (bytes.size() != piece_bytes(to)) continue;
      can_clone = can_clone && bytes.size() == kPieceBytes;
      if (can_clone && clone_piece(older.get(), from, s.data.get(), to)) {
        cloned.push_back(to);
        continue;
      }
      can_clone = false;
      SYNCLINE_TRY(s.store(to, bytes));
      reused += bytes.size();
    }
    wanted.erase(first, last);
  }
  // Stored pieces were verified in our own memory. Cloned ones were verified before they were
  // shared: they count only if nobody wrote to the older file in between.
  struct stat after {};
  if (!cloned.empty() && ::fstat(older.get(), &after) == 0 &&
      stamp_of(after).mtime_ns == stamp_of(before).mtime_ns && after.st_size == before.st_size) {
    for (const std::uint64_t piece : cloned) {
      s.pieces.add(piece);
      s.unsynced_bytes += kPieceBytes;
    }
    reused += cloned.size() * kPieceBytes;
  }
  return reused;
}

}  // namespace syncline::collections::files
