// What the tests of the exchange share: real links over TLS on this machine, real files, and
// holders that lie, stall or die on command.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "core/merkle.hpp"
#include "core/test_bytes.hpp"
#include "env/clock.hpp"
#include "net/links.hpp"
#include "transports/p2p/exchange.hpp"
#include "transports/p2p/piece_picker.hpp"

namespace syncline::transports::p2p {

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/syncline-p2p-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

using core::test_bytes;

inline std::vector<core::Digest256> layer_of(const std::string& bytes) {
  return core::merkle_layer(core::block_hashes(bytes), kPieceBytes / core::kBlockBytes);
}

inline core::ObjectVersion version_of(const std::string& bytes) {
  core::ObjectVersion version;
  version.size_bytes = bytes.size();
  if (!bytes.empty()) version.root = core::merkle_root(core::block_hashes(bytes));
  return version;
}

// A file on the disk, served as it is; `distort` may change what is read.
class FileObject : public ServedObject {
 public:
  FileObject(const std::string& path, const std::string& bytes) : layer_(layer_of(bytes)) {
    std::ofstream(path, std::ios::binary) << bytes;
    fd_ = ::open(path.c_str(), O_RDONLY);
    size_ = bytes.size();
  }
  ~FileObject() override { ::close(fd_); }
  std::uint64_t size_bytes() const override { return size_; }
  core::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override {
    ++reads;
    const ssize_t got = ::pread(fd_, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0) return core::Error{core::ErrorKind::kMissing, "cannot read", ""};
    if (distort) distort(offset, into);
    return static_cast<std::size_t>(got);
  }
  core::Result<std::vector<core::Digest256>> piece_layer() const override {
    ++layers_asked;
    return distorted_layer.empty() ? layer_ : distorted_layer;
  }
  bool has_piece(std::uint64_t piece) const override { return missing.count(piece) == 0; }

  std::function<void(std::uint64_t, std::span<char>)> distort;
  std::vector<core::Digest256> distorted_layer;
  std::set<std::uint64_t> missing;
  mutable std::atomic<int> reads{0};
  mutable std::atomic<int> layers_asked{0};

 private:
  std::vector<core::Digest256> layer_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

// A staged file with the rules of collections/files: a piece counts once its hash is right.
class FileDestination : public Destination {
 public:
  FileDestination(const std::string& path, core::ObjectVersion object)
      : path_(path), object_(std::move(object)), present_(piece_count()) {
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(::ftruncate(fd_, static_cast<off_t>(object_.size_bytes)), 0);
  }
  ~FileDestination() override { ::close(fd_); }
  std::uint64_t size_bytes() const override { return object_.size_bytes; }
  std::uint64_t piece_count() const override {
    return (object_.size_bytes + kPieceBytes - 1) / kPieceBytes;
  }
  bool has_piece(std::uint64_t piece) const override {
    const std::lock_guard lock(mutex_);
    return present_[piece];
  }
  std::uint64_t bytes_present() const override {
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < present_.size(); ++i) {
      if (present_[i]) bytes += std::min(kPieceBytes, object_.size_bytes - i * kPieceBytes);
    }
    return bytes;
  }
  core::Status write_piece(std::uint64_t piece, std::string_view bytes,
                           const std::vector<core::Digest256>& hashes) override {
    const bool is_layered = object_.size_bytes > kPieceBytes;
    const auto root = core::merkle_root(hashes, 0, is_layered ? core::kPieceBlocks : 1);
    if (root != (is_layered ? layer[piece] : object_.root)) {
      return core::Error{core::ErrorKind::kCorrupt, "a wrong piece", ""};
    }
    EXPECT_FALSE(present_[piece]) << "piece " << piece << " was written twice";
    EXPECT_EQ(::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(piece * kPieceBytes)),
              static_cast<ssize_t>(bytes.size()));
    {
      const std::lock_guard lock(mutex_);
      present_[piece] = true;
    }
    ++written;
    return write_answer;
  }
  core::Status checkpoint() override {
    ++checkpoints;
    return {};
  }
  std::string staged_path() const override { return path_; }
  core::Status verify_all() override { return {}; }
  std::string content() const {
    std::string bytes(object_.size_bytes, '\0');
    EXPECT_EQ(::pread(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return bytes;
  }

  std::vector<core::Digest256> layer;
  core::Status write_answer;
  std::atomic<int> written{0};
  std::atomic<int> checkpoints{0};

 private:
  std::string path_;
  core::ObjectVersion object_;
  mutable std::mutex mutex_;  // others are served while it is written
  std::vector<bool> present_;
  int fd_ = -1;
};

// What has come of an object, served on.
class ArrivingObject : public ServedObject {
 public:
  explicit ArrivingObject(std::shared_ptr<FileDestination> to) : to_(std::move(to)) {
    fd_ = ::open(to_->staged_path().c_str(), O_RDONLY);
  }
  ~ArrivingObject() override { ::close(fd_); }
  std::uint64_t size_bytes() const override { return to_->size_bytes(); }
  core::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override {
    return static_cast<std::size_t>(
        ::pread(fd_, into.data(), into.size(), static_cast<off_t>(offset)));
  }
  core::Result<std::vector<core::Digest256>> piece_layer() const override {
    return core::Error{core::ErrorKind::kMissing, "not whole", ""};
  }
  bool has_piece(std::uint64_t piece) const override { return to_->has_piece(piece); }
  bool is_arriving() const override { return true; }

 private:
  std::shared_ptr<FileDestination> to_;
  int fd_ = -1;
};

// One fetch as a test follows it.
class Followed {
 public:
  std::atomic<int> done_count{0};
  std::atomic<int> progress_count{0};
  std::atomic<std::uint64_t> progress_bytes{0};
  FetchOutcome outcome;  // after done_count is 1
  bool is_done() const { return done_count > 0; }
  std::shared_ptr<FileDestination> destination() const {  // null until `open` was called
    const std::lock_guard lock(mutex_);
    return destination_;
  }
  bool has_written(int pieces) const {
    const auto to = destination();
    return to && to->written >= pieces;
  }
  void opened(std::shared_ptr<FileDestination> destination) {  // on a worker
    const std::lock_guard lock(mutex_);
    destination_ = std::move(destination);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<FileDestination> destination_;
};

// One node of the fleet: links and an exchange, wired as the daemon does.
struct Peer {
  core::NodeId id;
  env::SystemClock clock;
  Folder folder;
  std::mutex mutex;
  std::map<core::Root, std::shared_ptr<ServedObject>> objects;
  std::vector<std::pair<core::NodeId, std::string>> blames;
  std::set<core::NodeId> up;
  bool serves_what_comes = false;
  std::function<void(wire::WireMessage&)> on_sending;  // sees what next_data hands out
  std::unique_ptr<net::Links> links;
  std::unique_ptr<Exchange> exchange;

  Peer(asio::io_context& io, const std::string& name, const net::TlsIdentity& tls,
       ExchangeLimits limits = {})
      : id(name) {
    net::LinkCallbacks calls;
    calls.on_up = [this](const core::NodeId& peer, const core::Hello&, const std::string&) {
      up.insert(peer);
      exchange->link_up(peer);
    };
    calls.on_down = [this](const core::NodeId& peer, const std::string&) {
      up.erase(peer);
      exchange->link_down(peer);
    };
    calls.on_message = [this](const core::NodeId& peer, wire::WireMessage message) {
      EXPECT_TRUE(exchange->on_message(peer, message));
    };
    calls.on_dial_failed = [](const std::string&, const std::string&) {};
    calls.next_data = [this](const core::NodeId& peer) {
      auto message = exchange->next_data(peer);
      if (message && on_sending) on_sending(*message);
      return message;
    };
    core::Hello hello;
    hello.fleet = "lab";
    links = std::move(net::Links::create(io, tls, hello, id, {}, calls)).value();
    EXPECT_TRUE(links->listen("127.0.0.1:0").ok());
    ExchangePorts ports;
    ports.send = [this](const core::NodeId& peer, wire::WireMessage message) {
      return links->send(peer, std::move(message));
    };
    ports.data_ready = [this](const core::NodeId& peer) { links->data_ready(peer); };
    ports.blame = [this](const core::NodeId& peer, const std::string& what) {
      const std::lock_guard lock(mutex);
      blames.emplace_back(peer, what);
    };
    exchange = std::make_unique<Exchange>(
        id, clock, limits, ports,
        [this](const core::Root& root) -> core::Result<std::shared_ptr<ServedObject>> {
          const std::lock_guard lock(mutex);
          auto it = objects.find(root);
          if (it != objects.end()) return it->second;
          return core::Error{core::ErrorKind::kMissing, "not held here", to_hex(root)};
        });
  }
  ~Peer() { exchange->close(); }

  std::string address() const { return "127.0.0.1:" + std::to_string(links->port()); }

  std::shared_ptr<FileObject> hold(const std::string& bytes) {
    const core::ObjectVersion version = version_of(bytes);
    auto object = std::make_shared<FileObject>(folder.path + "/" + to_hex(version.root), bytes);
    const std::lock_guard lock(mutex);
    objects[version.root] = object;
    return object;
  }

  FetchRequest request(std::uint64_t job, const core::ObjectVersion& object,
                       const std::vector<core::NodeId>& from) const {
    FetchRequest out;
    out.job = job;
    out.path = "file-" + std::to_string(job);
    out.object = object;
    out.times.connect_timeout = core::milliseconds(5000);
    out.times.progress_timeout = core::milliseconds(30'000);
    for (const core::NodeId& node : from) out.sources.push_back({node, "", {}});
    return out;
  }

  std::shared_ptr<Followed> fetch(FetchRequest request,
                                  std::shared_ptr<FileDestination> kept = nullptr) {
    auto followed = std::make_shared<Followed>();
    const std::string path = folder.path + "/staged-" + std::to_string(request.job);
    const core::ObjectVersion object = request.object;
    request.open = [=, this](std::vector<core::Digest256> layer) -> core::Result<DestinationPtr> {
      auto destination = kept ? kept : std::make_shared<FileDestination>(path, object);
      destination->layer = std::move(layer);
      followed->opened(destination);
      if (serves_what_comes) {
        const std::lock_guard lock(mutex);
        objects[object.root] = std::make_shared<ArrivingObject>(destination);
      }
      return DestinationPtr(destination);
    };
    FetchCallbacks calls;
    calls.progress = [=](std::uint64_t bytes) {
      followed->progress_bytes = bytes;
      ++followed->progress_count;
    };
    calls.done = [=](FetchOutcome outcome) {
      followed->outcome = std::move(outcome);
      ++followed->done_count;
    };
    exchange->fetch(std::move(request), std::move(calls));
    return followed;
  }
};

}  // namespace syncline::transports::p2p
