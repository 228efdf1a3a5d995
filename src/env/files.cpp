#include "env/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "env/entropy.hpp"

namespace syncline::env {

using core::Error;
using core::ErrorKind;
using core::Status;

namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string hex(const std::string& bytes) {
  std::string out;
  char digits[3];
  for (unsigned char c : bytes) {
    std::snprintf(digits, sizeof(digits), "%02x", c);
    out += digits;
  }
  return out;
}

Status write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return system_error("writing", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Status write_new(const std::string& path, std::string_view bytes, unsigned mode, bool replace) {
  const std::string temporary = path + ".tmp-" + hex(random_bytes(6));
  const Descriptor file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (file.get() < 0) return system_error("creating", temporary, errno);
  Status status;
  if (::fchmod(file.get(), mode) != 0) status = system_error("setting the mode of", path, errno);
  if (status.ok()) status = write_all(file.get(), bytes, path);
  if (status.ok() && ::fsync(file.get()) != 0) status = system_error("syncing", path, errno);
  if (status.ok()) {
    if (replace) {
      if (::rename(temporary.c_str(), path.c_str()) != 0) {
        status = system_error("renaming into", path, errno);
      }
    } else if (::link(temporary.c_str(), path.c_str()) != 0) {
      status = errno == EEXIST ? Status(Error{ErrorKind::kConflict, "it exists already", path})
                               : Status(system_error("creating", path, errno));
    }
  }
  if (!status.ok() || !replace) ::unlink(temporary.c_str());
  if (!status.ok()) return status;
  return sync_folder(folder_of(path));
}

}  // namespace

Error system_error(const std::string& doing, const std::string& path, int error_number) {
  ErrorKind kind = ErrorKind::kInvalid;
  if (error_number == ENOSPC || error_number == EDQUOT || error_number == EMFILE ||
      error_number == ENFILE) {
    kind = ErrorKind::kExhausted;
  } else if (error_number == ENOENT) {
    kind = ErrorKind::kMissing;
  } else if (error_number == EEXIST) {
    kind = ErrorKind::kConflict;
  }
  std::string hint;
  if (kind == ErrorKind::kExhausted) hint = ": make room and it goes on";
  if (error_number == EACCES || error_number == EPERM) hint = ": check owner and permissions";
  return {kind, doing + " failed: " + std::strerror(error_number) + hint, path};
}

core::Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_error("reading", path, errno);
  std::string bytes;
  char buffer[64 * 1024];
  while (true) {
    const ssize_t got = ::read(file.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("reading", path, errno);
    if (got == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(got) > bytes_max) {
      return Error{ErrorKind::kInvalid,
                   "the file is larger than " + std::to_string(bytes_max) + " bytes", path};
    }
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
}

Status write_file_atomic(const std::string& path, std::string_view bytes, unsigned mode) {
  return write_new(path, bytes, mode, true);
}

Status create_file_atomic(const std::string& path, std::string_view bytes, unsigned mode) {
  return write_new(path, bytes, mode, false);
}

Status make_folders(const std::string& path, unsigned mode) {
  for (std::size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/') continue;
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), mode) == 0) {
      SYNCLINE_TRY(sync_folder(folder_of(part)));
    } else if (errno != EEXIST) {
      return system_error("creating the folder", part, errno);
    }
  }
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return system_error("looking at", path, errno);
  if (!S_ISDIR(about.st_mode)) return Error{ErrorKind::kConflict, "it is no folder", path};
  return {};
}

Status sync_folder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return system_error("opening the folder", path, errno);
  if (::fsync(folder.get()) != 0) return system_error("syncing the folder", path, errno);
  return {};
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

core::Result<unsigned> mode_of(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return system_error("looking at", path, errno);
  return about.st_mode & 07777u;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

core::Result<DiskSpace> disk_space(const std::string& path) {
  struct statvfs about {};
  if (::statvfs(path.c_str(), &about) != 0)
    return system_error("measuring the disk of", path, errno);
  // As df counts: what is reserved for root is neither used nor there to be used.
  const std::uint64_t used = about.f_blocks - about.f_bfree;
  return DiskSpace{std::uint64_t{about.f_bavail} * about.f_frsize,
                   (used + about.f_bavail) * about.f_frsize};
}

core::Result<FileLock> FileLock::take(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return system_error("opening the lock", path, errno);
  FileLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_error("locking", path, errno);
    return Error{ErrorKind::kConflict, "another syncline daemon uses this state folder", path};
  }
  return lock;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}
FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

}  // namespace syncline::env
