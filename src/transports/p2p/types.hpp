// What the exchange is given: objects to serve, the links, its bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "wire/messages.hpp"

namespace syncline::transports::p2p {

// One object that this node holds, whole or in part, open for reading. Threads: any at once.
class ServedObject {
 public:
  virtual ~ServedObject() = default;
  virtual std::uint64_t size_bytes() const = 0;
  // Fills `into` from `offset`; fewer bytes only at the end of the object. kConflict: the file is
  // not that object any more, its bytes must not be sent.
  virtual core::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const = 0;
  // Roots of the pieces, in order; empty for an object of at most one piece.
  virtual core::Result<std::vector<core::Digest256>> piece_layer() const = 0;
  // A holder of a part serves that part.
  virtual bool has_piece(std::uint64_t) const { return true; }
  // It is opened anew for each request: soon it is another file's place that it lies in.
  virtual bool is_arriving() const { return false; }
};

// kMissing: this node does not hold it. Called by the workers, several at once.
using OpenObject = std::function<core::Result<std::shared_ptr<ServedObject>>(const core::Root&)>;

struct ExchangePorts {
  // False: there is no link to this node. Any thread.
  std::function<bool(const core::NodeId&, wire::WireMessage)> send;
  // next_data() has something for this node. Any thread.
  std::function<void(const core::NodeId&)> data_ready;
  // This node sent bytes that are not the object's, or broke the protocol. May be empty.
  std::function<void(const core::NodeId&, const std::string& what)> blame;
};

struct ExchangeLimits {
  std::uint64_t window_bytes = 8u << 20;         // of one job: asked and not yet written
  std::uint64_t window_total_bytes = 64u << 20;  // of all jobs together: the memory of fetching
  // Read and not yet sent, per peer. More keeps a long fast path full, and lets a small object
  // wait for more of a large one.
  std::size_t read_ahead_bytes = 1u << 20;
  // Requests of one peer that wait; beyond it is told that we are busy. A fleet's node asks for a
  // window of pieces and for thousands of small files.
  std::size_t requests_per_peer_max = 16 * 1024;
  std::size_t open_objects_max = 64;  // descriptors kept open between requests
  std::size_t workers = 2;            // threads that read, hash and write
  bool accepts_zstd = true;           // let blocks come packed
};

}  // namespace syncline::transports::p2p
