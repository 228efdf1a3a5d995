// W8: a route in a fleet of 1,000 nodes (bound: 20 µs) and the facade's whole decision on a request
// (bound: 50 µs): check the request, choose the backend, route.
#include <benchmark/benchmark.h>

#include <string>

#include "facade/backend.hpp"
#include "facade/validate.hpp"
#include "routing/router.hpp"

namespace {

using namespace syncline;

// A mixed fleet: several providers, some spot, some full, some dead; no two nodes alike.
routing::NodeView node_of(int number) {
  static const char* const kProviders[] = {"lambda", "vast", "runpod", "hetzner", "nebius"};
  static const char* const kRoles[] = {"selfplay", "training", "backup", "training"};
  routing::NodeView node;
  node.id = core::NodeId("gpu-worker-" + std::to_string(10'000 + number));
  node.is_linked = number % 3 != 0;
  node.roles = {kRoles[number % 4]};
  node.domain = {"machine-" + std::to_string(number), "disk-" + std::to_string(number),
                 kProviders[number % 5], "zone-" + std::to_string(number % 11)};
  node.disk = {1'000'000'000'000, static_cast<std::uint64_t>(number % 100) * 10'000'000'000};
  node.bandwidth_mbps = 10 + number % 90;
  node.is_ephemeral = number % 5 == 1;
  node.is_training = number % 7 == 0;
  node.liveness = number % 50 == 49 ? routing::Liveness::kDead : routing::Liveness::kAlive;
  node.history = {static_cast<std::uint32_t>(number % 40), static_cast<std::uint32_t>(number % 3)};
  auto& games = node.collections[core::CollectionName("games")];
  games.synced_at = core::Instant{core::seconds(100'000 - number * 5)};
  games.quality = number % 10 / 10.0;
  return node;
}

routing::Router router_of(int nodes) {
  routing::Router router;
  for (const char* name : {"games", "models", "npz", "elo", "registry"}) {
    core::CollectionConfig collection;
    collection.name = core::CollectionName(name);
    collection.kind = core::Kind::kSqlite;
    collection.placement.roles = {"training", "backup"};
    router.set_policy(routing::policy_of(collection, core::DiskLimits{}));
  }
  for (int i = 0; i < nodes; ++i) router.put(node_of(i));
  return router;
}

routing::Job games_job() {
  routing::Job job;
  job.collection = core::CollectionName("games");
  job.from = core::NodeId("gpu-worker-10004");
  job.bytes = 5'000'000'000;
  job.now = core::Instant{core::seconds(100'000)};
  return job;
}

void route(benchmark::State& state) {
  const auto router = router_of(static_cast<int>(state.range(0)));
  const auto job = games_job();
  std::size_t targets = 0;
  for (auto _ : state) {
    const routing::Route found = router.targets(job);
    targets = found.size();
    benchmark::DoNotOptimize(found.data());
  }
  state.counters["targets"] = static_cast<double>(targets);
}
BENCHMARK(route)->Arg(100)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void route_sources(benchmark::State& state) {
  const auto router = router_of(1'000);
  routing::Pull pull;
  pull.collection = core::CollectionName("games");
  pull.to = core::NodeId("gpu-worker-10004");
  pull.now = games_job().now;
  for (int i = 0; i < 1'000; i += 20) pull.holders.push_back(router.nodes()[i].id);
  for (auto _ : state) benchmark::DoNotOptimize(router.sources(pull));
}
BENCHMARK(route_sources)->Unit(benchmark::kMicrosecond);

void choose_receivers(benchmark::State& state) {
  const auto router = router_of(1'000);
  const auto job = games_job();
  for (auto _ : state) benchmark::DoNotOptimize(router.choose_receivers(job, 2, 1));
}
BENCHMARK(choose_receivers)->Unit(benchmark::kMicrosecond);

void explain(benchmark::State& state) {
  const auto router = router_of(1'000);
  const auto job = games_job();
  for (auto _ : state) benchmark::DoNotOptimize(router.explain_targets(job));
}
BENCHMARK(explain)->Unit(benchmark::kMicrosecond);

void one_node_changed(benchmark::State& state) {
  auto router = router_of(1'000);
  auto node = node_of(500);
  for (auto _ : state) {
    node.disk.free_bytes ^= 4096;
    router.put(node);
  }
}
BENCHMARK(one_node_changed)->Unit(benchmark::kMicrosecond);

void facade_decision(benchmark::State& state) {
  const auto router = router_of(1'000);
  facade::Known known;
  known.collections = {{core::CollectionName("games"), true, {"hex8_2p", "square8_2p"}}};
  facade::BackendView view;
  for (const auto& node : router.nodes()) {
    known.nodes.push_back(node.id.text);
    view.known_nodes.insert(node.id.text);
  }
  facade::SyncRequest request;
  request.data_type = "games";
  request.board_type = "hex8";
  request.num_players = 2;
  if (state.range(0) > 0) request.targets = {"gpu-worker-10010", "gpu-worker-10011"};
  for (auto _ : state) {
    if (!facade::validate(request, known).ok()) state.SkipWithError("refused");
    const auto choice = facade::choose_backend(request, view);
    auto job = games_job();
    job.config_key = facade::config_key_of(request);
    for (const std::string& target : request.targets) job.only.emplace_back(target);
    const auto found = router.targets(job);
    benchmark::DoNotOptimize(choice.backend);
    benchmark::DoNotOptimize(found.data());
  }
}
BENCHMARK(facade_decision)->ArgName("targets")->Arg(0)->Arg(2)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
