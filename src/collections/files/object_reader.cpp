#include "collections/files/object_reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "collections/files/confined.hpp"

namespace syncline::collections::files {

using core::Error;
using core::ErrorKind;

core::Result<std::size_t> read_file_at(int fd, std::uint64_t offset, std::span<char> into,
                                       const std::string& path) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n =
        ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read the file", path, errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

ObjectReader::ObjectReader(int fd, std::string path, const KnownFile& expected)
    : fd_(fd), path_(std::move(path)), known_(expected) {}

ObjectReader::~ObjectReader() {
  ::close(fd_);
}

core::Status ObjectReader::check_unchanged() const {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return system_error("look at the file", path_, errno);
  const FileStamp stamp = stamp_of(info);
  // Not ctime and mode: a rename or chmod moves them and leaves the content alone. What a program
  // rewrites under an old mtime is caught by the receiver, who verifies every piece.
  if (stamp.size_bytes != known_.stamp.size_bytes || stamp.mtime_ns != known_.stamp.mtime_ns ||
      stamp.inode != known_.stamp.inode) {
    return Error{ErrorKind::kConflict, "the file has changed since it was hashed; scan it again",
                 path_};
  }
  return {};
}

core::Result<std::size_t> ObjectReader::read_at(std::uint64_t offset, std::span<char> into) const {
  const std::uint64_t left = offset < size_bytes() ? size_bytes() - offset : 0;
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, into.size()));
  SYNCLINE_ASSIGN(const std::size_t done, read_file_at(fd_, offset, into.first(want), path_));
  // After the read: what was written before it ended has moved mtime by now.
  SYNCLINE_TRY(check_unchanged());
  if (done < want) {
    return Error{ErrorKind::kConflict, "the file became shorter; scan it again", path_};
  }
  return done;
}

}  // namespace syncline::collections::files
