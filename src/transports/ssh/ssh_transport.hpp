// rsync over OpenSSH: for nodes that nothing else reaches, and those without a daemon.
//
// One source at a time, the first that has an SSH endpoint. The staged file is written in place;
// after success the destination verifies all of it. Resumes by rsync's own comparison: bytes
// present on both sides are read, not sent. Threads: as transport.hpp says; one thread, one rsync
// and one ssh per job, one shared ssh per endpoint.
#pragma once

#include <string>

#include "transports/jobs.hpp"
#include "transports/ssh/login.hpp"
#include "transports/transport.hpp"

namespace syncline::transports::ssh {

class SshTransport final : public Transport {
 public:
  // `folder`: for configurations and sockets of shared connections, e.g. <state>/ssh.
  explicit SshTransport(std::string folder) : logins_(std::move(folder)) {}
  ~SshTransport() override { close(); }

  transfer::Transport name() const override { return transfer::Transport::kSsh; }
  std::string why_not(const FetchRequest& request) const override;
  double setup_seconds() const override;
  void fetch(FetchRequest request, FetchCallbacks callbacks) override;
  void cancel(std::uint64_t job) override { jobs_.cancel(job); }
  void pace(std::uint64_t job, double mbps) override { jobs_.pace(job, mbps); }
  void close() override;

  // For Remote: agentless nodes over the same connections.
  Logins& logins() { return logins_; }

 private:
  FetchOutcome work(Job& job);
  core::Status copy(Job& job, const Destination& destination, FetchOutcome& outcome);

  Logins logins_;
  Jobs jobs_;
};

}  // namespace syncline::transports::ssh
