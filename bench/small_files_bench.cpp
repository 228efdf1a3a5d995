// What the engines of two nodes do for each of many small files, from the scan that found them to
// their durability: no disk, no sockets, but every message encoded and decoded as on a link. The
// counters are microseconds per file, of the node that has the files, of the one that fetches them,
// and of the messages between them.
#include <benchmark/benchmark.h>

#include <chrono>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "core/sha256.hpp"
#include "engine/engine.hpp"
#include "wire/frame.hpp"

namespace {

using namespace syncline;

const core::CollectionName kSmall("small");
constexpr std::size_t kEventsPerTurn = 256;  // as node/loop.cpp has it
constexpr std::size_t kFilesPerPart = 512;   // as collections/files/tree.cpp tells them
constexpr std::uint64_t kFileBytes = 4096;

// Time that some part of the run took.
class Stopwatch {
 public:
  template <typename Work>
  auto operator()(Work work) {
    const auto started = std::chrono::steady_clock::now();
    struct Stop {
      Stopwatch& watch;
      std::chrono::steady_clock::time_point started;
      ~Stop() { watch.total_ += std::chrono::steady_clock::now() - started; }
    } stop{*this, started};
    return work();
  }
  double micros() const { return std::chrono::duration<double, std::micro>(total_).count(); }

 private:
  std::chrono::steady_clock::duration total_{};
};

core::Config config_of(const std::string& name) {
  core::Config config;
  config.node.id = core::NodeId(name);
  config.node.host = "host-" + name;
  config.node.storage_domain = "disk-" + name;
  config.node.ephemeral = core::Tristate::kFalse;
  config.node.roles = {"training"};
  config.durability.acks = 1;
  core::CollectionConfig small;
  small.name = kSmall;
  small.kind = core::Kind::kFiles;
  small.root = "/data/small";
  small.copies = 2;
  config.collections = {small};
  return config;
}

struct Node {
  Node(const std::string& name, core::Instant now)
      : id(name), engine(config_of(name), recovered(), 1, now) {}
  static engine::Recovered recovered() {
    engine::Recovered out;
    out.epoch = {1};
    out.incarnation = 1;
    return out;
  }
  core::NodeId id;
  engine::Engine engine;
  std::deque<engine::Event> line;
  std::uint64_t scan = 0;
  std::uint64_t fetched = 0;
  Stopwatch watch;
};

class Pair {
 public:
  Pair() : nodes_{Node("source", now_), Node("target", now_)} {
    for (Node& node : nodes_) node.line.push_back(engine::Tick{});
    for (int i = 0; i < 2; ++i) {
      core::Hello hello;
      nodes_[i].line.push_back(engine::LinkUp{nodes_[1 - i].id, hello, "host:8750"});
    }
    run([] { return false; }, 100);
  }

  void sync(std::size_t files) {
    for (std::size_t first = 0; first < files; first += kFilesPerPart) {
      engine::FilesScanned part;
      part.collection = kSmall;
      part.scan_id = nodes_[0].scan;
      part.is_part = true;
      for (std::size_t i = first; i < std::min(files, first + kFilesPerPart); ++i) {
        const std::string path = "d" + std::to_string(i / 500) + "/f" + std::to_string(i) + ".bin";
        part.changed.push_back({path, core::sha256(path), kFileBytes, 1, 0644});
      }
      nodes_[0].line.push_back(std::move(part));
    }
    const auto is_done = [&] {
      return nodes_[1].fetched == files &&
             nodes_[0].engine.next_wake() > now_ + core::milliseconds(100);
    };
    run(is_done, 10'000);
  }

  void report(benchmark::State& state, std::size_t files) const {
    if (nodes_[1].fetched != files) state.SkipWithError("not all files were fetched");
    const auto per_file = [&](const Stopwatch& watch) {
      return watch.micros() / static_cast<double>(files);
    };
    state.counters["source_us"] = per_file(nodes_[0].watch);
    state.counters["target_us"] = per_file(nodes_[1].watch);
    state.counters["messages_us"] = per_file(messages_);
  }

 private:
  template <typename Done>
  void run(Done is_done, int turns_max) {
    for (int turn = 0; turn < turns_max; ++turn) {
      now_ = now_ + core::milliseconds(1);
      bool is_quiet = true;
      for (int i = 0; i < 2; ++i) is_quiet = !take_turn(nodes_[i], nodes_[1 - i]) && is_quiet;
      if (is_quiet && is_done()) return;
    }
  }

  bool take_turn(Node& node, Node& other) {
    const auto wake = node.engine.next_wake();
    if (wake && *wake <= now_) node.line.push_back(engine::Tick{});
    if (node.line.empty()) return false;
    std::vector<engine::Event> events;
    while (!node.line.empty() && events.size() < kEventsPerTurn) {
      events.push_back(std::move(node.line.front()));
      node.line.pop_front();
    }
    actions_.clear();
    node.watch([&] { node.engine.step(events, now_, actions_); });
    for (engine::Action& action : actions_) carry_out(node, other, action);
    return true;
  }

  void carry_out(Node& node, Node& other, engine::Action& action) {
    if (auto* send = std::get_if<engine::Send>(&action)) {
      messages_([&] { deliver(node, std::move(send->message), other); });
    } else if (const auto* scan = std::get_if<engine::ScanFiles>(&action)) {
      node.scan = scan->scan_id;
      if (&node == &nodes_[1]) {
        engine::FilesScanned nothing;
        nothing.collection = kSmall;
        nothing.scan_id = scan->scan_id;
        node.line.push_back(std::move(nothing));
      }
    } else if (const auto* fetch = std::get_if<engine::Fetch>(&action)) {
      ++node.fetched;
      node.line.push_back(engine::FetchDone{fetch->job, {}, kFileBytes, {}, other.id});
    }
  }

  void deliver(const Node& node, core::Message message, Node& other) {
    auto frame = wire::encode_frame(std::move(message));
    const auto sizes = wire::decode_prefix(std::string_view(frame->head).substr(0, 8));
    const auto header = std::string_view(frame->head).substr(8, sizes->header_bytes);
    auto came = wire::decode_frame(header, std::move(frame->payload));
    other.line.push_back(engine::Received{node.id, std::get<core::Message>(std::move(*came))});
  }

  core::Instant now_;
  Node nodes_[2];
  engine::Actions actions_;
  Stopwatch messages_;
};

void many_small_files(benchmark::State& state) {
  const auto files = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    Pair pair;
    state.ResumeTiming();
    pair.sync(files);
    state.PauseTiming();
    pair.report(state, files);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(many_small_files)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
