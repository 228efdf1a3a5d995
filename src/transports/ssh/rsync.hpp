// One rsync between this node and a peer: its arguments, its progress, its errors in plain words.
//
// The target is written in place, so that what arrived before a break is there afterwards; the
// next rsync sends only the blocks that differ. The name over there reaches no shell
// (--protect-args), and its wildcards are escaped for rsync itself, which would expand them.
// Threads: all functions from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace syncline::transports::ssh {

enum class Direction { kFetch, kPush };

struct RsyncRequest {
  std::vector<std::string> ssh;  // from Logins::command
  Direction direction = Direction::kFetch;
  std::string local_path;                   // absolute
  std::string remote_path;                  // absolute, any bytes but zero
  std::optional<std::uint64_t> size_bytes;  // only a file of exactly this size is taken
  double bandwidth_mbps = 0;                // MB/s; 0 = unlimited
  // Asked about once a second: true ends it with kCancelled, to go on at another speed.
  std::function<bool()> is_outdated = {};
  core::Duration silence_max{0};  // without a word of progress
  int cancel_fd = -1;
  std::function<void(std::uint64_t bytes_present)> progress;  // of the file; may be empty
  std::string node;                                           // for the sentences of errors
};

struct RsyncOutcome {
  std::uint64_t wire_bytes = 0;
};

// kMissing: no such file. kConflict: it has another size than asked for. kUnreachable,
// kCancelled, kExhausted (a disk is full), kInvalid (login refused, unknown host key, no rsync).
core::Result<RsyncOutcome> rsync(const RsyncRequest& request);

// ── pure parts ──
std::vector<std::string> rsync_arguments(const RsyncRequest& request, bool is_delta);
// Has a block of data, as far as the file system tells: then it is worth comparing.
bool has_data(const std::string& path);
// ssh's exit code 255 and what it wrote, or rsync's, as one error.
core::Error explain(int exit_code, const std::string& errors, const std::string& node,
                    const std::string& path);

// Reads rsync's output as it comes: progress lines, then the statistics.
class RsyncOutput {
 public:
  // True if the number of bytes moved on.
  bool take(std::string_view bytes);
  std::uint64_t bytes_present() const { return bytes_present_; }
  std::uint64_t wire_bytes(Direction direction) const;
  std::optional<std::uint64_t> files_transferred() const { return files_; }

 private:
  void take_line();
  std::string line_;
  std::uint64_t bytes_present_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  std::optional<std::uint64_t> files_;
};

}  // namespace syncline::transports::ssh
