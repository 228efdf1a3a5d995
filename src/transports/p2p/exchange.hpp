// The transport `p2p`: objects between nodes, over the links that are there anyway.
//
// Several sources for one object, each byte hashed once as it comes, blame per 16 KiB block,
// resume from verified pieces, many jobs on one link with flow control per job; memory depends on
// the windows in ExchangeLimits, never on the size or the number of objects.
//
// It has two to a few threads of its own for files and hashes, and one that keeps time while a
// fetch is under way. No decision is made here: sources and times come with the request.
//
// Threads: everything from any thread, at once; no call waits for a disk or the network. Ports are
// called from any thread, never under a lock: a port may call back. `open`, `progress`, `done` of a
// request and OpenObject run on the workers; those of one job one after the other.
#pragma once

#include <memory>
#include <optional>

#include "env/clock.hpp"
#include "transports/p2p/types.hpp"
#include "transports/transport.hpp"

namespace syncline::transports::p2p {

class Exchange final : public Transport {
 public:
  // `clock` outlives it. `self` only spreads where fetchers of one object begin.
  Exchange(const core::NodeId& self, const env::Clock& clock, ExchangeLimits limits,
           ExchangePorts ports, OpenObject open);
  ~Exchange() override;  // close()
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // ── what the links tell ──
  void link_up(const core::NodeId& peer);
  void link_down(const core::NodeId& peer);
  // False: not one of the messages of objects; it is left as it is.
  bool on_message(const core::NodeId& peer, wire::WireMessage& message);
  std::optional<wire::WireMessage> next_data(const core::NodeId& peer);

  // ── Transport ──
  transfer::Transport name() const override { return transfer::Transport::kP2p; }
  std::string why_not(const FetchRequest& request) const override;
  double setup_seconds() const override;
  void fetch(FetchRequest request, FetchCallbacks callbacks) override;
  void cancel(std::uint64_t job) override;
  void grant(std::uint64_t job, std::uint64_t bytes) override;
  // Afterwards nothing is served and every fetch ends with kCancelled. Not from a callback.
  void close() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace syncline::transports::p2p
