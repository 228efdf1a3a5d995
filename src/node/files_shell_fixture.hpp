// The fixture of the shell's tests: real folders, a real state database, a transport that serves
// from memory.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>

#include "catalog/views.hpp"
#include "core/merkle.hpp"
#include "node/files_shell.hpp"
#include "node/known_file.hpp"
#include "node/serial.hpp"
#include "storage/store.hpp"

namespace syncline::node {

using core::CollectionName;
using core::ErrorKind;
using core::NodeId;

inline const CollectionName kModels("models");

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/syncline-files-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

inline core::ObjectVersion version_of(const std::string& bytes) {
  core::ObjectVersion version;
  version.size_bytes = bytes.size();
  version.mtime_ms = 1'700'000'000'000;
  version.origin = NodeId("far");
  version.version.counters[NodeId("far")] = 1;
  if (!bytes.empty()) version.root = core::merkle_root(core::block_hashes(bytes));
  return version;
}

inline std::string bytes_of(std::size_t size, char seed) {
  std::string bytes(size, seed);
  for (std::size_t i = 0; i < size; i += 4096) bytes[i] = static_cast<char>(i >> 12);
  return bytes;
}

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Fetches at once, on its own thread, from a map; counts the pieces that it had to bring.
class MemoryTransport final : public transports::Transport {
 public:
  transfer::Transport name() const override { return transfer::Transport::kP2p; }
  std::string why_not(const transports::FetchRequest&) const override { return {}; }
  double setup_seconds() const override { return 0; }
  void cancel(std::uint64_t) override { ++cancels; }
  void close() override { thread_.close(); }
  void fetch(transports::FetchRequest request, transports::FetchCallbacks callbacks) override {
    thread_.post([this, request, callbacks] { callbacks.done(run(request)); });
  }

  void hold(const core::Root& root, const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    objects_[root] = bytes;
  }

  std::atomic<int> fetches{0};
  std::atomic<int> pieces{0};
  std::atomic<int> cancels{0};

 private:
  transports::FetchOutcome run(const transports::FetchRequest& request) {
    ++fetches;
    std::unique_lock lock(mutex_);
    auto it = objects_.find(request.object.root);
    if (it == objects_.end()) return {core::Error{ErrorKind::kMissing, "nobody has it", ""}, 0, {}};
    const std::string bytes = it->second;
    lock.unlock();
    std::vector<core::Digest256> layer =
        core::merkle_layer(core::block_hashes(bytes), core::kPieceBlocks);
    if (layer.size() < 2) layer.clear();
    auto opened = request.open(layer);
    if (!opened.ok()) return {opened.error(), 0, {}};
    std::uint64_t got = 0;
    for (std::uint64_t piece = 0; piece < (*opened)->piece_count(); ++piece) {
      if ((*opened)->has_piece(piece)) continue;
      const std::string part = bytes.substr(piece * core::kPieceBytes, core::kPieceBytes);
      const core::Status written = (*opened)->write_piece(piece, part, core::block_hashes(part));
      if (!written.ok()) return {written, got, NodeId("far")};
      got += part.size();
      ++pieces;
    }
    return {{}, got, NodeId("far")};
  }
  std::mutex mutex_;  // tests add objects while others are fetched
  std::map<core::Root, std::string> objects_;
  Serial thread_{"memory"};
};

struct Shell : ::testing::Test {
  Folder folder;
  Folder state;
  core::Config config;
  env::SystemClock clock;
  std::unique_ptr<storage::Store> store;
  std::unique_ptr<Serial> journal;
  MemoryTransport transport;
  std::unique_ptr<FilesShell> shell;
  engine::Recovered recovered;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<engine::Event> events;

  void SetUp() override {
    config.node.id = NodeId("me");
    core::CollectionConfig models;
    models.name = kModels;
    models.kind = core::Kind::kFiles;
    models.root = folder.path;
    models.stable_ms = 0;
    config.collections = {models};
    start();
  }
  void TearDown() override { stop(); }
  void start() {
    store = std::move(storage::Store::open(state.path, config.node.id)).value();
    journal = std::make_unique<Serial>("journal");
    FilesPorts ports;
    ports.post = [this](engine::Event event) {
      const std::lock_guard lock(mutex);
      events.push_back(std::move(event));
      changed.notify_all();
    };
    ports.on_loop = [](const std::function<void()>& task) { task(); };
    ports.with_store = [this](std::function<void(storage::Store&)> task) {
      journal->post([this, task = std::move(task)] { task(*store); });
    };
    shell = std::make_unique<FilesShell>(config, clock, ports);
    recovered = {};
    ASSERT_TRUE(shell->recover(*store, recovered).ok());
    shell->attach(&transport);
  }
  void stop() {
    transport.close();
    shell->close();
    journal->close();
    shell.reset();
    store.reset();
  }
  // The next event of a kind, in order, once it has come.
  template <typename Event>
  Event next() {
    std::unique_lock lock(mutex);
    auto found = events.end();
    const auto is_there = [&] {
      found = std::find_if(events.begin(), events.end(), [](const engine::Event& event) {
        return std::holds_alternative<Event>(event);
      });
      return found != events.end();
    };
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), is_there));
    if (found == events.end()) return {};
    Event event = std::get<Event>(std::move(*found));
    events.erase(found);
    return event;
  }
  engine::FilesScanned scan(bool full) {
    shell->carry_out(engine::ScanFiles{kModels, 1, full});
    return next<engine::FilesScanned>();
  }
  // Until nothing is too young to be taken: what all the looks found together.
  engine::FilesScanned scan_settled(bool full) {
    engine::FilesScanned all = scan(full);
    while (all.unstable > 0) {
      engine::FilesScanned more = scan(false);
      all.unstable = more.unstable;
      for (auto& object : more.changed) all.changed.push_back(std::move(object));
    }
    return all;
  }
  engine::Fetch fetch(std::uint64_t job, const std::string& path, const std::string& bytes) {
    engine::Fetch action;
    action.job = job;
    action.collection = kModels;
    action.path = path;
    action.object = version_of(bytes);
    action.sources = {NodeId("far")};
    transport.hold(action.object.root, bytes);
    return action;
  }
  std::string at(const std::string& path) const { return folder.path + "/" + path; }
  void put(const std::string& path, const std::string& bytes) {
    std::ofstream(at(path), std::ios::binary) << bytes;
  }
  void tell(const std::string& path, const core::ObjectVersion& version) {
    shell->carry_out(engine::PersistFacts{
        config.node.id, 0, {{1, catalog::object_key(kModels, path), encode(version), false}}});
  }
};

}  // namespace syncline::node
