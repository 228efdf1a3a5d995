// Bytes and hashes that arrive: checked, hashed, written.
#include <algorithm>
#include <cstring>

#include "core/uninitialized.hpp"
#include "transports/p2p/fetcher.hpp"
#include "wire/packing.hpp"

namespace syncline::transports::p2p {

using core::Digest256;
using core::Error;
using core::ErrorKind;
using core::kBlockBytes;
using core::NodeId;
using Phase = Fetch::Phase;

namespace {
constexpr core::Duration kProgressEvery = core::milliseconds(250);

std::vector<Digest256> parse_hashes(const std::string& bytes) {
  std::vector<Digest256> hashes(bytes.size() / 32);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    std::memcpy(hashes[i].bytes.data(), bytes.data() + i * 32, 32);
  }
  return hashes;
}

// Bits of the blocks that `size` bytes from `offset` (inside the piece, at a block's start) fill.
std::uint64_t bits_of(std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t first = offset / kBlockBytes;
  const std::uint64_t count = (size + kBlockBytes - 1) / kBlockBytes;
  const std::uint64_t ones = count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
  return ones << first;
}
}  // namespace

// ── the layer ───────────────────────────────────────────────────────────────────────────────────

void Fetcher::on_layer(const NodeId& peer, wire::LayerReply reply) {
  turn([&](Out& out) {
    const FetchPtr fetch = find(reply.job);
    if (!fetch || !fetch->picker || fetch->picker->is_barred(peer)) return;
    fetch->quiet_since = clock_.now();
    if (reply.blocks_of_piece) {
      take_block_hashes(fetch, peer, reply, out);
      return;
    }
    // An answer that comes late, from one asked before, is as good.
    if (fetch->phase != Phase::kLayer || !fetch->is_source(peer)) return;
    fetch->phase = Phase::kOpening;
    fetch->strand->post(
        [this, fetch, peer, hashes = std::move(reply.hashes)] { take_layer(fetch, peer, hashes); });
  });
}

void Fetcher::take_layer(const FetchPtr& fetch, const NodeId& peer, std::string hashes) {
  std::vector<Digest256> layer = parse_hashes(hashes);
  const bool is_right =
      layer.size() == fetch->picker->piece_count() &&
      core::root_of_layer(layer, core::kPieceBlocks) == fetch->request.object.root;
  if (!is_right) {
    turn([&](Out& out) {
      if (fetch->phase != Phase::kOpening) return;
      fetch->phase = Phase::kLayer;
      fetch->layer_source = peer;
      blame(fetch, peer, "sent a piece layer that does not hash to the object's root", out);
    });
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (fetch->phase != Phase::kOpening) return;
    fetch->layer = layer;
  }
  opened(fetch, fetch->request.open(std::move(layer)));
}

void Fetcher::opened(const FetchPtr& fetch, core::Result<DestinationPtr> destination) {
  std::vector<std::uint64_t> present;
  if (destination.ok()) {
    fetch->destination = *destination;
    for (std::uint64_t piece = 0; piece < fetch->destination->piece_count(); ++piece) {
      if (fetch->destination->has_piece(piece)) present.push_back(piece);
    }
  }
  turn([&](Out& out) {
    if (fetch->phase != Phase::kOpening) return;
    if (!destination.ok()) {
      finish(fetch, destination.error(), {}, out);
      return;
    }
    fetch->phase = Phase::kPieces;
    fetch->quiet_since = clock_.now();
    if (fetch->picker) {
      for (std::uint64_t piece : present) fetch->picker->mark_present(piece);
      greet_partners(*fetch, present, out);
    }
    if (!fetch->picker || fetch->picker->is_complete()) {
      finish(fetch, {}, {}, out);
    } else if (!fetch->picker->has_sources()) {
      go_on_without(fetch, out);
    } else {
      pump(fetch, out);
    }
  });
}

// ── a piece ─────────────────────────────────────────────────────────────────────────────────────

std::string Fetcher::why_not_taken(const Fetch& fetch, const Assembly& assembly,
                                   const wire::ObjectData& data, std::uint64_t size) const {
  const std::uint64_t offset = data.offset % kPieceBytes;
  if (assembly.waits_for_hashes) return "sent bytes that nobody asked for";
  if (offset % kBlockBytes != 0 || offset + size > assembly.size_bytes) {
    return "sent bytes with an offset or a length that nobody asked for";
  }
  const bool is_end = data.offset + size == fetch.size_bytes();
  if (size % kBlockBytes != 0 && !is_end) return "sent a part of a block";
  if ((assembly.came & bits_of(offset, size)) != 0) return "sent the same bytes twice";
  return {};
}

void Fetcher::on_data(const NodeId& peer, wire::ObjectData data) {
  turn([&](Out& out) {
    const FetchPtr fetch = find(data.job);
    if (!fetch || !fetch->picker || !fetch->is_source(peer)) return;
    if (fetch->picker->is_barred(peer)) return;
    const std::uint64_t size = data.raw_bytes > 0 ? data.raw_bytes : data.bytes.size();
    const Ask ask{peer, data.offset / kPieceBytes};
    fetch->bytes_from[peer] += data.bytes.size();
    auto it = fetch->assemblies.find(ask);
    if (it == fetch->assemblies.end()) {
      if (fetch->forgotten.count(ask) > 0 || fetch->phase != Phase::kPieces) return;
      blame(fetch, peer, "sent bytes that nobody asked for", out);
      return;
    }
    const AssemblyPtr assembly = it->second;
    // Asked twice, since the first answer was late: both may come.
    const bool is_second_answer = fetch->forgotten.count(ask) > 0 &&
                                  (assembly->came & bits_of(data.offset % kPieceBytes, size)) != 0;
    if (is_second_answer) return;
    const std::string offence = why_not_taken(*fetch, *assembly, data, size);
    if (!offence.empty()) {
      blame(fetch, peer, offence, out);
      return;
    }
    const core::Instant now = clock_.now();
    fetch->quiet_since = now;
    fetch->picker->bytes_came(ask, size, now);
    assembly->came |= bits_of(data.offset % kPieceBytes, size);
    if (assembly->came == assembly->all) fetch->picker->arrived(ask);
    workers_.post([this, fetch, assembly, data = std::move(data)]() mutable {
      hash(fetch, assembly, std::move(data));
    });
    pump(fetch, out);
  });
}

void Fetcher::hash(const FetchPtr& fetch, const AssemblyPtr& assembly, wire::ObjectData data) {
  std::string what;
  if (data.raw_bytes > 0 && !wire::decompress(data.bytes, data.raw_bytes)) {
    what = "sent packed bytes that cannot be unpacked";
  }
  const std::uint64_t offset = data.offset % kPieceBytes;
  std::uint64_t bits = 0;
  if (what.empty()) {
    bits = bits_of(offset, data.bytes.size());
    const auto first = static_cast<std::ptrdiff_t>(offset / kBlockBytes);
    const std::vector<Digest256> hashes = core::block_hashes(data.bytes);
    std::copy(hashes.begin(), hashes.end(), assembly->hashes.begin() + first);
    for (std::size_t i = 0; i < hashes.size() && !assembly->expected.empty(); ++i) {
      const std::size_t block = static_cast<std::size_t>(first) + i;
      if (hashes[i] == assembly->expected[block]) continue;
      what = "sent wrong bytes in block " + std::to_string(block) + " of piece " +
             std::to_string(assembly->ask.piece);
    }
    if (data.bytes.size() == assembly->size_bytes) {
      assembly->bytes = std::move(data.bytes);
    } else {
      std::call_once(assembly->is_allocated,
                     [&] { core::resize_for_overwrite(assembly->bytes, assembly->size_bytes); });
      std::memcpy(assembly->bytes.data() + offset, data.bytes.data(), data.bytes.size());
    }
  }
  bool is_whole_piece = false;
  turn([&](Out& out) {
    if (fetch->phase != Phase::kPieces) return;
    if (!what.empty()) {
      if (std::exchange(assembly->is_given_up, true)) return;
      blame(fetch, assembly->ask.source, what, out);
      fetch->picker->failed(assembly->ask);
      go_on_or_end(fetch, out);
      return;
    }
    assembly->hashed |= bits;
    is_whole_piece = assembly->hashed == assembly->all;
  });
  if (!is_whole_piece) return;
  fetch->strand->dispatch([this, fetch, assembly] { write(fetch, assembly); });
}

void Fetcher::write(const FetchPtr& fetch, const AssemblyPtr& assembly) {
  {
    const std::lock_guard lock(mutex_);
    if (fetch->phase != Phase::kPieces) return;
    // A second copy that came at the same time was faster.
    if (fetch->picker->is_present(assembly->ask.piece)) {
      fetch->assemblies.erase(assembly->ask);
      return;
    }
  }
  core::Status status;
  if (!fetch->destination) {
    auto destination = fetch->request.open({});
    if (destination.ok())
      fetch->destination = std::move(destination).value();
    else
      status = destination.error();
  }
  if (status.ok()) {
    status =
        fetch->destination->write_piece(assembly->ask.piece, assembly->bytes, assembly->hashes);
  }
  const core::Instant now = clock_.now();
  const bool is_told =
      status.ok() && fetch->callbacks.progress && now - fetch->progress_told_at >= kProgressEvery;
  if (is_told) {
    fetch->progress_told_at = now;
    fetch->callbacks.progress(fetch->destination->bytes_present());
  }
  turn([&](Out& out) {
    if (fetch->phase != Phase::kPieces) return;
    if (status.ok()) {
      written(fetch, assembly, out);
    } else if (status.error().kind == ErrorKind::kCorrupt) {
      piece_is_wrong(fetch, assembly, out);
    } else {
      finish(fetch, status, {}, out);
    }
  });
}

void Fetcher::written(const FetchPtr& fetch, const AssemblyPtr& assembly, Out& out) {
  const std::uint64_t piece = assembly->ask.piece;
  fetch->assemblies.erase(assembly->ask);
  fetch->wrong.erase(piece);
  forget(*fetch, fetch->picker->verified(piece));
  if (fetch->is_shared()) {
    fetch->fresh.push_back(static_cast<std::uint32_t>(piece));
    tell_partners(*fetch, false, out);
  }
  go_on_or_end(fetch, out);
}

void Fetcher::go_on_or_end(const FetchPtr& fetch, Out& out) {
  if (fetch->phase == Phase::kOver) return;
  if (fetch->picker->is_complete()) {
    finish(fetch, {}, {}, out);
  } else if (!fetch->picker->has_sources()) {
    go_on_without(fetch, out);
  } else {
    pump(fetch, out);
  }
}

// ── a wrong piece ───────────────────────────────────────────────────────────────────────────────

void Fetcher::piece_is_wrong(const FetchPtr& fetch, const AssemblyPtr& assembly, Out& out) {
  const std::uint64_t piece = assembly->ask.piece;
  fetch->assemblies.erase(assembly->ask);
  fetch->picker->failed(assembly->ask);
  fetch->wrong.emplace(piece, assembly);
  blame(fetch, assembly->ask.source, "sent wrong bytes in piece " + std::to_string(piece), out);
  go_on_or_end(fetch, out);
}

void Fetcher::take_block_hashes(const FetchPtr& fetch, const NodeId& peer,
                                const wire::LayerReply& reply, Out& out) {
  const std::uint64_t piece = *reply.blocks_of_piece;
  auto it = fetch->assemblies.find({peer, piece});
  auto wrong = fetch->wrong.find(piece);
  if (it == fetch->assemblies.end() || !it->second->waits_for_hashes) return;
  const AssemblyPtr assembly = it->second;
  const std::vector<Digest256> hashes = parse_hashes(reply.hashes);
  const Digest256& expected = fetch->has_layer() ? fetch->layer[piece] : fetch->request.object.root;
  const std::size_t width = fetch->has_layer() ? core::kPieceBlocks : 1;
  if (hashes.size() != assembly->hashes.size() || core::merkle_root(hashes, 0, width) != expected) {
    blame(fetch, peer, "sent hashes of blocks that do not hash to their piece", out);
    return;
  }
  assembly->waits_for_hashes = false;
  if (wrong != fetch->wrong.end()) {
    keep_right_blocks(*assembly, *wrong->second, hashes, out);
    fetch->wrong.erase(wrong);
  }
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if ((assembly->came >> i & 1) != 0) continue;
    const std::uint64_t offset = i * kBlockBytes;
    const auto length = std::min<std::uint64_t>(kBlockBytes, assembly->size_bytes - offset);
    out.messages.emplace_back(
        peer,
        wire::ObjectRequest{fetch->id, fetch->request.object.root, piece * kPieceBytes + offset,
                            static_cast<std::uint32_t>(length), limits_.accepts_zstd});
  }
}

// Those of a wrong copy need not come again; each other block is checked alone when it comes.
void Fetcher::keep_right_blocks(Assembly& assembly, const Assembly& wrong,
                                const std::vector<Digest256>& hashes, Out& out) {
  std::uint64_t right = 0;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (wrong.hashes[i] == hashes[i]) {
      right |= std::uint64_t{1} << i;
    } else {
      out.blames.emplace_back(wrong.ask.source, "sent wrong bytes in block " + std::to_string(i) +
                                                    " of piece " + std::to_string(wrong.ask.piece));
    }
  }
  assembly.expected = hashes;
  if (right == assembly.all) return;  // it was refused for another reason: all of it comes again
  assembly.came = assembly.hashed = right;
  assembly.hashes = hashes;
  assembly.bytes = wrong.bytes;
  std::call_once(assembly.is_allocated, [] {});
}

}  // namespace syncline::transports::p2p
