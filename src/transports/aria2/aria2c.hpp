// The one aria2c of this node: started when it is first needed, started again when it died, ended
// with us. It listens on loopback only, and for whoever knows the secret of this run; the secret
// stands in a file of mode 0600, never among the arguments, which everybody can read.
//
// Threads: all functions from any thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/result.hpp"
#include "core/time.hpp"
#include "transports/aria2/rpc.hpp"

namespace syncline::transports::aria2 {

// PEM files with which it shows itself and knows others.
struct Certificates {
  std::string certificate;
  std::string key;
  std::string authority;
};

class Aria2c {
 public:
  // `folder`: for its configuration; made where it is missing.
  Aria2c(std::string folder, Certificates certificates)
      : folder_(std::move(folder)), certificates_(std::move(certificates)) {}
  ~Aria2c() { close(); }
  Aria2c(const Aria2c&) = delete;
  Aria2c& operator=(const Aria2c&) = delete;

  // Where it answers; starts it if it does not run. kMissing: there is no aria2c on this node;
  // kUnreachable: it does not come up within `patience`; kCancelled: closed.
  core::Result<RpcEndpoint> running(core::Duration patience);
  int pid();  // 0: it does not run
  void close();

 private:
  void supervise();
  core::Result<RpcEndpoint> configure() const;
  std::optional<core::Error> run_once();

  const std::string folder_;
  const Certificates certificates_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;  // it starts the program, which ends with this thread
  std::optional<RpcEndpoint> endpoint_;
  std::optional<core::Error> failure_;  // of the last start
  int wake_fd_ = -1;
  int pid_ = 0;
  bool is_wanted_ = false;
  bool is_closed_ = false;
};

}  // namespace syncline::transports::aria2
