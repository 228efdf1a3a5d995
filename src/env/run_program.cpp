// run(): one loop over the streams of a program, its end, and who cancels it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "env/subprocess.hpp"

namespace syncline::env {

using core::Error;
using core::ErrorKind;
using core::Result;
using core::Status;

namespace {

constexpr std::size_t kReadBytes = 64u << 10;

core::Duration since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// A program that does not read its input to the end must not end us.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~SigpipeBlocked() {
    const timespec none{};
    while (::sigismember(&before_, SIGPIPE) == 0 && ::sigtimedwait(&set_, nullptr, &none) > 0) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

 private:
  sigset_t set_;
  sigset_t before_;
};

class Run {
 public:
  Run(Subprocess& program, std::string_view input, const RunLimits& limits,
      const OnOutput& on_output)
      : program_(program), input_(input), limits_(limits), on_output_(on_output) {
    if (input_.empty())
      program_.close_input();
    else
      ::fcntl(program_.input(), F_SETFL, O_NONBLOCK);
  }

  Result<Finished> to_the_end(const std::string& name) {
    const core::Duration started = since_boot();
    heard_at_ = started;
    while (true) {
      const core::Duration now = since_boot();
      if (limits_.time_max.count() > 0 && now - started >= limits_.time_max) {
        return stop(Error{ErrorKind::kUnreachable, "it did not end in time", name});
      }
      if (limits_.silence_max.count() > 0 && now - heard_at_ >= limits_.silence_max) {
        return stop(Error{ErrorKind::kUnreachable, "nothing was heard from it for too long", name});
      }
      std::array<pollfd, 5> fds{{{program_.ended_fd(), POLLIN, 0},
                                 {limits_.cancel_fd, POLLIN, 0},
                                 {program_.output(), POLLIN, 0},
                                 {program_.errors(), POLLIN, 0},
                                 {program_.input(), POLLOUT, 0}}};
      if (is_output_closed_) fds[2].fd = -1;
      if (is_errors_closed_) fds[3].fd = -1;
      ::poll(fds.data(), fds.size(), wait_ms(now, started));
      if (fds[1].revents != 0) return stop(Error{ErrorKind::kCancelled, "it was cancelled", name});
      if (fds[4].revents != 0) feed();
      if (Status taken = drain(fds[2].revents != 0, fds[3].revents != 0); !taken.ok()) {
        return stop(taken.error());
      }
      if (fds[0].revents == 0) continue;
      // It ended: what it wrote is in the pipes already. Their end is not awaited, since a
      // grandchild in the background may hold them.
      if (Status taken = drain(true, true); !taken.ok()) return stop(taken.error());
      finished_.exit_code = *program_.wait(core::seconds(1));
      return std::move(finished_);
    }
  }

 private:
  int wait_ms(core::Duration now, core::Duration started) const {
    core::Duration least = core::seconds(60);
    if (limits_.time_max.count() > 0) least = std::min(least, started + limits_.time_max - now);
    if (limits_.silence_max.count() > 0) {
      least = std::min(least, heard_at_ + limits_.silence_max - now);
    }
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(least).count());
  }

  void feed() {
    const SigpipeBlocked blocked;
    const ssize_t wrote = ::write(program_.input(), input_.data(), input_.size());
    if (wrote < 0 && (errno == EAGAIN || errno == EINTR)) return;
    input_.remove_prefix(wrote < 0 ? input_.size() : static_cast<std::size_t>(wrote));
    if (input_.empty()) program_.close_input();
  }

  Status drain(bool has_output, bool has_errors) {
    if (has_output) {
      SYNCLINE_TRY(read_all(program_.output(), is_output_closed_,
                            [this](std::string_view bytes) { return take_output(bytes); }));
    }
    if (has_errors) {
      SYNCLINE_TRY(read_all(program_.errors(), is_errors_closed_,
                            [this](std::string_view bytes) { return take_errors(bytes); }));
    }
    return {};
  }

  template <typename Take>
  Status read_all(int fd, bool& is_closed, Take take) {
    // At most so often, so that a program that never stops talking can be cancelled.
    for (int i = 0; i < 64 && !is_closed; ++i) {
      const ssize_t got = ::read(fd, buffer_.data(), buffer_.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return {};
      if (got == 0) {
        is_closed = true;
        return {};
      }
      heard_at_ = since_boot();
      SYNCLINE_TRY(take(std::string_view(buffer_.data(), static_cast<std::size_t>(got))));
    }
    return {};
  }

  Status take_output(std::string_view bytes) {
    if (on_output_) return on_output_(bytes);
    if (finished_.output.size() + bytes.size() > limits_.output_bytes_max) {
      return Error{ErrorKind::kExhausted, "it said more than was asked for", ""};
    }
    finished_.output.append(bytes);
    return {};
  }

  Status take_errors(std::string_view bytes) {
    finished_.errors.append(bytes);
    if (finished_.errors.size() > limits_.errors_bytes_max) {
      finished_.errors.erase(0, finished_.errors.size() - limits_.errors_bytes_max);
    }
    return {};
  }

  Error stop(Error error) {
    program_.end(limits_.grace);
    return error;
  }

  Subprocess& program_;
  std::string_view input_;
  const RunLimits& limits_;
  const OnOutput& on_output_;
  core::Duration heard_at_{0};
  bool is_output_closed_ = false;
  bool is_errors_closed_ = false;
  Finished finished_;
  std::string buffer_ = std::string(kReadBytes, '\0');
};

}  // namespace

Result<Finished> run(const Command& command, std::string_view input, const RunLimits& limits,
                     const OnOutput& on_output) {
  SYNCLINE_ASSIGN(Subprocess program, Subprocess::start(command));
  return Run(program, input, limits, on_output).to_the_end(command.argv.front());
}

}  // namespace syncline::env
