// What find writes on a host that we log in to, as a list of files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace syncline::transports::ssh {

struct RemoteFile {
  std::string path;  // relative to the root
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ms = 0;
  bool operator==(const RemoteFile&) const = default;
};

struct ListLimits {
  std::size_t files_max = 1'000'000;
  std::size_t bytes_max = 256u << 20;  // of names and numbers
};

inline constexpr std::size_t kListEntryMax = 8192;  // PATH_MAX and two numbers
// Reads "size TAB seconds.fraction TAB path NUL …" as find writes it, in pieces of any size.
class ListOutput {
 public:
  explicit ListOutput(ListLimits limits) : limits_(limits) {}
  core::Status take(std::string_view bytes);
  // kCorrupt if it ends in the middle of an entry.
  core::Result<std::vector<RemoteFile>> finish();

 private:
  core::Status take_entry();
  ListLimits limits_;
  std::size_t bytes_ = 0;
  std::string entry_;
  std::vector<RemoteFile> files_;
};

}  // namespace syncline::transports::ssh
