// The serving side: requests in, blocks out, in fair turns.
//
// Each peer has a line of jobs; a turn is one frame of one job, so a 5 GB archive and a 2 KB file
// asked for at once share the link frame by frame. Files are read by the workers, at most
// read_ahead_bytes ahead of what the link has taken; nothing is hashed here, but for the blocks of
// a piece that somebody found wrong.
// Threads: any. No call waits for a disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>

#include "transports/p2p/types.hpp"
#include "transports/p2p/workers.hpp"

namespace syncline::transports::p2p {

// One object while it is served. Threads: any.
class Serving {
 public:
  explicit Serving(std::shared_ptr<ServedObject> object) : object_(std::move(object)) {}
  const ServedObject& object() const { return *object_; }
  // Is it worth packing these bytes of it? Tried on one block of each 16 MiB.
  bool packing_pays(std::uint64_t offset, const std::string& bytes);

 private:
  std::shared_ptr<ServedObject> object_;
  std::atomic<std::uint64_t> verdict_{0};  // number of the 16 MiB from 1 on, and its last bit: pays
};

// Open objects, the last used ones: a piece of a large object costs no open().
class OpenObjects {
 public:
  OpenObjects(OpenObject open, std::size_t count_max);
  core::Result<std::shared_ptr<Serving>> get(const core::Root& root);
  void drop(const core::Root& root);

 private:
  OpenObject open_;
  std::size_t count_max_;
  std::mutex mutex_;
  std::list<std::pair<core::Root, std::shared_ptr<Serving>>> by_use_;  // newest first
};

class Server {
 public:
  Server(ExchangePorts ports, OpenObject open, ExchangeLimits limits, Workers& workers);

  void on_request(const core::NodeId& peer, const wire::ObjectRequest& request);
  void on_layer_request(const core::NodeId& peer, const wire::LayerRequest& request);
  void on_bundle_request(const core::NodeId& peer, wire::BundleRequest request);
  void on_cancel(const core::NodeId& peer, std::uint64_t job);
  void link_down(const core::NodeId& peer);

  std::optional<wire::WireMessage> next_data(const core::NodeId& peer);

 private:
  // A range of bytes, or hashes, that a peer asked for.
  struct Wish {
    core::Root root;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;  // left to be read; 0: hashes are wanted
    std::optional<std::uint64_t> blocks_of_piece;
    bool accepts_zstd = false;
    std::shared_ptr<const std::vector<wire::BundleRequest::Object>> bundle;  // or these, whole
    std::size_t count() const { return bundle ? bundle->size() : 1; }        // as requests
  };
  struct Peer {
    std::uint64_t link = 0;  // number of the link these were asked on
    std::map<std::uint64_t, std::deque<Wish>> jobs;
    std::deque<std::uint64_t> turns;  // each job with wishes once
    std::size_t wishes = 0;
    std::size_t reading_bytes = 0;
    std::size_t ready_bytes = 0;
    std::deque<std::pair<std::uint64_t, wire::WireMessage>> ready;
  };
  struct Turn {
    core::NodeId peer;
    std::uint64_t link = 0;
    std::uint64_t job = 0;
    Wish wish;  // of one frame
    std::size_t bytes = 0;
    bool is_last_of_wish = false;
  };
  void add(const core::NodeId& peer, std::uint64_t job, Wish wish);
  void feed(const core::NodeId& id, Peer& peer);
  void serve(Turn turn);
  wire::WireMessage make(const Turn& turn);
  wire::WireMessage make_hashes(const Turn& turn, const ServedObject& object);
  wire::WireMessage make_bundle(const Turn& turn);
  core::Result<std::string> read_whole(const wire::BundleRequest::Object& wanted);

  ExchangePorts ports_;
  ExchangeLimits limits_;
  Workers& workers_;
  OpenObjects objects_;
  std::mutex mutex_;
  std::map<core::NodeId, Peer> peers_;
  std::uint64_t links_ = 0;
};

}  // namespace syncline::transports::p2p
