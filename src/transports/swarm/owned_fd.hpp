// A descriptor of our own for a file that somebody else opened, and a name by which libtorrent can
// open that very file: not what now stands at its path.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>

namespace syncline::transports::swarm {

class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(::fcntl(fd, F_DUPFD_CLOEXEC, 3)) {}
  ~OwnedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  bool is_open() const { return fd_ >= 0; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace syncline::transports::swarm
