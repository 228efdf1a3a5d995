#include "transports/aria2/aria2c.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "core/hex.hpp"
#include "env/entropy.hpp"
#include "env/files.hpp"
#include "env/subprocess.hpp"

namespace syncline::transports::aria2 {

using core::Error;
using core::ErrorKind;
using core::Result;

namespace {

constexpr core::Duration kCallTimeout = core::seconds(2);
constexpr core::Duration kStartTimeout = core::seconds(10);
constexpr core::Duration kAskEvery = core::milliseconds(20);
constexpr core::Duration kGrace = core::seconds(2);
constexpr std::size_t kSecretBytes = 32;

// Free a moment ago. Another program may take it: then aria2c ends and the next start takes
// another one.
std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  const bool is_bound = ::bind(fd, plain, size) == 0 && ::getsockname(fd, plain, &size) == 0;
  ::close(fd);
  return is_bound ? ntohs(address.sin_port) : std::uint16_t{0};
}

// What it writes is not read, but must not fill the pipe.
void drain(int fd) {
  char some[4096];
  while (::read(fd, some, sizeof(some)) > 0) {
  }
}

}  // namespace

// Writes the configuration of one run.
Result<RpcEndpoint> Aria2c::configure() const {
  RpcEndpoint endpoint;
  endpoint.port = free_port();
  endpoint.secret = core::hex_of(env::random_bytes(kSecretBytes));
  SYNCLINE_TRY(env::make_folders(folder_, 0700));
  std::string text =
      "enable-rpc=true\nrpc-listen-all=false\nrpc-listen-port=" + std::to_string(endpoint.port) +
      "\nrpc-secret=" + endpoint.secret + "\nstop-with-process=" + std::to_string(::getpid()) +
      // Its own fresh look at names, and no proxy: peers are reached as every transport does.
      "\nasync-dns=false\nno-proxy=*\n"
      // The staged file is there in its full size, and a control file says which pieces it has.
      "continue=true\nallow-overwrite=true\nauto-file-renaming=false\nfile-allocation=none\n"
      "piece-length=1M\nauto-save-interval=2\nremote-time=false\n"
      "max-concurrent-downloads=256\nmax-connection-per-server=4\nmin-split-size=1M\n"
      "http-accept-gzip=false\nuri-selector=feedback\nmax-tries=2\nretry-wait=1\n"
      // What comes is an object, whatever it looks like.
      "follow-torrent=false\nfollow-metalink=false\nenable-dht=false\nenable-dht6=false\n"
      "no-netrc=true\nquiet=true\ncheck-certificate=true\nmin-tls-version=TLSv1.3\n";
  if (!certificates_.authority.empty()) {
    text += "ca-certificate=" + certificates_.authority +
            "\ncertificate=" + certificates_.certificate + "\nprivate-key=" + certificates_.key +
            "\n";
  }
  SYNCLINE_TRY(env::write_file_atomic(folder_ + "/aria2.conf", text, 0600));
  return endpoint;
}

Result<RpcEndpoint> Aria2c::running(core::Duration patience) {
  std::unique_lock lock(mutex_);
  if (is_closed_) return Error{ErrorKind::kCancelled, "aria2c was ended", ""};
  if (!endpoint_) {
    if (!thread_.joinable()) {
      wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
      thread_ = std::thread([this] { supervise(); });
    }
    failure_.reset();
    is_wanted_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, patience, [&] { return endpoint_ || failure_ || is_closed_; });
  }
  if (is_closed_) return Error{ErrorKind::kCancelled, "aria2c was ended", ""};
  if (endpoint_) return *endpoint_;
  if (failure_) return *failure_;
  return Error{ErrorKind::kUnreachable, "aria2c does not come up", ""};
}

int Aria2c::pid() {
  const std::lock_guard lock(mutex_);
  return endpoint_ ? pid_ : 0;
}

void Aria2c::supervise() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return is_wanted_ || is_closed_; });
      if (is_closed_) return;
    }
    const std::optional<Error> failure = run_once();
    const std::lock_guard lock(mutex_);
    endpoint_.reset();
    failure_ = failure;
    is_wanted_ = false;
    changed_.notify_all();
  }
}

// From its start to its end. An error: it did not come up.
std::optional<Error> Aria2c::run_once() {
  const Result<RpcEndpoint> configured = configure();
  if (!configured.ok()) return configured.error();
  env::Command command;
  command.argv = {"aria2c", "--conf-path=" + folder_ + "/aria2.conf"};
  command.environment = {"http_proxy=", "https_proxy=", "all_proxy=", "ALL_PROXY="};
  command.folder = folder_;
  auto started = env::Subprocess::start(command);
  if (!started.ok()) return started.error();
  env::Subprocess program = std::move(started).value();
  const Rpc rpc(*configured, kCallTimeout);
  const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
  while (!rpc.version().ok()) {
    const bool is_late = std::chrono::steady_clock::now() > deadline;
    if (const auto code = program.wait(kAskEvery); code || is_late) {
      return Error{ErrorKind::kUnreachable,
                   code ? "aria2c ended at its start with code " + std::to_string(*code)
                        : "aria2c does not come up",
                   ""};
    }
    const std::lock_guard lock(mutex_);
    if (is_closed_) return Error{ErrorKind::kCancelled, "aria2c was ended", ""};
  }
  {
    const std::lock_guard lock(mutex_);
    endpoint_ = *configured;
    pid_ = program.pid();
    changed_.notify_all();
  }
  for (;;) {
    pollfd fds[] = {{program.ended_fd(), POLLIN, 0},
                    {wake_fd_, POLLIN, 0},
                    {program.output(), POLLIN, 0},
                    {program.errors(), POLLIN, 0}};
    ::poll(fds, 4, -1);
    if (fds[0].revents != 0 || fds[1].revents != 0) break;
    drain(program.output());
    drain(program.errors());
  }
  program.end(kGrace);  // it saves its control files
  return std::nullopt;
}

void Aria2c::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    if (wake_fd_ >= 0) ::eventfd_write(wake_fd_, 1);
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  if (wake_fd_ >= 0) ::close(std::exchange(wake_fd_, -1));
}

}  // namespace syncline::transports::aria2
