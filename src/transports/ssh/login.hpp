// How we log in by OpenSSH: one written configuration per endpoint, connections shared.
//
// Nothing of an endpoint stands on a command line or in a shell: host, user, port, key and known
// hosts go into a file of ours (0600), checked first, and every ssh and rsync is given that file
// and the one host in it, `peer`. The user's own ~/.ssh/config is not read. Host keys are checked
// strictly; nothing is ever asked.
//
// The first ssh to an endpoint stays as master for a minute beyond its last use (ControlMaster
// auto, ControlPersist); others go through it without a handshake. It outlives a job that is
// cancelled; close() ends it. Threads: all functions from any thread.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "transports/transport.hpp"

namespace syncline::transports::ssh {

inline constexpr const char* kPeer = "peer";  // the host's name in every configuration of ours

// kInvalid: something of it cannot stand in a configuration ("the host name has a space").
core::Status check(const SshEndpoint& endpoint);

class Logins {
 public:
  // `folder`: of the state directory, made if need be (0700). Where its path is too long for a
  // socket's name, sockets lie in a private folder of the system's temporary one instead.
  explicit Logins(std::string folder);
  ~Logins();
  Logins(const Logins&) = delete;
  Logins& operator=(const Logins&) = delete;

  // "/usr/bin/ssh", "-F", <file>, "-o", "ConnectTimeout=…": append kPeer and what to run there.
  core::Result<std::vector<std::string>> command(const SshEndpoint& endpoint,
                                                 core::Duration connect_timeout);
  // Ends the shared connections.
  void close();

 private:
  core::Result<std::string> config_file(const SshEndpoint& endpoint);
  core::Status make_folders();

  const std::string folder_;
  std::mutex mutex_;
  std::string sockets_;        // where control sockets lie; empty: not made yet
  bool owns_sockets_ = false;  // a temporary folder: removed at close
  std::set<std::string> configs_;
};

// The configuration's text; `control_path` is where its shared connection listens.
std::string ssh_config(const SshEndpoint& endpoint, const std::string& control_path);

// A word for sh, whatever is in it.
std::string shell_quoted(const std::string& word);

}  // namespace syncline::transports::ssh
