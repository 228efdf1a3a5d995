// File access below one folder, whatever a name or a symbolic link says: no path given here leads
// out of it, and no symbolic link inside it is followed (openat2, RESOLVE_BENEATH and NO_SYMLINKS).
//
// Paths are relative, '/'-separated and checked: no empty part, no "." or "..", no NUL byte.
// Threads: any, at once.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collections/files/types.hpp"
#include "core/object.hpp"
#include "core/result.hpp"

namespace syncline::collections::files {

inline constexpr std::size_t kPathBytesMax = 3800;  // fits a catalog fact's key of 4096
inline constexpr std::size_t kNameBytesMax = 255;   // of one part: the limit of Linux' file systems

// Why a path from outside cannot be used; ok where it can. Valid UTF-8 is part of it: names travel
// in text fields.
core::Status check_path(std::string_view path);

// Closes what it holds.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  ~OwnedFd();
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

FileStamp stamp_of(const struct stat& info);

// One sentence from an errno: "cannot open the file: Permission denied", with the kind that says
// what to do (ENOSPC and EDQUOT: kExhausted; ENOENT: kMissing).
core::Error system_error(const char* doing, std::string_view subject, int code);

class Confined {
 public:
  // kMissing: no such folder; kInvalid: not a folder, or not readable. The folder itself may be
  // reached through a symbolic link.
  static core::Result<Confined> open(const std::string& folder);

  int fd() const { return fd_.get(); }
  const std::string& folder() const { return folder_; }

  // `flags` as for open(2), O_CLOEXEC and O_NOFOLLOW are added. kInvalid: refused path or link.
  core::Result<OwnedFd> open_file(const std::string& path, int flags, unsigned mode = 0) const;
  core::Result<OwnedFd> open_folder(const std::string& path) const;  // "" is the folder itself
  // Makes what is missing of the folder, each level synced into the one above it.
  core::Result<OwnedFd> make_folder(const std::string& path) const;
  // Of the thing itself, never of what a link points to; empty if there is nothing. kInvalid also
  // where a part of the way is a link.
  core::Result<std::optional<struct stat>> look(const std::string& path) const;

 private:
  Confined(OwnedFd fd, std::string folder) : fd_(std::move(fd)), folder_(std::move(folder)) {}
  OwnedFd fd_;
  std::string folder_;
};

// Paths that are dealt with one after the other are often in one folder: it is kept open.
class LastFolder {
 public:
  // `root` outlives it.
  explicit LastFolder(const Confined& root) : root_(root) {}
  // As those of Confined; the descriptor holds until the next call.
  core::Result<int> make_folder(const std::string& path);
  core::Result<std::optional<struct stat>> look(const std::string& path);

 private:
  const Confined& root_;
  std::string path_;
  OwnedFd fd_;
};

// "a/b/c" -> {"a/b", "c"}; "c" -> {"", "c"}.
std::pair<std::string, std::string> split_path(const std::string& path);

// Of an object's file: as at its origin; never set-uid, and always readable for its owner, since it
// is to be served onward.
mode_t mode_of(const core::ObjectVersion& object);
// Sets what differs of it and the time; answers with how the file is then.
core::Result<struct stat> set_mode_and_time(int fd, const core::ObjectVersion& object,
                                            const std::string& path);

}  // namespace syncline::collections::files
