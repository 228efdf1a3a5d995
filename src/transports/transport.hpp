// What every way to move bytes offers: fetch one object into a staged file, tell how far it is,
// stop when told. One interface, five rooms; node/ holds them by this type only.
//
// A transport never decides: which sources, which times, and what follows a failure came from the
// planner. It resumes by itself: whatever the destination already has is not fetched again. Bytes
// count only after they were verified against the content root: by pieces as they come
// (write_piece), or as a whole at the end (verify_all).
//
// Threads: fetch() and cancel() from any thread; callbacks come from a thread of the transport, and
// after `done` of a job nothing more is called for it. A call may not block on the network.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/object.hpp"
#include "core/result.hpp"
#include "transfer/escalation.hpp"
#include "transfer/types.hpp"

namespace syncline::transports {

// Where the bytes of one object land: a staged file of the object's full size, in pieces of
// core::kPieceBytes. node/ implements it over collections::files::Landing. Threads: one at a time.
class Destination {
 public:
  virtual ~Destination() = default;
  virtual std::uint64_t size_bytes() const = 0;
  virtual std::uint64_t piece_count() const = 0;
  virtual bool has_piece(std::uint64_t piece) const = 0;
  virtual std::uint64_t bytes_present() const = 0;
  // One whole piece and the hashes of its 16 KiB blocks. kCorrupt: not the object's bytes, nothing
  // was written, blame the sender.
  virtual core::Status write_piece(std::uint64_t piece, std::string_view bytes,
                                   const std::vector<core::Digest256>& block_hashes) = 0;
  // What was written so far survives a crash from here on.
  virtual core::Status checkpoint() = 0;
  // Where an outside program writes instead; follow with verify_all(). Absolute. What it writes is
  // kept for the next attempt if checkpoint() was called before.
  virtual std::string staged_path() const = 0;
  virtual core::Status verify_all() = 0;  // kCorrupt: it is not the object
};
using DestinationPtr = std::shared_ptr<Destination>;

// How to log in to a node; empty host: not reachable by SSH.
struct SshEndpoint {
  std::string host;
  std::string user;
  std::uint16_t port = 22;
  std::string key_file;
  std::string known_hosts_file;
  std::string root;  // absolute path of the collection's root over there
};

// One holder of the object and how it can be reached.
struct Source {
  core::NodeId node;
  std::string objects_url;  // "https://host:8751": serves /objects/<root>; empty: it does not
  SshEndpoint ssh;
  std::string local_root = {};     // of the collection, if it can be opened from here
  std::string swarm_address = {};  // "host:port" of its BitTorrent session; empty: it has none
};

struct FetchRequest {
  std::uint64_t job = 0;
  core::CollectionName collection;
  std::string path;  // relative to the collection's root, the same at every source
  core::ObjectVersion object;
  std::vector<Source> sources;  // best first
  // Others that want it now and serve what they have of it, by name: for p2p.
  std::vector<core::NodeId> partners = {};
  // … and "host:port" of those in swarms.
  std::vector<std::string> swarm_peers = {};
  // Of all who want it, each gets another share of the pieces first: its place, and how many.
  int share_rank = 0;
  int share_count = 1;
  transfer::Times times;
  core::Priority priority = core::Priority::kNormal;
  double bandwidth_mbps = 0;  // MB/s; 0 = unlimited. For transports that cannot be metered.
  bool is_metered = false;    // it asks (FetchCallbacks::asks) before it moves anything
  // Roots of the pieces where the transport knows them, else empty. Called once, and again
  // only after it failed.
  std::function<core::Result<DestinationPtr>(std::vector<core::Digest256> piece_layer)> open;
};

struct FetchOutcome {
  core::Status status;
  std::uint64_t bytes = 0;  // over the wire
  core::NodeId node;        // who served most of it; after a failure, who is to blame; or empty
};

struct FetchCallbacks {
  std::function<void(std::uint64_t bytes_present)> progress;
  std::function<void(FetchOutcome)> done;  // exactly once
  // Of a metered one: it could move so many bytes more; grant() tells when it may. May be empty.
  std::function<void(std::uint64_t bytes)> asks = {};
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual transfer::Transport name() const = 0;
  // Empty: it can fetch this. Otherwise one clause that says why not ("no rsync on this node").
  virtual std::string why_not(const FetchRequest& request) const = 0;
  // Seconds from the call to the first byte, for the planner's estimate.
  virtual double setup_seconds() const = 0;
  virtual void fetch(FetchRequest request, FetchCallbacks callbacks) = 0;
  // kCancelled follows through `done`, unless it was done already.
  virtual void cancel(std::uint64_t job) = 0;
  // A metered job may move so many bytes more.
  virtual void grant(std::uint64_t /*job*/, std::uint64_t /*bytes*/) {}
  // Of one that is not metered: MB/s from now on, 0 = unlimited, instead of its request's.
  virtual void pace(std::uint64_t /*job*/, double /*mbps*/) {}
  // Ends all jobs (kCancelled), joins threads, ends subprocesses.
  virtual void close() = 0;
};

}  // namespace syncline::transports
