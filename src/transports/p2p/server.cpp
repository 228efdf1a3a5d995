#include "transports/p2p/server.hpp"

#include <algorithm>

#include "core/merkle.hpp"
#include "core/uninitialized.hpp"
#include "net/links.hpp"
#include "transports/p2p/piece_picker.hpp"
#include "wire/frame.hpp"
#include "wire/packing.hpp"

namespace syncline::transports::p2p {

using core::Digest256;
using core::Error;
using core::ErrorKind;
using core::NodeId;

namespace {
constexpr std::size_t kFrameBytes = net::kDataFrameBytes;
constexpr std::uint64_t kPackingTriedEvery = 16u << 20;

wire::ObjectRefused refusal(std::uint64_t job, std::uint64_t offset, const Error& why) {
  return {job, offset, core::to_string(why), why.kind == ErrorKind::kOverloaded};
}

std::string hash_bytes(const std::vector<Digest256>& hashes) {
  std::string out;
  out.reserve(hashes.size() * 32);
  for (const Digest256& hash : hashes) {
    out.append(reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size());
  }
  return out;
}

core::Result<std::string> read(const ServedObject& object, std::uint64_t offset,
                               std::size_t length) {
  std::string bytes;
  core::resize_for_overwrite(bytes, length);
  SYNCLINE_ASSIGN(const std::size_t got, object.read_at(offset, std::span<char>(bytes)));
  if (got == length) return bytes;
  return Error{ErrorKind::kConflict, "the object is shorter than it was", ""};
}

bool first_block_packs(const std::string& bytes) {
  std::string block = bytes.substr(0, core::kBlockBytes);
  return wire::compress(block);
}

// ObjectData or BundleData.
template <typename Data>
void pack(Data& data) {
  const auto raw_bytes = static_cast<std::uint32_t>(data.bytes.size());
  if (wire::compress(data.bytes)) data.raw_bytes = raw_bytes;
}

// What a message holds in memory until the link takes it.
std::size_t held_bytes(const wire::WireMessage& message) {
  if (const auto* data = std::get_if<wire::ObjectData>(&message)) return data->bytes.size();
  if (const auto* layer = std::get_if<wire::LayerReply>(&message)) return layer->hashes.size();
  if (const auto* bundle = std::get_if<wire::BundleData>(&message)) return bundle->bytes.size();
  return sizeof(wire::WireMessage);
}
}  // namespace

// ── open objects ────────────────────────────────────────────────────────────────────────────────

bool Serving::packing_pays(std::uint64_t offset, const std::string& bytes) {
  const std::uint64_t region = offset / kPackingTriedEvery + 1;
  const std::uint64_t known = verdict_.load(std::memory_order_relaxed);
  if (known >> 1 == region) return (known & 1) != 0;
  const bool pays = first_block_packs(bytes);
  verdict_.store(region << 1 | (pays ? 1 : 0), std::memory_order_relaxed);
  return pays;
}

OpenObjects::OpenObjects(OpenObject open, std::size_t count_max)
    : open_(std::move(open)), count_max_(count_max) {}

core::Result<std::shared_ptr<Serving>> OpenObjects::get(const core::Root& root) {
  {
    const std::lock_guard lock(mutex_);
    for (auto it = by_use_.begin(); it != by_use_.end(); ++it) {
      if (it->first != root) continue;
      by_use_.splice(by_use_.begin(), by_use_, it);
      return it->second;
    }
  }
  SYNCLINE_ASSIGN(std::shared_ptr<ServedObject> object, open_(root));
  const auto serving = std::make_shared<Serving>(object);
  // What one frame serves will not be asked for again.
  if (object->size_bytes() <= kFrameBytes || object->is_arriving()) return serving;
  std::shared_ptr<Serving> oldest;  // let go outside the lock
  const std::lock_guard lock(mutex_);
  by_use_.emplace_front(root, serving);
  if (by_use_.size() > count_max_) {
    oldest = std::move(by_use_.back().second);
    by_use_.pop_back();
  }
  return serving;
}

void OpenObjects::drop(const core::Root& root) {
  const std::lock_guard lock(mutex_);
  by_use_.remove_if([&](const auto& one) { return one.first == root; });
}

// ── wishes ──────────────────────────────────────────────────────────────────────────────────────

Server::Server(ExchangePorts ports, OpenObject open, ExchangeLimits limits, Workers& workers)
    : ports_(std::move(ports)),
      limits_(limits),
      workers_(workers),
      objects_(std::move(open), limits.open_objects_max) {}

void Server::on_request(const NodeId& peer, const wire::ObjectRequest& request) {
  Wish wish;
  wish.root = request.root;
  wish.offset = request.offset;
  wish.length = request.length;
  wish.accepts_zstd = request.accepts_zstd;
  add(peer, request.job, std::move(wish));
}

void Server::on_layer_request(const NodeId& peer, const wire::LayerRequest& request) {
  Wish wish;
  wish.root = request.root;
  wish.blocks_of_piece = request.blocks_of_piece;
  add(peer, request.job, std::move(wish));
}

void Server::on_bundle_request(const NodeId& peer, wire::BundleRequest request) {
  Wish wish;
  for (const auto& object : request.objects) wish.length += object.size_bytes;
  wish.accepts_zstd = request.accepts_zstd;
  wish.bundle =
      std::make_shared<const std::vector<wire::BundleRequest::Object>>(std::move(request.objects));
  add(peer, request.job, std::move(wish));
}

void Server::add(const NodeId& id, std::uint64_t job, Wish wish) {
  std::optional<wire::ObjectRefused> refused;
  {
    const std::lock_guard lock(mutex_);
    auto [it, is_new] = peers_.try_emplace(id);
    Peer& peer = it->second;
    if (is_new) peer.link = ++links_;
    const bool has_room =
        peer.wishes == 0 || peer.wishes + wish.count() <= limits_.requests_per_peer_max;
    if (!has_room) {
      refused =
          refusal(job, wish.offset, {ErrorKind::kOverloaded, "too many requests wait already", ""});
    } else {
      peer.wishes += wish.count();
      auto& wishes = peer.jobs[job];
      if (wishes.empty()) peer.turns.push_back(job);
      wishes.push_back(std::move(wish));
      feed(id, peer);
    }
  }
  if (refused) ports_.send(id, std::move(*refused));
}

void Server::on_cancel(const NodeId& id, std::uint64_t job) {
  const std::lock_guard lock(mutex_);
  auto it = peers_.find(id);
  if (it == peers_.end()) return;
  Peer& peer = it->second;
  auto wishes = peer.jobs.find(job);
  if (wishes != peer.jobs.end()) {
    for (const Wish& wish : wishes->second) peer.wishes -= wish.count();
    peer.jobs.erase(wishes);
    std::erase(peer.turns, job);
  }
  for (auto ready = peer.ready.begin(); ready != peer.ready.end();) {
    if (ready->first != job) {
      ++ready;
      continue;
    }
    peer.ready_bytes -= held_bytes(ready->second);
    ready = peer.ready.erase(ready);
  }
  feed(id, peer);
}

void Server::link_down(const NodeId& peer) {
  const std::lock_guard lock(mutex_);
  peers_.erase(peer);
}

// ── turns ───────────────────────────────────────────────────────────────────────────────────────

void Server::feed(const NodeId& id, Peer& peer) {
  while (!peer.turns.empty() && peer.ready_bytes + peer.reading_bytes < limits_.read_ahead_bytes) {
    const std::uint64_t job = peer.turns.front();
    peer.turns.pop_front();
    auto wishes = peer.jobs.find(job);
    Wish& wish = wishes->second.front();
    Turn turn{id, peer.link, job, wish, 0, true};
    // Hashes count as a frame: making them may read a piece.
    turn.bytes = wish.length == 0 ? kFrameBytes : std::min<std::size_t>(wish.length, kFrameBytes);
    turn.wish.length = std::min<std::uint64_t>(wish.length, kFrameBytes);
    turn.is_last_of_wish = wish.length <= kFrameBytes;
    if (turn.is_last_of_wish) {
      peer.wishes -= wish.count();
      wishes->second.pop_front();
    } else {
      wish.offset += kFrameBytes;
      wish.length -= kFrameBytes;
    }
    if (wishes->second.empty()) {
      peer.jobs.erase(wishes);
    } else {
      peer.turns.push_back(job);
    }
    peer.reading_bytes += turn.bytes;
    workers_.post([this, turn = std::move(turn)]() mutable { serve(std::move(turn)); });
  }
}

void Server::serve(Turn turn) {
  wire::WireMessage message = make(turn);
  const bool is_refusal = std::holds_alternative<wire::ObjectRefused>(message);
  {
    const std::lock_guard lock(mutex_);
    auto it = peers_.find(turn.peer);
    if (it == peers_.end() || it->second.link != turn.link) return;
    Peer& peer = it->second;
    peer.reading_bytes -= turn.bytes;
    peer.ready_bytes += held_bytes(message);
    auto wishes = peer.jobs.find(turn.job);
    if (wishes != peer.jobs.end() && !turn.is_last_of_wish) {
      Wish& rest = wishes->second.front();
      const bool is_same = rest.root == turn.wish.root && rest.offset > turn.wish.offset;
      if (is_same && is_refusal) {  // one refusal answers the whole request
        wishes->second.pop_front();
        --peer.wishes;
        if (wishes->second.empty()) {
          peer.jobs.erase(wishes);
          std::erase(peer.turns, turn.job);
        }
      }
    }
    peer.ready.emplace_back(turn.job, std::move(message));
    feed(turn.peer, peer);
  }
  ports_.data_ready(turn.peer);
}

std::optional<wire::WireMessage> Server::next_data(const NodeId& id) {
  const std::lock_guard lock(mutex_);
  auto it = peers_.find(id);
  if (it == peers_.end() || it->second.ready.empty()) return std::nullopt;
  Peer& peer = it->second;
  wire::WireMessage message = std::move(peer.ready.front().second);
  peer.ready.pop_front();
  peer.ready_bytes -= held_bytes(message);
  feed(id, peer);
  return message;
}

// ── answers ─────────────────────────────────────────────────────────────────────────────────────

wire::WireMessage Server::make(const Turn& turn) {
  const Wish& wish = turn.wish;
  if (wish.bundle) return make_bundle(turn);
  const auto serving = objects_.get(wish.root);
  if (!serving.ok()) return refusal(turn.job, wish.offset, serving.error());
  const ServedObject& object = (*serving)->object();
  if (wish.length == 0) return make_hashes(turn, object);
  const std::uint64_t size = object.size_bytes();
  const bool is_inside = wish.offset < size && wish.length <= size - wish.offset;
  if (!is_inside) {
    return refusal(turn.job, wish.offset,
                   {ErrorKind::kInvalid, "bytes beyond the end of the object were asked for", ""});
  }
  if (!object.has_piece(wish.offset / kPieceBytes)) {
    return refusal(turn.job, wish.offset, {ErrorKind::kMissing, "this piece is not here yet", ""});
  }
  auto bytes = read(object, wish.offset, static_cast<std::size_t>(wish.length));
  if (!bytes.ok()) {
    objects_.drop(wish.root);
    return refusal(turn.job, wish.offset, bytes.error());
  }
  wire::ObjectData data{turn.job, wish.offset, std::move(bytes).value()};
  if (wish.accepts_zstd && (*serving)->packing_pays(wish.offset, data.bytes)) pack(data);
  return data;
}

core::Result<std::string> Server::read_whole(const wire::BundleRequest::Object& wanted) {
  SYNCLINE_ASSIGN(const auto serving, objects_.get(wanted.root));
  const ServedObject& object = serving->object();
  if (object.is_arriving() || object.size_bytes() != wanted.size_bytes) {
    return Error{ErrorKind::kMissing, "the object is not here whole", ""};
  }
  return read(object, 0, wanted.size_bytes);
}

// What cannot be had is left out: the asker asks for it alone, and hears why.
wire::WireMessage Server::make_bundle(const Turn& turn) {
  wire::BundleData data;
  data.job = turn.job;
  data.bytes.reserve(turn.wish.length);
  const auto& objects = *turn.wish.bundle;
  for (std::uint32_t i = 0; i < objects.size(); ++i) {
    const auto bytes = read_whole(objects[i]);
    if (bytes.ok()) {
      data.bytes += *bytes;
    } else {
      data.missing.push_back(i);
    }
  }
  const bool is_one_block = data.bytes.size() <= core::kBlockBytes;
  if (turn.wish.accepts_zstd && (is_one_block || first_block_packs(data.bytes))) pack(data);
  return data;
}

wire::WireMessage Server::make_hashes(const Turn& turn, const ServedObject& object) {
  const Wish& wish = turn.wish;
  if (!wish.blocks_of_piece) {
    auto layer = object.piece_layer();
    if (!layer.ok()) {
      objects_.drop(wish.root);
      return refusal(turn.job, 0, layer.error());
    }
    if (layer->size() * 32 > wire::kPayloadBytesMax) {
      return refusal(turn.job, 0, {ErrorKind::kInvalid, "the object is too large for p2p", ""});
    }
    return wire::LayerReply{turn.job, hash_bytes(*layer)};
  }
  const std::uint64_t piece = *wish.blocks_of_piece;
  const std::uint64_t pieces = (object.size_bytes() + kPieceBytes - 1) / kPieceBytes;
  if (piece >= pieces || !object.has_piece(piece)) {
    return refusal(turn.job, 0, {ErrorKind::kMissing, "this piece is not here", ""});
  }
  const std::uint64_t offset = piece * kPieceBytes;
  auto bytes = read(object, offset,
                    static_cast<std::size_t>(std::min(kPieceBytes, object.size_bytes() - offset)));
  if (!bytes.ok()) return refusal(turn.job, offset, bytes.error());
  return wire::LayerReply{turn.job, hash_bytes(core::block_hashes(*bytes)), piece};
}

}  // namespace syncline::transports::p2p
