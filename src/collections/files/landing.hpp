// The receiving end of an object: from the first piece to the file in its place.
//
// A landing lives in <root>/.syncline/staging/, on the file system of its destination:
//   <id>.data   the bytes, preallocated to the full size
//   <id>.meta   which object for which path, and which pieces are verified and on disk
// where <id> is made from path and root, so that begin() after a crash or a restart goes on where
// the bytes on disk end. Objects of up to kResumeBytesMin have no .meta: they are fetched again.
//
// Rules that hold at every instruction, kill -9 included:
// 1. Nobody sees half a file: the path holds the version before, or the new one, whole and fsynced.
// 2. A piece counts as present only after its data was synced (checkpoint), never the other way.
// 3. A version that we did not expect at the path is kept beside it as
//    name.sync-conflict-YYYYMMDD-HHMMSS-<node>.ext, and reported.
// 4. A path that leaves the root, by "..", absolute name or symbolic link, is refused.
//
// Threads: one Landing is used by one thread at a time; different ones by different threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collections/files/types.hpp"
#include "core/config.hpp"
#include "core/ids.hpp"
#include "core/object.hpp"
#include "core/result.hpp"

namespace syncline::collections::files {

// Below this a transfer that breaks starts anew: cheaper than the bookkeeping.
inline constexpr std::uint64_t kResumeBytesMin = 8u << 20;

struct LandingRequest {
  std::string path;                          // relative to the collection's root
  core::ObjectVersion object;                // not a deletion
  std::vector<core::Digest256> piece_layer;  // roots of the pieces; empty: see verify_all
  core::Root replaces;                       // what may be replaced at the path; zero = nothing
  std::optional<KnownFile> replaces_known;   // its stamp, so that it need not be read again
  bool is_read_while_it_lands = false;       // others are served from it: stays in the page cache
};

struct Landed {
  KnownFile known;  // what stands at the path now: remember it, and no scan reads it again
  std::string conflict_copy;  // relative path of the loser that was kept; empty if none
};

class Landing {
 public:
  ~Landing();  // an unfinished one stays on disk, to be resumed
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;

  const LandingRequest& request() const;
  std::uint64_t piece_count() const;
  std::uint64_t piece_bytes(std::uint64_t piece) const;  // kPieceBytes, less for the last
  bool has_piece(std::uint64_t piece) const;
  std::uint64_t bytes_present() const;
  // Bit (i % 8) of byte i / 8, lowest first, is set where piece i is still missing.
  std::string missing() const;
  std::vector<std::uint64_t> missing_pieces(std::size_t count_max) const;

  // One whole piece. kCorrupt: its hash is not the layer's; nothing was written, blame the sender.
  // With an empty piece layer and more than one piece it is kInvalid: use staged_path().
  core::Status write_piece(std::uint64_t piece, std::string_view bytes);
  // The same for a caller that has hashed the 16 KiB blocks as they came: no byte is hashed twice.
  core::Status write_piece(std::uint64_t piece, std::string_view bytes,
                           const std::vector<core::Digest256>& block_hashes);

  // Delta: copies every missing piece that an older file already has at some piece boundary
  // (copy_file_range: shared extents where the file system can). Returns bytes reused. `older` is
  // relative to the root; what changes meanwhile is noticed, since each copied piece is verified.
  core::Result<std::uint64_t> reuse_from(const std::string& older_path);

  // Syncs the data written so far, then the bitfield that claims it. write_piece has it done each
  // 64 MiB, beside the caller (each 256 MiB at the latest where the disk does not keep up); call it
  // before a planned stop.
  core::Status checkpoint();

  // Where an outside program (rsync, aria2) writes the object instead of write_piece; follow with
  // verify_all. Absolute; the file exists and has its full size.
  std::string staged_path() const;
  // Reads the staged file and marks the pieces that match (all or none without a piece layer).
  // kCorrupt: it is not the object; nothing is placed.
  core::Status verify_all();

  // Everything is present: fsync, mtime and mode, conflict check, rename, fsync of the folder.
  // kConflict: pieces are missing; kInvalid: something that is no file is in the way.
  core::Result<Landed> finish();

  // Gives the staged bytes up.
  void discard();

  struct State;

 private:
  friend class LandingSite;
  friend class Finishing;
  explicit Landing(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace syncline::collections::files
