// Copies between two paths that this machine sees both of: shared extents where the file system can
// (reflink), else copy_file_range in the kernel, else read and write. Verified by the caller
// (Landing::verify_all) against the content root, as with every transport.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "core/result.hpp"

namespace syncline::transports::nfs {

enum class CopyMethod { kNothingToMove, kReflink, kCopyFileRange, kReadWrite };
const char* to_string(CopyMethod method);

struct CopyOutcome {
  CopyMethod method = CopyMethod::kReadWrite;
  std::uint64_t bytes = 0;
};

struct CopyRequest {
  int from_fd = -1;  // open for reading
  int to_fd = -1;    // open for writing, empty or preallocated
  std::uint64_t size_bytes = 0;
  const std::atomic<bool>* cancel = nullptr;              // looked at each 8 MiB
  std::function<void(std::uint64_t bytes_done)> progress;  // each 8 MiB
};

// kNothingToMove: both descriptors are the same file (device and inode).
// kConflict: the source is shorter than size_bytes; kExhausted: no room; kCancelled.
core::Result<CopyOutcome> copy_local(const CopyRequest& request);

// What the planner asks before it offers this transport.
struct NfsOffer {
  bool is_same_storage = false;    // equal storage domains: nothing has to move
  bool is_same_machine = false;    // equal hosts: a local path can be copied
};
// The local path under which the source's file is seen from here, if any: `source_root` as it is on
// a node of the same host, or translated by equal exports (`source_mount` to `local_mount`).
NfsOffer offer_between(const std::string& source_domain, const std::string& local_domain,
                       const std::string& source_host, const std::string& local_host);

}  // namespace syncline::transports::nfs
