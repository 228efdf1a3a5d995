#include "collections/files/landing.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "collections/files/content_hash.hpp"
#include "collections/files/finishing.hpp"
#include "collections/files/landing_state.hpp"
#include "core/check.hpp"
#include "core/merkle.hpp"

namespace syncline::collections::files {

using core::Error;
using core::ErrorKind;

namespace {

// Between two checkpoints. Less: more waiting for the disk; more: more is fetched again after a
// crash, and the wait at the end is longer.
constexpr std::uint64_t kCheckpointBytes = 64u << 20;
// While one is still being written, no other begins until so much waits: a disk that is slow for a
// moment does not hold up what comes in.
constexpr std::uint64_t kUnsyncedBytesMax = 4 * kCheckpointBytes;
// The kernel is asked to begin writing after so much, so that a checkpoint finds little left.
constexpr std::uint64_t kWriteBehindBytes = 8u << 20;
// What is smaller is likely to be read as soon as it is there (a model), and fits beside the rest.
constexpr std::uint64_t kUncachedBytesMin = 256u << 20;

core::Status write_at(int fd, std::uint64_t offset, std::string_view bytes,
                      const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("write the staged file", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

}  // namespace

std::uint64_t Landing::State::piece_count() const {
  return piece_count_of(size_bytes());
}

bool Landing::State::is_cached() const {
  return size_bytes() < kUncachedBytesMin || request.is_read_while_it_lands;
}

const core::Digest256& Landing::State::expected(std::uint64_t piece) const {
  return request.piece_layer.empty() ? request.object.root : request.piece_layer[piece];
}

LandingMeta Landing::State::meta() const {
  LandingMeta meta;
  meta.path = request.path;
  meta.root = request.object.root;
  meta.size_bytes = size_bytes();
  meta.replaces = request.replaces;
  meta.pieces = pieces;
  return meta;
}

core::Status Landing::State::open_data() {
  const std::string name = id + ".data";
  if (!is_resumable()) return create_data();  // what may be there of it is of no use
  data = OwnedFd(::openat(site->staging.get(), name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (data.is_open()) {
    struct stat info {};
    const auto kept = site->read_meta(id);
    if (kept.ok() && kept->path == request.path && kept->root == request.object.root &&
        kept->size_bytes == size_bytes() && ::fstat(data.get(), &info) == 0 &&
        static_cast<std::uint64_t>(info.st_size) == size_bytes()) {
      pieces = kept->pieces;
      has_meta = true;
      return {};
    }
    site->remove_staged(id);
  }
  // Notes that outlived their data (a crash between the object's move and their removal) would
  // claim pieces of a file that is empty. Gone on disk before the new file can be there; so are
  // those of a transport that wrote the file itself.
  ::unlinkat(site->staging.get(), (id + ".data.aria2").c_str(), 0);
  if (::unlinkat(site->staging.get(), (id + ".meta").c_str(), 0) == 0 &&
      ::fsync(site->staging.get()) != 0) {
    return system_error("remove the notes of an older staged file", request.path, errno);
  }
  return create_data();
}

core::Status Landing::State::create_data() {
  const std::string name = id + ".data";
  pieces = PieceSet(piece_count());
  // One that is never opened again may have its mode from the beginning.
  const mode_t mode = is_resumable() ? 0600 : mode_of(request.object);
  const auto create = [&] {
    data = OwnedFd(::openat(site->staging.get(), name.c_str(),
                            O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    return data.is_open();
  };
  if (!create() && errno == EEXIST) {
    site->remove_staged(id);
    create();
  }
  if (!data.is_open()) return system_error("make the staged file", request.path, errno);
  // One piece is written at once: if there is no room, that write says so.
  if (size_bytes() <= kPieceBytes) return {};
  const auto size = static_cast<off_t>(size_bytes());
  int code = ::fallocate(data.get(), 0, 0, size) == 0 ? 0 : errno;
  if (code == EOPNOTSUPP || code == ENOSYS) code = ::ftruncate(data.get(), size) == 0 ? 0 : errno;
  if (code == 0) return {};
  site->remove_staged(id);
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
    return Error{ErrorKind::kExhausted,
                 "no room for the object of " + std::to_string(size_bytes()) +
                     " bytes; free disk space and it is fetched again",
                 request.path};
  }
  return system_error("reserve room for the object", request.path, code);
}

Landing::Landing(std::unique_ptr<State> state) : state_(std::move(state)) {}

Landing::~Landing() {
  State& s = *state_;
  const core::Status last = s.join_checkpoint();
  if (!s.is_done && s.data.is_open()) {
    if (!s.is_resumable()) {
      s.site->remove_staged(s.id);
    } else if ((s.unsynced_bytes > 0 || !last.ok()) && !s.checkpoint().ok()) {
      // Then the last checkpoint counts, and what came after it is fetched again.
      s.unsynced_bytes = 0;
    }
  }
  s.site->release(s.request.path);
}

const LandingRequest& Landing::request() const {
  return state_->request;
}
std::uint64_t Landing::piece_count() const {
  return state_->piece_count();
}
bool Landing::has_piece(std::uint64_t piece) const {
  return state_->pieces.has(piece);
}
std::string Landing::missing() const {
  return state_->pieces.missing_bytes();
}

std::uint64_t Landing::piece_bytes(std::uint64_t piece) const {
  SYNCLINE_CHECK(piece < piece_count(), "piece", piece, "of", piece_count());
  return piece_bytes_of(state_->size_bytes(), piece);
}

std::uint64_t Landing::bytes_present() const {
  const std::uint64_t count = piece_count();
  if (count == 0) return 0;
  const std::uint64_t last = piece_bytes(count - 1);
  const bool has_last = has_piece(count - 1);
  return (state_->pieces.present() - (has_last ? 1 : 0)) * kPieceBytes + (has_last ? last : 0);
}

std::vector<std::uint64_t> Landing::missing_pieces(std::size_t count_max) const {
  std::vector<std::uint64_t> missing;
  for (std::uint64_t i = 0; i < piece_count() && missing.size() < count_max; ++i) {
    if (!has_piece(i)) missing.push_back(i);
  }
  return missing;
}

core::Status Landing::write_piece(std::uint64_t piece, std::string_view bytes) {
  return write_piece(piece, bytes, core::block_hashes(bytes));
}

core::Status Landing::write_piece(std::uint64_t piece, std::string_view bytes,
                                  const std::vector<core::Digest256>& block_hashes) {
  State& s = *state_;
  if (piece >= piece_count() || bytes.size() != piece_bytes(piece) ||
      block_hashes.size() != (bytes.size() + core::kBlockBytes - 1) / core::kBlockBytes) {
    return Error{ErrorKind::kCorrupt, "a piece of the wrong number or size was sent",
                 s.request.path};
  }
  if (!s.has_layer()) {
    return Error{ErrorKind::kInvalid,
                 "the object's piece layer is not known; no piece can be "
                 "verified alone",
                 s.request.path};
  }
  if (s.pieces.has(piece)) return {};
  if (piece_root(block_hashes, s.size_bytes()) != s.expected(piece)) {
    return Error{ErrorKind::kCorrupt,
                 "piece " + std::to_string(piece) +
                     " does not have the hash it must have; fetch it from somebody else",
                 s.request.path};
  }
  const core::Status stored = s.store(piece, bytes);
  // What cannot be resumed is of no use half written.
  if (!stored.ok() && stored.error().kind == ErrorKind::kExhausted && !s.is_resumable()) discard();
  return stored;
}

core::Status Landing::State::store(std::uint64_t piece, std::string_view bytes) {
  if (!data.is_open()) {
    return Error{ErrorKind::kCancelled, "the landing was given up", request.path};
  }
  SYNCLINE_TRY(write_at(data.get(), piece * kPieceBytes, bytes, request.path));
  pieces.add(piece);
  unsynced_bytes += bytes.size();
  if (!is_resumable()) return {};
  if (unsynced_bytes % kWriteBehindBytes < kPieceBytes) {
    ::sync_file_range(data.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  }
  if (unsynced_bytes < kCheckpointBytes) return {};
  if (is_checkpointing() && unsynced_bytes < kUnsyncedBytesMax) return {};
  return begin_checkpoint();
}

core::Status Landing::State::begin_checkpoint() {
  SYNCLINE_TRY(join_checkpoint());
  unsynced_bytes = 0;
  has_meta = true;
  // The pieces of now: those that follow are not known to be on disk when this one ends.
  checkpointing = std::async(std::launch::async,
                             [file = data.get(), notes = meta(), name = id, where = site,
                              is_cached = is_cached()]() -> core::Status {
                               if (::fdatasync(file) != 0) {
                                 return system_error("sync the staged file", notes.path, errno);
                               }
                               if (!is_cached) ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
                               SYNCLINE_TRY(where->write_meta_unsynced(name, notes));
                               return where->sync_meta(name);
                             });
  return {};
}

bool Landing::State::is_checkpointing() const {
  return checkpointing.valid() &&
         checkpointing.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

core::Status Landing::State::join_checkpoint() {
  return checkpointing.valid() ? checkpointing.get() : core::Status();
}

core::Status Landing::State::checkpoint() {
  SYNCLINE_TRY(join_checkpoint());
  if (::fdatasync(data.get()) != 0) {
    return system_error("sync the staged file", request.path, errno);
  }
  unsynced_bytes = 0;
  has_meta = true;
  SYNCLINE_TRY(site->write_meta_unsynced(id, meta()));
  return site->sync_meta(id);
}

core::Status Landing::checkpoint() {
  const bool can_be_resumed = state_->is_resumable() && state_->data.is_open();
  return can_be_resumed ? state_->checkpoint() : core::Status();
}

std::string Landing::staged_path() const {
  return state_->site->config.root + '/' + kOwnFolder + "/staging/" + state_->id + ".data";
}

core::Status Landing::verify_all() {
  State& s = *state_;
  SYNCLINE_TRY(s.join_checkpoint());
  const std::string name = s.id + ".data";
  // By name: the outside program may have put another file in its place.
  s.data = OwnedFd(::openat(s.site->staging.get(), name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (!s.data.is_open() || ::fstat(s.data.get(), &info) != 0) {
    return system_error("open the staged file", s.request.path, errno);
  }
  s.pieces = PieceSet(piece_count());
  const Error wrong{ErrorKind::kCorrupt, "what was fetched is not the object: its content differs",
                    s.request.path};
  if (static_cast<std::uint64_t>(info.st_size) != s.size_bytes()) return wrong;
  SYNCLINE_ASSIGN(const FileHash hash, hash_file(s.data.get(), s.size_bytes()));
  const bool is_whole = hash.root == s.request.object.root;
  for (std::uint64_t i = 0; i < piece_count(); ++i) {
    if (is_whole || (s.has_layer() && hash.piece_layer[i] == s.expected(i))) s.pieces.add(i);
  }
  if (!is_whole) return wrong;
  if (s.request.piece_layer.empty()) s.request.piece_layer = hash.piece_layer;
  return {};
}

core::Result<Landed> Landing::finish() {
  Finishing finishing(state_->site);
  finishing.next({this});
  return std::move(finishing.next({}).front());
}

void Landing::discard() {
  (void)state_->join_checkpoint().ok();  // nothing of it is wanted any more
  state_->site->remove_staged(state_->id);
  state_->data = OwnedFd();
  state_->pieces = PieceSet(piece_count());
}

}  // namespace syncline::collections::files
