// Our aria2c: one process for all downloads of this node, watched, started again when it dies.
//
// Its configuration, with the secret, is a file of ours (0600); it listens on loopback only. It
// ends with us in three ways: close(), the kernel (our thread ended), and --stop-with-process.
// Between starts after deaths there is a pause that doubles up to ten seconds; a life of a minute
// begins anew. Threads: all functions from any thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "core/result.hpp"
#include "core/time.hpp"
#include "transports/aria2/rpc.hpp"

namespace syncline::transports::aria2 {

struct Settings {
  std::string folder;          // of the state directory: configuration, and where it starts
  std::string certificate;     // PEM files of this node's identity; empty: none is shown
  std::string private_key;
  std::string ca_certificate;  // of the fleet; empty: the system's
  // The fleet's certificates name nodes, not addresses. Off: a server is taken for what its URL
  // says, proves itself only by bytes that match the content root, and learns which root is asked
  // for. On: chain and host name are checked.
  bool are_host_names_checked = false;
};

class Daemon {
 public:
  explicit Daemon(Settings settings);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  struct Running {
    RpcEndpoint endpoint;
    std::uint64_t generation = 0;  // another number: another process, and its downloads are gone
    int pid = 0;
  };
  // The process, started if need be. Waits at most so long. kUnreachable: it does not start, with
  // what it said; kInvalid: no aria2c here; kCancelled: closed.
  core::Result<Running> running(core::Duration at_most);
  void close();

 private:
  void watch();
  core::Status live();  // one life of the process, from its start to its end
  core::Result<std::string> write_configuration(const RpcEndpoint& endpoint);

  const Settings settings_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread watcher_;
  bool is_closing_ = false;
  int wake_fd_ = -1;
  Running running_;        // port 0: not up
  core::Status last_end_;  // why the last start failed
  std::uint64_t failed_starts_ = 0;
};

}  // namespace syncline::transports::aria2
