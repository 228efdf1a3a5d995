// The one BitTorrent session of this node: torrents of objects, downloaded or seeded, between nodes
// of the fleet only. TLS with the nodes' certificates on both ends; no DHT, no local discovery, no
// trackers, no peer exchange: peers are those that the caller names.
//
// A torrent reads and writes through a descriptor that was opened here, never through a path: what
// the file is called, or what is put in its place, changes nothing.
// Threads: all functions from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace syncline::transports::swarm {

struct SessionSettings {
  std::string listen;  // "0.0.0.0:8752"; port 0: any
  std::string certificate_file;
  std::string key_file;
  std::string authority_file;
  double upload_mbps = 0;  // MB/s, of all torrents; 0 = unlimited
  int seeds_max = 32;      // kept for others; beyond it the longest unused goes
  core::Duration idle_max = core::seconds(600);  // a seed that nobody reads is dropped
};

struct Download {
  core::Root root;
  std::uint64_t size_bytes = 0;
  int fd = -1;               // of the staged file, read and write; duplicated
  std::vector<bool> pieces;  // there already
  double limit_mbps = 0;     // MB/s; 0 = unlimited
  // Pieces that are `rank` modulo `count` come first: whoever wants the object too has another
  // rank, so that the first holder sends each piece once and not some of them to everybody.
  int rank = 0;
  int count = 1;
};
struct Seed {
  core::Root root;
  std::uint64_t size_bytes = 0;
  int fd = -1;                               // of the whole object; duplicated
  std::vector<core::Digest256> piece_layer;  // of an object of more than one piece
};

struct Progress {
  std::uint64_t done_bytes = 0;  // of verified pieces and blocks under way
  std::uint64_t wire_bytes = 0;  // received since it was added, protocol included
  int peers = 0;                 // connected
  int wrong_pieces = 0;          // that did not hash to what they should
  bool is_complete = false;      // every piece is verified
  std::string problem;           // it cannot go on
};

class Session {
 public:
  // kInvalid: certificates that cannot be read; kConflict: somebody listens there.
  static core::Result<std::unique_ptr<Session>> start(const SessionSettings& settings);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  std::uint16_t port() const;

  // kOverloaded: the object is downloaded already.
  core::Status download(const Download& download);
  // Does nothing for what is here already.
  core::Status seed(const Seed& seed);
  void meet(const core::Root& root, const std::vector<std::string>& addresses);  // "10.0.0.1:8752"
  void limit(const core::Root& root, double mbps);                               // 0 = unlimited
  Progress look(const core::Root& root) const;
  // Which of these addresses sent most of it; empty: nobody.
  std::string best_peer(const core::Root& root) const;
  std::vector<bool> pieces(const core::Root& root) const;
  // Until what came is in the file, as others read it. False: not in time.
  bool flush(const core::Root& root, core::Duration at_most);
  // From a download to a seed: it is complete, and stays for others.
  void keep(const core::Root& root);
  void stop(const core::Root& root);
  std::size_t seeds() const;

  struct State;

 private:
  explicit Session(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace syncline::transports::swarm
