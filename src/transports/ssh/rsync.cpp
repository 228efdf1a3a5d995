#include "transports/ssh/rsync.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "core/text.hpp"
#include "env/subprocess.hpp"
#include "transports/ssh/login.hpp"

namespace syncline::transports::ssh {

using core::Error;
using core::ErrorKind;
using core::Result;
using core::Status;

namespace {

// rsync splits its -e by spaces and knows quotes, doubled inside themselves.
std::string remote_shell(const std::vector<std::string>& ssh) {
  std::string out;
  for (const std::string& word : ssh) {
    if (!out.empty()) out += ' ';
    out += '\'';
    for (const char c : word) out += c == '\'' ? std::string("''") : std::string(1, c);
    out += '\'';
  }
  return out;
}

// Only a path with wildcards is treated as a pattern over there; then a backslash escapes.
std::string without_wildcards(const std::string& path) {
  if (path.find_first_of("*?[") == std::string::npos) return path;
  std::string out;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// rsync checks the names that a sender offers against the one asked for, and does not understand
// its own escapes there when a name has both. The target is one file whatever is sent, and its
// bytes are verified.
bool is_misread(const std::string& path) {
  return path.find_first_of("*?[") != std::string::npos && path.find('\\') != std::string::npos;
}

std::string in_kib(double mbps) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3f", std::max(mbps * 1e6 / 1024, 0.001));
  return text;
}

}  // namespace

std::vector<std::string> rsync_arguments(const RsyncRequest& request, bool is_delta) {
  std::vector<std::string> argv = {"rsync",
                                   "--protect-args",
                                   "--ignore-times",  // the staged file has the final size
                                   "--inplace",
                                   "--partial",
                                   is_delta ? "--no-whole-file" : "--whole-file",
                                   "--no-human-readable",
                                   "--info=progress2",
                                   "--stats",
                                   "-e",
                                   remote_shell(request.ssh)};
  if (request.size_bytes) {
    argv.push_back("--min-size=" + std::to_string(*request.size_bytes) + "b");
    argv.push_back("--max-size=" + std::to_string(*request.size_bytes) + "b");
  }
  if (is_misread(request.remote_path)) argv.push_back("--trust-sender");
  if (request.bandwidth_mbps > 0) argv.push_back("--bwlimit=" + in_kib(request.bandwidth_mbps));
  argv.push_back("--");
  const bool is_fetch = request.direction == Direction::kFetch;
  const std::string remote =
      std::string(kPeer) + ":" +
      (is_fetch ? without_wildcards(request.remote_path) : request.remote_path);
  argv.push_back(is_fetch ? remote : request.local_path);
  argv.push_back(is_fetch ? request.local_path : remote);
  return argv;
}

bool has_data(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool found = ::lseek(fd, 0, SEEK_DATA) >= 0;
  ::close(fd);
  return found;
}

Result<RsyncOutcome> rsync(const RsyncRequest& request) {
  const bool is_delta = request.direction == Direction::kPush || has_data(request.local_path);
  env::Command command{rsync_arguments(request, is_delta), {"LC_ALL=C"}, "/"};
  env::RunLimits limits;
  limits.silence_max = request.silence_max;
  limits.cancel_fd = request.cancel_fd;
  RsyncOutput output;
  const auto ended = env::run(command, "", limits, [&](std::string_view bytes) {
    if (output.take(bytes) && request.progress) request.progress(output.bytes_present());
    const bool is_outdated = request.is_outdated && request.is_outdated();
    return is_outdated ? Status(Error{ErrorKind::kCancelled, "another speed is wanted", ""})
                       : Status();
  });
  if (!ended.ok()) {
    Error error = ended.error();
    error.subject = request.remote_path;
    if (error.kind == ErrorKind::kMissing) {
      return Error{ErrorKind::kInvalid, "there is no rsync on this node: install it", "rsync"};
    }
    if (error.kind == ErrorKind::kUnreachable) {
      error.what = request.node + " sent nothing for " +
                   core::say_seconds(core::to_seconds(request.silence_max)) + " over ssh";
    }
    if (error.kind == ErrorKind::kCancelled) error.what = "the transfer was cancelled";
    return error;
  }
  if (ended->exit_code != 0) {
    return explain(ended->exit_code, ended->errors, request.node, request.remote_path);
  }
  if (output.files_transferred() == std::uint64_t{0}) {
    return Error{ErrorKind::kConflict,
                 request.node +
                     " has another version of the file there, of another size; its "
                     "catalog is behind",
                 request.remote_path};
  }
  return RsyncOutcome{output.wire_bytes(request.direction)};
}

}  // namespace syncline::transports::ssh
