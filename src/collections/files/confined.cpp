#include "collections/files/confined.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace syncline::collections::files {
namespace {

using core::Error;
using core::ErrorKind;
using core::Result;

std::int64_t nanoseconds(const timespec& t) {
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// Length of the UTF-8 sequence at the start of `text`, 0 if it is none (RFC 3629: no overlong
// forms, no surrogates, nothing beyond U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) > 0x9f) return 0;
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) > 0x8f) return 0;
    return 4;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// Part by part, for systems whose sandbox does not know openat2: no part may be a link, so none
// leads away. -1 and errno as open(2).
int open_by_parts(int root, const std::string& path, int flags, unsigned mode) {
  OwnedFd folder;
  int at = root;
  std::size_t begin = 0;
  for (std::size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', begin)) {
    const std::string part = path.substr(begin, slash - begin);
    OwnedFd next(::openat(at, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next.is_open()) return -1;
    folder = std::move(next);
    at = folder.get();
    begin = slash + 1;
  }
  return ::openat(at, path.substr(begin).c_str(), flags, mode);
}

int open_beneath(int root, const std::string& path, int flags, unsigned mode) {
  static std::atomic<bool> has_openat2{true};
  flags |= O_CLOEXEC | O_NOFOLLOW;
  if (has_openat2.load(std::memory_order_relaxed)) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags);
    how.mode = (flags & O_CREAT) ? mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const long fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how));
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(fd);
    has_openat2 = false;
  }
  return open_by_parts(root, path, flags, mode);
}

Error refused(const std::string& path, int code) {
  if (code == ELOOP || code == EXDEV) {
    return {ErrorKind::kInvalid, "a symbolic link stands in the way; links are not followed", path};
  }
  if (code == ENOTDIR) {
    return {ErrorKind::kInvalid, "something that is no folder, or a link, stands in the way", path};
  }
  return system_error("open it", path, code);
}

}  // namespace

OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) ::close(fd_);
}

FileStamp stamp_of(const struct stat& info) {
  FileStamp stamp;
  stamp.size_bytes = static_cast<std::uint64_t>(info.st_size);
  stamp.mtime_ns = nanoseconds(info.st_mtim);
  stamp.ctime_ns = nanoseconds(info.st_ctim);
  stamp.inode = info.st_ino;
  stamp.mode = info.st_mode & 0777;
  return stamp;
}

Error system_error(const char* doing, std::string_view subject, int code) {
  ErrorKind kind = ErrorKind::kInvalid;
  if (code == ENOSPC || code == EDQUOT || code == EMFILE || code == ENFILE || code == ENOMEM) {
    kind = ErrorKind::kExhausted;
  } else if (code == ENOENT) {
    kind = ErrorKind::kMissing;
  }
  return {kind, std::string("cannot ") + doing + ": " + std::strerror(code), std::string(subject)};
}

core::Status check_path(std::string_view path) {
  const auto refuse = [&](const char* why) {
    return Error{ErrorKind::kInvalid, std::string("refused path: ") + why,
                 std::string(path.substr(0, 200))};
  };
  if (path.empty()) return refuse("it is empty");
  if (path.size() > kPathBytesMax) return refuse("it is longer than 3800 bytes");
  if (path.front() == '/') return refuse("it is absolute");
  if (path.find('\0') != std::string_view::npos) return refuse("it holds a NUL byte");
  if (!is_utf8(path)) return refuse("it is not UTF-8");
  bool is_first = true;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty()) return refuse("a part of it is empty");
    if (part == "." || part == "..") return refuse("a part of it is . or ..");
    if (part.size() > kNameBytesMax) return refuse("a part of it is longer than 255 bytes");
    if (is_first && part == kOwnFolder) return refuse("that folder is Syncline's own");
    is_first = false;
    begin = end + 1;
  }
  return {};
}

Result<Confined> Confined::open(const std::string& folder) {
  OwnedFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) return system_error("open the folder", folder, errno);
  return Confined(std::move(fd), folder);
}

Result<OwnedFd> Confined::open_file(const std::string& path, int flags, unsigned mode) const {
  OwnedFd fd(open_beneath(fd_.get(), path, flags, mode));
  if (!fd.is_open()) return refused(path, errno);
  return fd;
}

Result<OwnedFd> Confined::open_folder(const std::string& path) const {
  if (path.empty()) {
    OwnedFd fd(::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.is_open()) return system_error("open the folder", folder_, errno);
    return fd;
  }
  return open_file(path, O_RDONLY | O_DIRECTORY);
}

Result<OwnedFd> Confined::make_folder(const std::string& path) const {
  {
    auto existing = open_folder(path);
    if (existing.ok() || existing.error().kind != ErrorKind::kMissing) return existing;
  }
  const auto [parent_path, name] = split_path(path);
  SYNCLINE_ASSIGN(OwnedFd parent, make_folder(parent_path));
  if (::mkdirat(parent.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
    return system_error("make the folder", path, errno);
  }
  if (::fsync(parent.get()) != 0) return system_error("sync the new folder", path, errno);
  return open_folder(path);
}

Result<std::optional<struct stat>> Confined::look(const std::string& path) const {
  return LastFolder(*this).look(path);
}

Result<int> LastFolder::make_folder(const std::string& path) {
  if (!fd_.is_open() || path != path_) {
    fd_ = OwnedFd();
    SYNCLINE_ASSIGN(fd_, root_.make_folder(path));
    path_ = path;
  }
  return fd_.get();
}

Result<std::optional<struct stat>> LastFolder::look(const std::string& path) {
  auto [parent_path, name] = split_path(path);
  if (!fd_.is_open() || parent_path != path_) {
    fd_ = OwnedFd();
    auto parent = root_.open_folder(parent_path);
    if (!parent.ok()) {
      if (parent.error().kind == ErrorKind::kMissing) return std::optional<struct stat>();
      return parent.error();
    }
    fd_ = std::move(parent).value();
    path_ = std::move(parent_path);
  }
  struct stat info {};
  if (::fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
    return std::optional<struct stat>(info);
  }
  if (errno == ENOENT) return std::optional<struct stat>();
  return system_error("look at it", path, errno);
}

std::pair<std::string, std::string> split_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

mode_t mode_of(const core::ObjectVersion& object) {
  return (object.mode & 0777) | 0400;
}

core::Result<struct stat> set_mode_and_time(int fd, const core::ObjectVersion& object,
                                            const std::string& path) {
  const std::int64_t ms = object.mtime_ms;
  const std::int64_t seconds = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
  const timespec mtime{static_cast<time_t>(seconds),
                       static_cast<long>((ms - seconds * 1000) * 1'000'000)};
  const timespec times[2] = {{0, UTIME_OMIT}, mtime};
  if (::futimens(fd, times) != 0) return system_error("set the file's time", path, errno);
  struct stat info {};
  if (::fstat(fd, &info) != 0) return system_error("look at the file", path, errno);
  if ((info.st_mode & 07777) == mode_of(object)) return info;
  if (::fchmod(fd, mode_of(object)) != 0) {
    return system_error("set the file's mode", path, errno);
  }
  if (::fstat(fd, &info) != 0) return system_error("look at the file", path, errno);
  return info;
}

}  // namespace syncline::collections::files
