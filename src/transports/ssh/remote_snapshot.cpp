// A copy of a live database over there, held by one session while another fetches it.
//
// The session's script removes the copy when our end of its input closes: on success, on any
// failure below, when we are killed, and when the connection breaks.
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "transports/ssh/remote.hpp"
#include "transports/ssh/remote_script.hpp"
#include "transports/ssh/safe_path.hpp"

namespace syncline::transports::ssh {

using core::Error;
using core::ErrorKind;
using core::Result;

namespace {

constexpr std::size_t kSaidMax = 1u << 20;  // a dot each two seconds: three weeks of them

void append_available(int fd, std::string& to) {
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while (to.size() < kSaidMax && (got = ::read(fd, buffer.data(), buffer.size())) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    to.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

// "…\nready PATH\n" -> PATH, once it is there whole.
std::string ready_path(const std::string& said) {
  constexpr std::string_view kReady = "\nready ";
  const std::size_t at = said.find(kReady);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + kReady.size();
  const std::size_t end = said.find('\n', begin);
  return end == std::string::npos ? "" : said.substr(begin, end - begin);
}

int in_ms(core::Duration duration) {
  return duration.count() <= 0
             ? -1
             : static_cast<int>(std::chrono::ceil<core::milliseconds>(duration).count());
}

}  // namespace

Result<std::string> Remote::await_copy(env::Subprocess& session, const RemoteCall& call,
                                       const std::string& path) {
  env::Finished finished;
  while (true) {
    std::array<pollfd, 4> fds{{{session.ended_fd(), POLLIN, 0},
                               {call.cancel_fd, POLLIN, 0},
                               {session.output(), POLLIN, 0},
                               {session.errors(), POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), in_ms(times_.progress_timeout));
    if (ready == 0) {
      return Error{ErrorKind::kUnreachable,
                   node_.text + " stopped answering while it copied the database", path};
    }
    if (fds[1].revents != 0) return Error{ErrorKind::kCancelled, "the copy was cancelled", path};
    append_available(session.output(), finished.output);
    append_available(session.errors(), finished.errors);
    if (std::string copy = ready_path(finished.output); !copy.empty()) return copy;
    if (fds[0].revents == 0 && finished.output.size() < kSaidMax) continue;
    finished.exit_code = session.end(core::seconds(1));
    return explain_exit(finished, path);
  }
}

Result<std::uint64_t> Remote::snapshot_database(const std::string& path,
                                                const std::string& local_path,
                                                const RemoteCall& call) {
  if (!is_safe_path(path)) {
    return Error{ErrorKind::kInvalid, "the path leaves the collection's root", path};
  }
  if (temporary_folder_.find_first_of("'\"\n") != std::string::npos) {
    return Error{ErrorKind::kInvalid, "sqlite3 cannot write into a folder of this name",
                 temporary_folder_};
  }
  SYNCLINE_ASSIGN(const std::vector<std::string> argv, shell(path));
  SYNCLINE_ASSIGN(env::Subprocess session, env::Subprocess::start({argv, {"LC_ALL=C"}, "/"}));
  const std::string text = script(kSnapshotScript, {remote_path(path), temporary_folder_});
  // A pipe takes so much at once; the script is far shorter.
  if (::write(session.input(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return Error{ErrorKind::kUnreachable, "ssh to " + node_.text + " ended at once", path};
  }
  auto made = await_copy(session, call, path);
  Result<std::uint64_t> fetched =
      made.ok() ? copy(false, local_path, *made, call) : Result<std::uint64_t>(made.error());
  session.close_input();
  // The session ends after the copy over there was removed.
  if (!session.wait(times_.connect_timeout)) session.end(core::seconds(1));
  return fetched;
}

}  // namespace syncline::transports::ssh
