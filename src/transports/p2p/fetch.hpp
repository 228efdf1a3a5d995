// The state of one fetch. Private to the room.
//
// Threads: what is marked so belongs to the fetch's strand; all else is guarded by the fetcher.
#pragma once

#include <bit>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/merkle.hpp"
#include "transports/p2p/pace.hpp"
#include "transports/p2p/piece_picker.hpp"
#include "transports/p2p/workers.hpp"
#include "transports/transport.hpp"
#include "wire/messages.hpp"

namespace syncline::transports::p2p {

// One piece as it comes from one source. A bit per 16 KiB block, lowest first.
struct Assembly {
  Assembly(Ask a, std::uint64_t size) : ask(std::move(a)), size_bytes(size) {
    const std::uint64_t blocks = (size + core::kBlockBytes - 1) / core::kBlockBytes;
    hashes.resize(blocks);
    all = blocks == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << blocks) - 1;
  }

  Ask ask;
  std::uint64_t size_bytes = 0;
  std::uint64_t all = 0;
  std::uint64_t came = 0;  // received, or kept from a copy that was wrong elsewhere
  std::uint64_t hashed = 0;
  bool is_given_up = false;       // a frame of it was wrong
  bool waits_for_hashes = false;  // nothing was asked yet but the hashes of its blocks

  // Filled by the workers, each its own blocks.
  std::once_flag is_allocated;
  std::string bytes;
  std::vector<core::Digest256> hashes;
  std::vector<core::Digest256> expected;  // of the blocks, where they are known; else empty
};
using AssemblyPtr = std::shared_ptr<Assembly>;

struct Fetch {
  enum class Phase { kLayer, kOpening, kPieces, kOver };

  Fetch(FetchRequest r, FetchCallbacks c, Workers& workers)
      : request(std::move(r)), callbacks(std::move(c)), strand(std::make_shared<Strand>(workers)) {}

  std::uint64_t size_bytes() const { return request.object.size_bytes; }
  bool has_layer() const { return size_bytes() > kPieceBytes; }
  bool is_source(const core::NodeId& node) const {
    for (const Source& source : request.sources) {
      if (source.node == node) return true;
    }
    return partners.count(node) > 0;
  }
  bool is_shared() const { return request.share_count > 1 && has_layer(); }

  std::uint64_t id = 0;  // the job's number on the wire
  const FetchRequest request;
  const FetchCallbacks callbacks;
  const std::shared_ptr<Strand> strand;
  Phase phase = Phase::kPieces;

  std::optional<PiecePicker> picker;  // none for the empty object
  std::set<core::NodeId> refused;     // they do not have it
  std::set<core::NodeId> partners;    // told that they fetch it too
  std::vector<std::uint32_t> fresh;   // pieces that came and were not told to them yet
  std::vector<std::uint32_t> taking;  // likewise, of others' shares
  core::Instant told_at;
  core::NodeId layer_source;
  core::Instant layer_asked_at;
  std::set<core::NodeId> layer_asked;  // in this round
  std::vector<core::Digest256> layer;  // verified
  std::map<Ask, AssemblyPtr> assemblies;
  std::set<Ask> forgotten;                           // taken back once: late bytes are no offence
  std::map<std::uint64_t, AssemblyPtr> wrong;        // piece -> a copy with a wrong block in it
  std::map<core::NodeId, std::uint64_t> bytes_from;  // over the wire
  Pace pace;
  std::int64_t allowance = 0;       // of a metered one: it may move so much; a debt below 0
  std::uint64_t asked_for = 0;      // and not granted yet
  core::Instant quiet_since;        // of the network, while something is awaited
  std::uint64_t counted_bytes = 0;  // of the fetcher's total
  bool is_in_line = false;          // waits for room in the total
  core::Error problem{core::ErrorKind::kUnreachable, "no source of it is linked to this node", ""};
  core::NodeId culprit;  // of that problem

  // The strand's.
  DestinationPtr destination;
  core::Instant progress_told_at;
};
using FetchPtr = std::shared_ptr<Fetch>;

}  // namespace syncline::transports::p2p
