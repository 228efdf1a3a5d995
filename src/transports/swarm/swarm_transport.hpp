// swarm: BitTorrent v2 among the nodes that want an object, for one large object and many targets:
// who has a piece serves it on.
//
// The staged file is written in place; after success the destination verifies all of it, and the
// torrent stays to serve others. Resumes by the pieces noted beside the staged file
// (control_file.hpp). Whoever is asked first must be told to seed: see seed().
// Threads: as transport.hpp says; one thread per job.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "transports/jobs.hpp"
#include "transports/swarm/session.hpp"
#include "transports/transport.hpp"

namespace syncline::transports::swarm {

class SwarmTransport final : public Transport {
 public:
  explicit SwarmTransport(std::unique_ptr<Session> session) : session_(std::move(session)) {}
  ~SwarmTransport() override { close(); }

  transfer::Transport name() const override { return transfer::Transport::kSwarm; }
  std::string why_not(const FetchRequest& request) const override;
  double setup_seconds() const override;
  void fetch(FetchRequest request, FetchCallbacks callbacks) override;
  void cancel(std::uint64_t job) override { jobs_.cancel(job); }
  void pace(std::uint64_t job, double mbps) override { jobs_.pace(job, mbps); }
  void close() override;

  std::uint16_t port() const { return session_->port(); }
  // Another node will ask for it.
  core::Status seed(const Seed& seed) { return session_->seed(seed); }
  std::size_t seeds() const { return session_->seeds(); }

 private:
  FetchOutcome work(Job& job);
  core::Status download(Job& job, const Destination& destination, FetchOutcome& outcome);
  struct Peers;
  core::Status follow(Job& job, const Destination& destination, const Peers& peers,
                      FetchOutcome& outcome);

  std::unique_ptr<Session> session_;
  Jobs jobs_;
};

}  // namespace syncline::transports::swarm
