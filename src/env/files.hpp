// Small files, whole: read with a bound, written so that a crash leaves the old or the new one.
// Threads: all functions are thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace syncline::env {

// "reading", path, errno -> one sentence. ENOSPC and EDQUOT are kExhausted, ENOENT kMissing.
core::Error system_error(const std::string& doing, const std::string& path, int error_number);

// kInvalid if it is larger than `bytes_max`.
core::Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

// Temporary file in the same folder, fsync, rename, fsync of the folder. Replaces atomically.
core::Status write_file_atomic(const std::string& path, std::string_view bytes, unsigned mode);
// The same, but kConflict if the path exists.
core::Status create_file_atomic(const std::string& path, std::string_view bytes, unsigned mode);

core::Status make_folders(const std::string& path, unsigned mode);
core::Status sync_folder(const std::string& path);
bool exists(const std::string& path);
// Permission bits of a file.
core::Result<unsigned> mode_of(const std::string& path);
std::string folder_of(const std::string& path);  // "." if it names none

struct DiskSpace {
  std::uint64_t free_bytes = 0;  // for this user
  std::uint64_t total_bytes = 0;
};
core::Result<DiskSpace> disk_space(const std::string& path);

// An exclusive lock that lives as long as the object: one daemon per state folder.
class FileLock {
 public:
  // kConflict if another process holds it.
  static core::Result<FileLock> take(const std::string& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace syncline::env
