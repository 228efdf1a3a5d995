#include "transports/ssh/list_output.hpp"

#include <charconv>
#include <cmath>

#include "transports/ssh/safe_path.hpp"

namespace syncline::transports::ssh {

using core::Error;
using core::ErrorKind;
using core::Result;
using core::Status;

Status ListOutput::take(std::string_view bytes) {
  for (const char c : bytes) {
    if (c == '\0') {
      SYNCLINE_TRY(take_entry());
    } else if (entry_.size() == kListEntryMax) {
      return Error{ErrorKind::kCorrupt, "a file's name is longer than a path can be", ""};
    } else {
      entry_ += c;
    }
  }
  return {};
}

Status ListOutput::take_entry() {
  bytes_ += entry_.size();
  if (files_.size() == limits_.files_max || bytes_ > limits_.bytes_max) {
    return Error{ErrorKind::kExhausted,
                 "more than " + std::to_string(files_.size()) +
                     " files are there: name a smaller root, or raise the limit",
                 ""};
  }
  RemoteFile file;
  const char* at = entry_.data();
  const char* end = at + entry_.size();
  double mtime_s = 0;
  const auto size = std::from_chars(at, end, file.size_bytes);
  bool is_entry = size.ec == std::errc() && size.ptr != end && *size.ptr == '\t';
  if (is_entry) {
    const auto mtime = std::from_chars(size.ptr + 1, end, mtime_s);
    is_entry = mtime.ec == std::errc() && mtime.ptr != end && *mtime.ptr == '\t' &&
               std::abs(mtime_s) < 1e12;
    if (is_entry) file.path.assign(mtime.ptr + 1, end);
  }
  if (!is_entry || !is_safe_path(file.path)) {
    return Error{ErrorKind::kCorrupt, "the list of files cannot be read: is find over there GNU's?",
                 entry_};
  }
  file.mtime_ms = static_cast<std::int64_t>(std::floor(mtime_s * 1000));
  files_.push_back(std::move(file));
  entry_.clear();
  return {};
}

Result<std::vector<RemoteFile>> ListOutput::finish() {
  if (!entry_.empty()) {
    return Error{ErrorKind::kCorrupt, "the list of files broke off in the middle", entry_};
  }
  return std::move(files_);
}

}  // namespace syncline::transports::ssh
