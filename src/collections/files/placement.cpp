#include "collections/files/placement.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "collections/files/content_hash.hpp"
#include "collections/files/landing_meta.hpp"
#include "collections/files/writer_check.hpp"

namespace syncline::collections::files {
namespace {

using core::Error;
using core::ErrorKind;
using core::Result;

constexpr int kConflictNamesMax = 100;

struct Place {
  int folder = -1;
  std::string name;
};

Result<Place> open_place(const Placement& p, LastFolder& folders) {
  auto [folder, name] = split_path(p.path);
  SYNCLINE_ASSIGN(const int opened, folders.make_folder(folder));
  return Place{opened, std::move(name)};
}

bool is_flag_unknown(int code) {
  return code == EINVAL || code == ENOSYS || code == ENOTSUP;
}

// Never replaces: EEXIST if something is there. With a hard link where the file system has no such
// rename.
int move_if_free(int from_folder, const std::string& from, int to_folder, const std::string& to) {
  if (::renameat2(from_folder, from.c_str(), to_folder, to.c_str(), RENAME_NOREPLACE) == 0)
    return 0;
  if (!is_flag_unknown(errno)) return errno;
  if (::linkat(from_folder, from.c_str(), to_folder, to.c_str(), 0) != 0) return errno;
  ::unlinkat(from_folder, from.c_str(), 0);
  return 0;
}

Error in_the_way(const Placement& p) {
  return {ErrorKind::kInvalid,
          "something that is no regular file stands where the object belongs; move it away",
          p.path};
}

// The content of a file here, or nothing where it cannot be read or somebody is still writing.
std::optional<core::Root> content_of(int folder, const std::string& name, struct stat& info) {
  OwnedFd file(::openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open() || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return std::nullopt;
  }
  if (has_writer(file.get())) return std::nullopt;
  const auto hash = hash_file(file.get(), static_cast<std::uint64_t>(info.st_size));
  return hash.ok() ? std::optional<core::Root>(hash->root) : std::nullopt;
}

// By its stamp where that is remembered (a rename moves ctime only), else by its content.
bool may_be_replaced(const Placement& p, int folder, const std::string& name) {
  struct stat info {};
  OwnedFd file(::openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open() || ::fstat(file.get(), &info) != 0) return false;
  const FileStamp stamp = stamp_of(info);
  if (p.replaces_known && p.replaces_known->root == p.replaces &&
      p.replaces_known->stamp.size_bytes == stamp.size_bytes &&
      p.replaces_known->stamp.mtime_ns == stamp.mtime_ns &&
      p.replaces_known->stamp.inode == stamp.inode && !has_writer(file.get())) {
    return true;
  }
  const auto content = content_of(folder, name, info);
  if (!content) return false;
  // The zero root is the empty file's too; as `replaces` it means "nothing may be replaced".
  return *content == p.content || (!p.replaces.is_zero() && *content == p.replaces);
}

std::string displaced_name(const Placement& p) {
  return p.id + ".displaced";
}

// Gives <id>.displaced a name beside the path. The same content under such a name is kept once.
Result<std::string> keep_as_conflict(const Placement& p) {
  LastFolder folders(p.root);
  SYNCLINE_ASSIGN(const Place place, open_place(p, folders));
  const std::string displaced = displaced_name(p);
  struct stat info {};
  if (::fstatat(p.staging_fd, displaced.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return system_error("look at the replaced version", p.path, errno);
  }
  const std::int64_t mtime_ms = stamp_of(info).mtime_ns / 1'000'000;
  std::optional<core::Root> content;
  for (int attempt = 1; attempt <= kConflictNamesMax; ++attempt) {
    const std::string copy = conflict_name(p.path, mtime_ms, p.node, attempt);
    const std::string name = split_path(copy).second;
    const int code = move_if_free(p.staging_fd, displaced, place.folder, name);
    if (code == 0) return copy;
    if (code != EEXIST) return system_error("keep the replaced version", copy, code);
    struct stat other {};
    if (!content) content = content_of(p.staging_fd, displaced, info);
    if (content && content_of(place.folder, name, other) == content) {
      ::unlinkat(p.staging_fd, displaced.c_str(), 0);
      return copy;
    }
  }
  return Error{ErrorKind::kConflict, "there are too many conflict copies of the file already",
               p.path};
}

// <id>.displaced holds what stood at the path.
Result<std::string> settle_displaced(const Placement& p) {
  const std::string displaced = displaced_name(p);
  if (may_be_replaced(p, p.staging_fd, displaced)) {
    ::unlinkat(p.staging_fd, displaced.c_str(), 0);
    return std::string();
  }
  return keep_as_conflict(p);
}

// Exchange is not to be had: compare first, keep what must be kept, then rename over it.
Result<std::string> replace_by_rename(const Placement& p, const Place& place) {
  const std::string displaced = displaced_name(p);
  std::string copy;
  if (!may_be_replaced(p, place.folder, place.name)) {
    const std::string kept = p.id + ".kept";
    ::unlinkat(p.staging_fd, kept.c_str(), 0);
    if (::linkat(place.folder, place.name.c_str(), p.staging_fd, kept.c_str(), 0) != 0) {
      return system_error("keep the present version", p.path, errno);
    }
    if (::renameat(p.staging_fd, displaced.c_str(), p.staging_fd, (p.id + ".data").c_str()) != 0 ||
        ::renameat(p.staging_fd, kept.c_str(), p.staging_fd, displaced.c_str()) != 0) {
      return system_error("keep the present version", p.path, errno);
    }
    SYNCLINE_ASSIGN(copy, keep_as_conflict(p));
  } else if (::renameat(p.staging_fd, displaced.c_str(), p.staging_fd, (p.id + ".data").c_str()) !=
             0) {
    return system_error("place the object", p.path, errno);
  }
  if (::renameat(p.staging_fd, (p.id + ".data").c_str(), place.folder, place.name.c_str()) != 0) {
    return system_error("place the object", p.path, errno);
  }
  return copy;
}

Result<std::string> exchange(const Placement& p, const Place& place) {
  const std::string data = p.id + ".data";
  const std::string displaced = displaced_name(p);
  if (::renameat(p.staging_fd, data.c_str(), p.staging_fd, displaced.c_str()) != 0) {
    return system_error("place the object", p.path, errno);
  }
  const auto swap = [&] {
    return ::renameat2(p.staging_fd, displaced.c_str(), place.folder, place.name.c_str(),
                       RENAME_EXCHANGE);
  };
  if (swap() == 0) {
    struct stat info {};
    if (::fstatat(p.staging_fd, displaced.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(info.st_mode)) {
      return settle_displaced(p);
    }
    if (swap() != 0) return system_error("put back what stood at the path", p.path, errno);
    ::renameat(p.staging_fd, displaced.c_str(), p.staging_fd, data.c_str());
    return in_the_way(p);
  }
  const int code = errno;
  if (is_flag_unknown(code)) return replace_by_rename(p, place);
  ::renameat(p.staging_fd, displaced.c_str(), p.staging_fd, data.c_str());
  return system_error("place the object", p.path, code);
}

}  // namespace

Result<std::string> place(const Placement& p, LastFolder& folders) {
  SYNCLINE_ASSIGN(const Place place, open_place(p, folders));
  const std::string data = p.id + ".data";
  // A second time only where the present file vanished between the two looks.
  for (int attempt = 0; attempt < 2; ++attempt) {
    const int code = move_if_free(p.staging_fd, data, place.folder, place.name);
    if (code == 0) return std::string();
    if (code != EEXIST) return system_error("place the object", p.path, code);
    struct stat info {};
    if (::fstatat(place.folder, place.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        !S_ISREG(info.st_mode)) {
      return in_the_way(p);
    }
    auto exchanged = exchange(p, place);
    if (exchanged.ok() || exchanged.error().kind != ErrorKind::kMissing) return exchanged;
  }
  return Error{ErrorKind::kConflict, "the file at the path comes and goes; try again", p.path};
}

core::Status take_away(const Placement& p) {
  const auto [folder_path, name] = split_path(p.path);
  SYNCLINE_ASSIGN(const OwnedFd folder, p.root.open_folder(folder_path));
  const std::string displaced = displaced_name(p);
  const int code = move_if_free(folder.get(), name, p.staging_fd, displaced);
  if (code != 0) return system_error("remove the file", p.path, code);
  if (may_be_replaced(p, p.staging_fd, displaced)) {
    ::unlinkat(p.staging_fd, displaced.c_str(), 0);
    if (::fsync(folder.get()) != 0) return system_error("sync the folder", p.path, errno);
    return {};
  }
  if (move_if_free(p.staging_fd, displaced, folder.get(), name) != 0) {
    SYNCLINE_TRY(keep_as_conflict(p));
  }
  return Error{ErrorKind::kConflict, "the file was changed here meanwhile; it is left alone",
               p.path};
}

Result<std::string> recover_displaced(const Placement& p) {
  const std::string displaced = displaced_name(p);
  struct stat info {};
  const auto content = content_of(p.staging_fd, displaced, info);
  if (content && *content == p.content) {
    // The new version, before the exchange: back to where a landing finds it.
    ::renameat(p.staging_fd, displaced.c_str(), p.staging_fd, (p.id + ".data").c_str());
    return std::string();
  }
  return settle_displaced(p);
}

}  // namespace syncline::collections::files
