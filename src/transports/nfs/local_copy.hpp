// Copies between two open files of this machine: shared extents where the file system can
// (reflink), else copy_file_range in the kernel, else read and write. The caller verifies the
// result against the content root, as with every transport.
//
// Thread-safe for different target files.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "core/result.hpp"

namespace syncline::transports::nfs {

enum class CopyMethod { kNothingToMove, kReflink, kCopyFileRange, kReadWrite };
const char* to_string(CopyMethod method);

struct CopyRequest {
  int from_fd = -1;                                        // open for reading
  int to_fd = -1;                                          // open for writing; may be preallocated
  std::uint64_t size_bytes = 0;                            // the whole file
  const std::atomic<bool>* cancel = nullptr;               // looked at each 8 MiB
  std::function<void(std::uint64_t bytes_done)> progress;  // each 8 MiB; may be empty
};

struct CopyOutcome {
  CopyMethod method = CopyMethod::kReadWrite;
  std::uint64_t bytes_moved = 0;  // 0 for kNothingToMove and kReflink
};

// kNothingToMove: both descriptors are the same file (device and inode).
// kConflict: the source is shorter than size_bytes; kExhausted: no room; kCancelled; kInvalid.
core::Result<CopyOutcome> copy_local(const CopyRequest& request);

}  // namespace syncline::transports::nfs
