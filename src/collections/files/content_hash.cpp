#include "collections/files/content_hash.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "collections/files/confined.hpp"
#include "collections/files/object_reader.hpp"
#include "core/merkle.hpp"

namespace syncline::collections::files {
namespace {

using core::Digest256;
using core::Error;
using core::ErrorKind;

}  // namespace

Digest256 piece_root(const std::vector<Digest256>& block_hashes, std::uint64_t size_bytes) {
  return core::merkle_root(block_hashes, 0, size_bytes > kPieceBytes ? core::kPieceBlocks : 1);
}

Digest256 piece_root(std::string_view bytes, std::uint64_t size_bytes) {
  return piece_root(core::block_hashes(bytes), size_bytes);
}

core::Root root_of_layer(const std::vector<Digest256>& piece_layer) {
  return core::root_of_layer(piece_layer, core::kPieceBlocks);
}

namespace {

// Hashes pieces as they are handed out; two of these share one job.
class PieceWorker {
 public:
  struct Job {
    int fd;
    std::uint64_t size_bytes;
    const std::atomic<bool>* cancel;
    std::vector<Digest256>& layer;
    std::atomic<std::uint64_t> next{0};
    std::atomic<bool> is_stopped{false};
    std::mutex guard;
    core::Status status;
  };

  static void run(Job& job) {
    std::string buffer;
    for (;;) {
      const std::uint64_t piece = job.next.fetch_add(1);
      if (piece >= job.layer.size() || job.is_stopped.load()) return;
      if (job.cancel && job.cancel->load(std::memory_order_relaxed)) {
        return stop(job, Error{ErrorKind::kCancelled, "hashing was cancelled", ""});
      }
      buffer.resize(piece_bytes_of(job.size_bytes, piece));
      core::Status read = read_piece(job.fd, piece, buffer);
      if (!read.ok()) return stop(job, std::move(read));
      job.layer[piece] = piece_root(buffer, job.size_bytes);
    }
  }

 private:
  static core::Status read_piece(int fd, std::uint64_t piece, std::string& into) {
    SYNCLINE_ASSIGN(const std::size_t got,
                    read_file_at(fd, piece * kPieceBytes, std::span<char>(into), ""));
    if (got == into.size()) return {};
    return Error{ErrorKind::kConflict, "the file became shorter while it was read", ""};
  }

  static void stop(Job& job, core::Status why) {
    const std::lock_guard lock(job.guard);
    if (job.status.ok()) job.status = std::move(why);
    job.is_stopped = true;
  }
};

}  // namespace

core::Result<FileHash> hash_file(int fd, std::uint64_t size_bytes,
                                 const std::atomic<bool>* cancel) {
  FileHash hash;
  if (size_bytes == 0) return hash;
  hash.piece_layer.resize(piece_count_of(size_bytes));
  PieceWorker::Job job{.fd = fd,
                       .size_bytes = size_bytes,
                       .cancel = cancel,
                       .layer = hash.piece_layer,
                       .guard = {},
                       .status = {}};
  if (size_bytes >= kParallelHashBytesMin) {
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    std::thread second([&job] { PieceWorker::run(job); });
    PieceWorker::run(job);
    second.join();
  } else {
    PieceWorker::run(job);
  }
  SYNCLINE_TRY(job.status);
  hash.root = root_of_layer(hash.piece_layer);
  return hash;
}

}  // namespace syncline::collections::files
