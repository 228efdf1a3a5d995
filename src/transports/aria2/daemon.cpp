#include "transports/aria2/daemon.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "env/entropy.hpp"
#include "env/files.hpp"
#include "env/subprocess.hpp"

namespace syncline::transports::aria2 {

using core::Error;
using core::ErrorKind;
using core::Result;
using core::Status;

namespace {

constexpr core::Duration kPauseFirst = core::milliseconds(100);
constexpr core::Duration kPauseMost = core::seconds(10);
constexpr core::Duration kLongLife = core::seconds(60);
constexpr core::Duration kStartMost = core::seconds(10);
constexpr core::Duration kEndGrace = core::seconds(2);
constexpr int kConnectionsPerServer = 4;

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool is_bound = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (fd >= 0) ::close(fd);
  return is_bound ? ntohs(address.sin_port) : std::uint16_t{0};
}

std::string random_hex() {
  std::string out;
  char digits[3];
  for (const unsigned char byte : env::random_bytes(24)) {
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    out += digits;
  }
  return out;
}

bool waits(int fd, core::Duration at_most) {  // true if woken
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, static_cast<int>(at_most / core::milliseconds(1))) > 0;
}

std::string available(int fd) {
  std::array<char, 4096> buffer{};
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : "";
}

}  // namespace

Daemon::Daemon(Settings settings)
    : settings_(std::move(settings)), wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Daemon::~Daemon() {
  close();
  ::close(wake_fd_);
}

Result<std::string> Daemon::write_configuration(const RpcEndpoint& endpoint) {
  std::string text;
  const auto add = [&](const std::string& name, const std::string& value) {
    text += name + "=" + value + "\n";
  };
  add("enable-rpc", "true");
  add("rpc-listen-all", "false");
  add("rpc-listen-port", std::to_string(endpoint.port));
  add("rpc-secret", endpoint.secret);
  add("stop-with-process", std::to_string(::getpid()));
  add("max-concurrent-downloads", "1000");  // how many run is the scheduler's business
  add("max-connection-per-server", std::to_string(kConnectionsPerServer));
  add("file-allocation", "none");           // the staged file has its size
  add("auto-save-interval", "1");           // a kill loses at most a second of the bookkeeping
  add("allow-overwrite", "true");
  add("auto-file-renaming", "false");
  add("no-netrc", "true");
  add("enable-dht", "false");
  add("enable-dht6", "false");
  add("bt-enable-lpd", "false");
  add("follow-torrent", "false");
  add("follow-metalink", "false");
  add("disk-cache", "16M");
  add("summary-interval", "0");
  add("console-log-level", "error");
  add("show-console-readout", "false");
  add("download-result", "hide");
  add("check-certificate", settings_.are_host_names_checked ? "true" : "false");
  for (const auto& [name, path] :
       {std::pair{"certificate", settings_.certificate},
        std::pair{"private-key", settings_.private_key},
        std::pair{"ca-certificate", settings_.ca_certificate}}) {
    if (path.find('\n') != std::string::npos) {
      return Error{ErrorKind::kInvalid, "aria2c cannot be given a file of this name", path};
    }
    if (!path.empty()) add(name, path);
  }
  SYNCLINE_TRY(env::make_folders(settings_.folder, 0700));
  const std::string path = settings_.folder + "/aria2.conf";
  SYNCLINE_TRY(env::write_file_atomic(path, text, 0600));
  return path;
}

Status Daemon::live() {
  const RpcEndpoint endpoint{free_port(), random_hex()};
  SYNCLINE_ASSIGN(const std::string configuration, write_configuration(endpoint));
  SYNCLINE_ASSIGN(env::Subprocess process,
                  env::Subprocess::start(
                      {{"aria2c", "--conf-path=" + configuration}, {"LC_ALL=C"}, settings_.folder}));
  std::string said;
  Rpc rpc(endpoint);
  core::Duration waited{0};
  constexpr core::Duration kStep = core::milliseconds(20);
  while (!rpc.version().ok()) {
    said += available(process.output()) + available(process.errors());
    if (waits(wake_fd_, core::milliseconds(0))) return {};
    if (process.wait(kStep) || (waited += kStep) > kStartMost) {
      return Error{ErrorKind::kUnreachable, "aria2c does not start: " + said.substr(0, 500), ""};
    }
  }
  {
    const std::lock_guard lock(mutex_);
    running_ = {endpoint, running_.generation + 1, process.pid()};
    failed_starts_ = 0;
    changed_.notify_all();
  }
  while (true) {
    std::array<pollfd, 4> fds{{{process.ended_fd(), POLLIN, 0},
                               {wake_fd_, POLLIN, 0},
                               {process.output(), POLLIN, 0},
                               {process.errors(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), -1);
    if (fds[0].revents != 0 || fds[1].revents != 0) break;
    const std::string more = available(process.output()) + available(process.errors());
    if (more.empty()) process.wait(core::milliseconds(100));  // its streams are closed: it ends
  }
  {
    const std::lock_guard lock(mutex_);
    running_.endpoint = {};
    running_.pid = 0;
  }
  if (!process.wait(core::milliseconds(0))) {
    (void)rpc.force_shutdown();
    process.end(kEndGrace);
  }
  return Error{ErrorKind::kUnreachable, "aria2c died; it is started again", ""};
}

void Daemon::watch() {
  core::Duration pause = kPauseFirst;
  while (true) {
    const auto began = std::chrono::steady_clock::now();
    Status ended = live();
    {
      const std::lock_guard lock(mutex_);
      if (is_closing_) return;
      last_end_ = ended;
      ++failed_starts_;
      changed_.notify_all();
    }
    if (std::chrono::steady_clock::now() - began > kLongLife) pause = kPauseFirst;
    if (waits(wake_fd_, pause)) return;
    pause = std::min(pause * 2, kPauseMost);
  }
}

Result<Daemon::Running> Daemon::running(core::Duration at_most) {
  if (env::find_program("aria2c").empty()) {
    return Error{ErrorKind::kInvalid, "there is no aria2c on this node: install aria2", ""};
  }
  std::unique_lock lock(mutex_);
  if (is_closing_) return Error{ErrorKind::kCancelled, "aria2c was ended", ""};
  if (!watcher_.joinable()) watcher_ = std::thread([this] { watch(); });
  const bool is_told = changed_.wait_for(lock, at_most, [this] {
    return running_.endpoint.port != 0 || is_closing_ || failed_starts_ >= 3;
  });
  if (running_.endpoint.port != 0) return running_;
  if (is_closing_) return Error{ErrorKind::kCancelled, "aria2c was ended", ""};
  if (is_told && !last_end_.ok()) return last_end_.error();
  return Error{ErrorKind::kUnreachable, "aria2c did not start in time", ""};
}

void Daemon::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
    ::eventfd_write(wake_fd_, 1);
    changed_.notify_all();
  }
  if (watcher_.joinable()) watcher_.join();
}

}  // namespace syncline::transports::aria2
