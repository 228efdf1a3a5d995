// A private sshd on loopback, with keys made for the test: what the room's tests talk to.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "env/subprocess.hpp"
#include "transports/transport.hpp"

namespace syncline::transports::ssh {

inline std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

inline bool answers(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool is_open = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return is_open;
}

template <typename Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 4000 && !condition(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

inline std::string file_content(const std::string& path) {
  // By way of <<, which takes a read that fails for the end: a process's file in /proc does when
  // the process ends in between.
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

inline void write_file(const std::string& path, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

class Sshd {
 public:
  // `path_over_there`: PATH of what is run over there; empty: the usual one.
  explicit Sshd(const std::string& path_over_there = "") : port_(free_port()) {
    char name[] = "/tmp/syncline-sshd-XXXXXX";
    folder_ = ::mkdtemp(name);
    for (const char* key : {"host", "user", "stranger"}) {
      run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file(key)});
    }
    std::filesystem::copy(file("user.pub"), file("authorized_keys"));
    std::ofstream config(file("config"));
    config << "Port " << port_ << "\nListenAddress 127.0.0.1\nHostKey " << file("host")
           << "\nAuthorizedKeysFile " << file("authorized_keys")
           << "\nPidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
              "PermitRootLogin yes\nMaxStartups 100\nMaxSessions 100\n";
    // A home of its own: what a person's shell does at its start is no part of the test.
    config << "SetEnv HOME=" << folder_;
    if (!path_over_there.empty()) config << " PATH=" << path_over_there;
    config << "\n";
    config.close();
    know(file("known"), "host");
    know(file("known-wrong"), "stranger");
    std::ofstream(file("known-none"));
    root_ = folder_ + "/far side";
    std::filesystem::create_directories(root_);
    if (::geteuid() == 0) std::filesystem::create_directories("/run/sshd");
    auto started = env::Subprocess::start(
        {{"/usr/sbin/sshd", "-D", "-E", file("log"), "-f", file("config")}, {}, ""});
    SYNCLINE_CHECK(started.ok(), started.ok() ? "" : core::to_string(started.error()));
    sshd_.emplace(std::move(*started));
    SYNCLINE_CHECK(comes_true([&] { return answers(port_); }), file_content(file("log")));
  }
  ~Sshd() {
    sshd_->end(core::milliseconds(500));
    kill_sessions();
    sshd_.reset();
    // What ran over there may write its last while it dies.
    comes_true([&] {
      std::error_code error;
      std::filesystem::remove_all(folder_, error);
      return !error;
    });
  }
  Sshd(const Sshd&) = delete;
  Sshd& operator=(const Sshd&) = delete;

  SshEndpoint endpoint() const {
    return {"127.0.0.1", "", port_, file("user"), file("known"), root_};
  }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  const std::string& root() const { return root_; }
  const std::string& folder() const { return folder_; }

  // kill -9 of every process that serves a connection, and all below: the far side breaks down.
  int kill_sessions() {
    std::set<int> killed = {sshd_->pid()};
    bool found = true;
    while (found) {
      found = false;
      for (const auto& [pid, parent] : parents()) {
        if (killed.count(parent) == 1 && killed.insert(pid).second) found = true;
      }
    }
    killed.erase(sshd_->pid());
    for (const int pid : killed) ::kill(pid, SIGKILL);
    return static_cast<int>(killed.size());
  }
  int logins() const {
    const std::string log = file_content(file("log"));
    int count = 0;
    for (std::size_t at = log.find("Accepted publickey"); at != std::string::npos;
         at = log.find("Accepted publickey", at + 1)) {
      ++count;
    }
    return count;
  }

 private:
  static std::vector<std::pair<int, int>> parents() {
    std::vector<std::pair<int, int>> out;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      const std::string stat = file_content(entry.path().string() + "/stat");
      const std::size_t end = stat.rfind(')');
      if (end == std::string::npos) continue;
      out.emplace_back(std::stoi(name), std::stoi(stat.substr(end + 4)));
    }
    return out;
  }
  void run(std::vector<std::string> argv) {
    const auto done = env::run({std::move(argv), {}, ""}, "", {});
    SYNCLINE_CHECK(done.ok() && done->exit_code == 0, "a tool of the test failed");
  }
  void know(const std::string& path, const std::string& key) {
    std::ofstream(path) << "[127.0.0.1]:" << port_ << " " << file_content(file(key + ".pub"));
  }

  const std::uint16_t port_;
  std::string folder_;
  std::string root_;
  std::optional<env::Subprocess> sshd_;
};

}  // namespace syncline::transports::ssh
