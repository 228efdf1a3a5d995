#include "transports/nfs/local_copy.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace syncline::transports::nfs {
namespace {

using core::Error;
using core::ErrorKind;

constexpr std::uint64_t kStepBytes = 8u << 20;
constexpr std::size_t kBufferBytes = 1u << 20;

Error failed(int code) {
  if (code == ENOSPC || code == EDQUOT) {
    return {ErrorKind::kExhausted, "the disk has no room for the copy; free some and try again",
            ""};
  }
  return {ErrorKind::kInvalid, std::string("cannot copy the file: ") + std::strerror(code), ""};
}

Error source_shrank() {
  return {ErrorKind::kConflict, "the source became shorter while it was copied; scan it again", ""};
}

// Errors that say "not with these two files", after which another way is tried.
bool is_unsupported(int code) {
  return code == EOPNOTSUPP || code == EXDEV || code == EINVAL || code == ENOSYS ||
         code == ENOTTY || code == EBADF || code == EPERM || code == ETXTBSY;
}

bool is_cancelled(const CopyRequest& request) {
  return request.cancel && request.cancel->load(std::memory_order_relaxed);
}

// One step in the kernel. Returns bytes moved, 0 at the end of the source; -errno on failure.
std::int64_t step_in_kernel(const CopyRequest& request, std::uint64_t at) {
  off64_t from = static_cast<off64_t>(at);
  off64_t to = from;
  const std::size_t want = static_cast<std::size_t>(std::min(kStepBytes, request.size_bytes - at));
  const ssize_t n = ::copy_file_range(request.from_fd, &from, request.to_fd, &to, want, 0);
  return n < 0 ? -errno : n;
}

std::int64_t step_by_hand(const CopyRequest& request, std::uint64_t at, std::vector<char>& buffer) {
  buffer.resize(kBufferBytes);
  const std::size_t want =
      static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), request.size_bytes - at));
  const ssize_t n = ::pread(request.from_fd, buffer.data(), want, static_cast<off_t>(at));
  if (n <= 0) return n < 0 ? -errno : 0;
  for (ssize_t done = 0; done < n;) {
    const ssize_t written =
        ::pwrite(request.to_fd, buffer.data() + done, static_cast<std::size_t>(n - done),
                 static_cast<off_t>(at) + done);
    if (written < 0 && errno != EINTR) return -errno;
    if (written > 0) done += written;
  }
  return n;
}

}  // namespace

const char* to_string(CopyMethod method) {
  switch (method) {
    case CopyMethod::kNothingToMove:
      return "nothing to move";
    case CopyMethod::kReflink:
      return "reflink";
    case CopyMethod::kCopyFileRange:
      return "copy_file_range";
    case CopyMethod::kReadWrite:
      return "read and write";
  }
  return "unknown";
}

core::Result<CopyOutcome> copy_local(const CopyRequest& request) {
  struct stat from {};
  struct stat to {};
  if (::fstat(request.from_fd, &from) != 0 || ::fstat(request.to_fd, &to) != 0) {
    return failed(errno);
  }
  if (from.st_dev == to.st_dev && from.st_ino == to.st_ino) {
    return CopyOutcome{CopyMethod::kNothingToMove, 0};
  }
  const auto source_bytes = static_cast<std::uint64_t>(from.st_size);
  if (source_bytes < request.size_bytes) return source_shrank();
  // A reflink takes the whole file: only right where the source is exactly the object.
  if (source_bytes == request.size_bytes && ::ioctl(request.to_fd, FICLONE, request.from_fd) == 0) {
    if (request.progress) request.progress(request.size_bytes);
    return CopyOutcome{CopyMethod::kReflink, 0};
  }
  CopyOutcome outcome{CopyMethod::kCopyFileRange, 0};
  std::vector<char> buffer;
  std::uint64_t reported = 0;
  while (outcome.bytes_moved < request.size_bytes) {
    if (is_cancelled(request)) {
      return Error{ErrorKind::kCancelled, "the copy was cancelled", ""};
    }
    const bool is_in_kernel = outcome.method == CopyMethod::kCopyFileRange;
    const std::int64_t n = is_in_kernel ? step_in_kernel(request, outcome.bytes_moved)
                                        : step_by_hand(request, outcome.bytes_moved, buffer);
    if (n == -EINTR) continue;
    // Some file systems answer 0 for files they cannot copy; reading by hand tells the truth.
    if (is_in_kernel && (n == 0 || (n < 0 && is_unsupported(static_cast<int>(-n))))) {
      outcome.method = CopyMethod::kReadWrite;
      continue;
    }
    if (n == 0) return source_shrank();
    if (n < 0) return failed(static_cast<int>(-n));
    outcome.bytes_moved += static_cast<std::uint64_t>(n);
    if (request.progress && (outcome.bytes_moved - reported >= kStepBytes ||
                             outcome.bytes_moved == request.size_bytes)) {
      reported = outcome.bytes_moved;
      request.progress(reported);
    }
  }
  return outcome;
}

}  // namespace syncline::transports::nfs
