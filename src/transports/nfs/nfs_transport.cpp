#include "transports/nfs/nfs_transport.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "transports/nfs/local_copy.hpp"

namespace syncline::transports::nfs {

using core::Error;
using core::ErrorKind;

namespace {

struct Fd {
  explicit Fd(int f) : fd(f) {}
  ~Fd() {
    if (fd >= 0) ::close(fd);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int fd;
};

// The other node's file, beneath its root: links are not followed, there as here.
core::Result<int> open_there(const Source& source, const std::string& path) {
  const auto failed = [&](const char* what) {
    return Error{ErrorKind::kUnreachable, std::string(what) + ": " + std::strerror(errno),
                 source.local_root + "/" + path};
  };
  const Fd root(::open(source.local_root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root.fd < 0) return failed("its folder cannot be opened from here");
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, root.fd, path.c_str(), &how, sizeof(how));
  if (fd < 0) return failed("its file cannot be opened from here");
  return static_cast<int>(fd);
}

}  // namespace

std::string NfsTransport::why_not(const FetchRequest& request) const {
  for (const Source& source : request.sources) {
    if (!source.local_root.empty()) return "";
  }
  return "no holder shares this machine's storage";
}

double NfsTransport::setup_seconds() const {
  return 0.01;
}

void NfsTransport::fetch(FetchRequest request, FetchCallbacks callbacks) {
  jobs_.start(std::move(request), std::move(callbacks), [](Job& job) { return work(job); });
}

FetchOutcome NfsTransport::work(Job& job) {
  const FetchRequest& request = job.request();
  FetchOutcome outcome;
  outcome.status =
      Error{ErrorKind::kUnreachable, "no holder shares this machine's storage", request.path};
  for (const Source& source : request.sources) {
    if (source.local_root.empty()) continue;
    outcome.node = source.node;
    const auto there = open_there(source, request.path);
    if (!there.ok()) {
      outcome.status = there.error();
      continue;
    }
    const Fd from(*there);
    auto opened = request.open({});
    if (!opened.ok()) {
      outcome.status = opened.error();
      return outcome;
    }
    Destination& destination = **opened;
    const Fd to(::open(destination.staged_path().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (to.fd < 0) {
      outcome.status =
          Error{ErrorKind::kConflict,
                std::string("the staged file is gone: ") + std::strerror(errno), request.path};
      return outcome;
    }
    std::atomic<bool> is_cancelled{false};
    CopyRequest copy;
    copy.from_fd = from.fd;
    copy.to_fd = to.fd;
    copy.size_bytes = request.object.size_bytes;
    copy.cancel = &is_cancelled;
    // The last byte is not told before it was verified.
    copy.progress = [&](std::uint64_t bytes) {
      if (job.is_cancelled()) is_cancelled = true;
      if (bytes < request.object.size_bytes) job.progress(bytes);
    };
    const auto copied = copy_local(copy);
    outcome.status = copied.ok() ? destination.verify_all() : core::Status(copied.error());
    if (outcome.status.ok()) job.progress(request.object.size_bytes);
    return outcome;
  }
  return outcome;
}

}  // namespace syncline::transports::nfs
