#include "collections/files/writer_check.hpp"

#include <fcntl.h>

#include <cerrno>
#include <csignal>

namespace syncline::collections::files {

bool has_writer(int fd) {
  // Should a writer open the file while the lease is held, the kernel sends a signal: SIGURG, which
  // is ignored by default, instead of SIGIO, which kills.
  ::fcntl(fd, F_SETSIG, SIGURG);
  if (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
    ::fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
  }
  return errno == EAGAIN;
}

}  // namespace syncline::collections::files
