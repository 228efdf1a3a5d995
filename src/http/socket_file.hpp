// The file of a Unix socket: made private, taken over from a daemon that was killed, removed at the
// end. Paths may be longer than the 107 bytes of sockaddr_un.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"

namespace syncline::http {

// A path through /proc that reaches a file by its open directory: short whatever the path is.
// Valid while the object lives.
class ShortSocketPath {
 public:
  // kMissing: the directory does not exist.
  static core::Result<std::unique_ptr<ShortSocketPath>> open(const std::string& path);
  ~ShortSocketPath();
  ShortSocketPath(const ShortSocketPath&) = delete;
  ShortSocketPath& operator=(const ShortSocketPath&) = delete;
  const std::string& text() const { return text_; }

 private:
  ShortSocketPath(int directory, std::string text)
      : directory_(directory), text_(std::move(text)) {}
  int directory_;
  std::string text_;
};

class SocketFile {
 public:
  // Makes the directory (0700) if it is not there and removes a socket that nobody serves.
  // kConflict: somebody serves there, or the path is something else than a socket.
  static core::Result<std::unique_ptr<SocketFile>> prepare(const std::string& path);
  // Removes the socket if it is still the one that was adopted.
  ~SocketFile();
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

  const std::string& short_path() const { return short_path_->text(); }
  // After bind: remembers which file is ours and checks that it is 0600.
  core::Status adopt();

 private:
  explicit SocketFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
  std::unique_ptr<ShortSocketPath> short_path_;
  unsigned long device_ = 0;
  unsigned long inode_ = 0;
};

// Before bind: the socket's file will be 0600 from the first moment (Linux takes the mode of the
// socket's own inode).
void make_private(int socket);

}  // namespace syncline::http
