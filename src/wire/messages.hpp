// What travels on a connection beside core::Message: bytes of objects, pings, joins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/ids.hpp"
#include "core/messages.hpp"

namespace syncline::wire {

// `job` is the asker's number; the answers repeat it.
struct ObjectRequest {
  std::uint64_t job = 0;
  core::Root root;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;   // at most 1 MiB; answered in one or more ObjectData
  bool accepts_zstd = false;  // the answers may be packed
  bool operator==(const ObjectRequest&) const = default;
};
struct ObjectData {
  std::uint64_t job = 0;
  std::uint64_t offset = 0;
  std::string bytes;
  std::uint32_t raw_bytes = 0;  // 0: as they are; else packed (packing.hpp), at most 1 MiB
  bool operator==(const ObjectData&) const = default;
};
// Roots of all pieces; or the hashes of the blocks of one piece, to find what is wrong in it.
struct LayerRequest {
  std::uint64_t job = 0;
  core::Root root;
  std::optional<std::uint64_t> blocks_of_piece = {};
  bool operator==(const LayerRequest&) const = default;
};
struct LayerReply {
  std::uint64_t job = 0;
  std::string hashes;  // 32 bytes each: roots of the pieces, or of blocks
  std::optional<std::uint64_t> blocks_of_piece = {};
  bool operator==(const LayerReply&) const = default;
};
struct ObjectRefused {
  std::uint64_t job = 0;
  std::uint64_t offset = 0;
  std::string reason;
  bool is_busy = false;  // it has the object: ask again after what it still owes
  bool operator==(const ObjectRefused&) const = default;
};
// Many small objects whole, for one answer: all of their bytes go into one frame.
inline constexpr std::size_t kBundleObjectsMax = 256;
inline constexpr std::uint32_t kBundleBytesMax = 256u << 10;
struct BundleRequest {
  struct Object {
    core::Root root;
    std::uint32_t size_bytes = 0;  // at least 1
    bool operator==(const Object&) const = default;
  };
  std::uint64_t job = 0;
  std::vector<Object> objects;  // of at most kBundleBytesMax together
  bool accepts_zstd = false;
  bool operator==(const BundleRequest&) const = default;
};
struct BundleData {
  std::uint64_t job = 0;
  std::vector<std::uint32_t>
      missing;                  // places in the request of those that are not here; ascending
  std::string bytes;            // of all others, one after the other
  std::uint32_t raw_bytes = 0;  // as in ObjectData
  bool operator==(const BundleData&) const = default;
};
struct CancelJob {
  std::uint64_t job = 0;
  bool operator==(const CancelJob&) const = default;
};
// The sender is about to fetch the object in a swarm: seed it.
struct SeedRequest {
  core::Root root;
  bool operator==(const SeedRequest&) const = default;
};
// The sender fetches the object too, and serves these pieces of it from now on.
struct ObjectPieces {
  core::Root root;
  std::vector<std::uint32_t> pieces;  // that it did not tell before
  bool asks = false;                  // what does the other have? it answers with all
  // Of other nodes' shares: what it now asks a holder for, so that nobody else need.
  std::vector<std::uint32_t> taking = {};
  bool operator==(const ObjectPieces&) const = default;
};
struct Ping {
  std::uint64_t number = 0;
  bool is_answer = false;
  bool operator==(const Ping&) const = default;
};
struct JoinRequest {
  std::string request;
  bool operator==(const JoinRequest&) const = default;
};
struct JoinAnswer {
  bool is_accepted = false;
  std::string answer;
  std::string reason;
  bool operator==(const JoinAnswer&) const = default;
};

using WireMessage = std::variant<core::Message, ObjectRequest, ObjectData, LayerRequest, LayerReply,
                                 ObjectRefused, CancelJob, SeedRequest, ObjectPieces, BundleRequest,
                                 BundleData, Ping, JoinRequest, JoinAnswer>;

}  // namespace syncline::wire
