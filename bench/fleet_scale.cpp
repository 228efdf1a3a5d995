// A large fleet in one process: what its catalog costs in memory, and what it takes to plan.
//
//   fleet_scale NODES OBJECTS COPIES     e.g. fleet_scale 1000 1000000 3
//
// Every object lies on COPIES nodes, each of which tells so: OBJECTS · COPIES facts, as one node
// holds them all, in the catalog (what is exchanged) and in the engine's view (what is decided on).
// Then each object is planned: where its copies go, and from whom a node that lacks it gets it.
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/views.hpp"
#include "core/object.hpp"
#include "engine/fleet_view.hpp"
#include "routing/router.hpp"

namespace {

using namespace syncline;

std::size_t heap_bytes() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

double seconds_of(const std::function<void()>& work) {
  const auto started = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

core::NodeId node_name(int number) {
  return core::NodeId("gpu-worker-" + std::to_string(10'000 + number));
}

std::string path_of(int object) {
  return "run-" + std::to_string(object / 1000) + "/game-" + std::to_string(object) + ".npz";
}

core::ObjectVersion version_of(int object) {
  core::ObjectVersion version;
  version.size_bytes = 4096 + static_cast<std::uint64_t>(object);
  version.hlc = static_cast<std::uint64_t>(object) + 1;
  for (std::size_t i = 0; i < sizeof object; ++i) {
    version.root.bytes[i] = static_cast<std::uint8_t>(object >> (8 * i));
  }
  version.root.bytes[31] = 1;
  return version;
}

routing::NodeView view_of(int number) {
  routing::NodeView node;
  node.id = node_name(number);
  node.is_linked = true;
  node.roles = {"training"};
  node.domain = {"machine-" + std::to_string(number), "disk-" + std::to_string(number),
                 "provider-" + std::to_string(number % 5), "zone-" + std::to_string(number % 11)};
  node.disk = {1'000'000'000'000, 900'000'000'000};
  node.bandwidth_mbps = 10 + number % 90;
  return node;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: fleet_scale NODES OBJECTS COPIES\n");
    return 2;
  }
  const int nodes = std::atoi(argv[1]);
  const int objects = std::atoi(argv[2]);
  const int copies = std::atoi(argv[3]);
  const core::CollectionName collection("npz");
  const double facts = static_cast<double>(objects) * copies;
  std::printf("%d nodes, %d objects on %d nodes each: %.0f facts\n", nodes, objects, copies, facts);

  catalog::CatalogLimits limits;
  limits.owners_max = static_cast<std::size_t>(nodes) + 1;
  catalog::Catalog held(core::NodeId("me"), 1, limits);
  const std::size_t before = heap_bytes();
  const double fill_s = seconds_of([&] {
    for (int node = 0; node < nodes; ++node) {
      core::CatalogDelta delta;
      core::CatalogDelta::Part part;
      part.owner = node_name(node);
      part.incarnation = 1;
      for (int i = 0; i < copies; ++i) {
        // Object o lies on nodes o, o + 1, … (modulo their number).
        for (int object = (node - i + nodes) % nodes; object < objects; object += nodes) {
          core::Fact fact;
          fact.version = part.facts.size() + 1;
          fact.key = catalog::object_key(collection, path_of(object));
          fact.value = core::encode(version_of(object));
          part.facts.push_back(std::move(fact));
        }
      }
      part.up_to = part.facts.size();
      delta.parts.push_back(std::move(part));
      held.apply(delta);
    }
  });
  const std::size_t with_catalog = heap_bytes();
  std::printf("catalog:     %6.0f MB, %4.0f bytes per fact; taken in %.1f s (%.2f us each)\n",
              static_cast<double>(with_catalog - before) / 1e6,
              static_cast<double>(with_catalog - before) / facts, fill_s, fill_s / facts * 1e6);

  engine::FleetView view(core::NodeId("me"));
  const double view_s = seconds_of([&] {
    held.for_each([&](const core::NodeId& owner, const core::Fact& fact) {
      view.apply(owner, fact.key, fact.value, fact.is_removed);
    });
  });
  const std::size_t with_view = heap_bytes();
  std::printf("view:        %6.0f MB, %4.0f bytes per fact; taken in %.1f s (%.2f us each)\n",
              static_cast<double>(with_view - with_catalog) / 1e6,
              static_cast<double>(with_view - with_catalog) / facts, view_s, view_s / facts * 1e6);

  core::CatalogDigest digest;
  const double digest_s = seconds_of([&] { digest = held.digest(); });
  core::CatalogDelta none;
  const double delta_s = seconds_of([&] { none = held.delta_for(digest, 1u << 20); });
  std::printf("digest:      %zu marks in %.2f ms; nothing new found in %.2f ms\n",
              digest.marks.size(), digest_s * 1e3, delta_s * 1e3);

  routing::Router router;
  core::CollectionConfig config;
  config.name = collection;
  config.kind = core::Kind::kFiles;
  config.placement.roles = {"training"};
  router.set_policy(routing::policy_of(config, core::DiskLimits{}));
  for (int node = 0; node < nodes; ++node) router.put(view_of(node));
  std::size_t chosen = 0;
  std::size_t sources = 0;
  const double plan_s = seconds_of([&] {
    for (const auto& [object, holders] : view.objects()) {
      routing::Job job;
      job.collection = collection;
      job.from = holders.begin()->first;
      job.bytes = holders.begin()->second.size_bytes;
      job.now = core::Instant{core::seconds(100'000)};
      chosen += router.choose_receivers(job, copies, 1).nodes.size();
      routing::Pull pull;
      pull.collection = collection;
      pull.to = node_name(static_cast<int>(sources % static_cast<std::size_t>(nodes)));
      pull.now = job.now;
      for (const auto& [node, version] : holders) pull.holders.push_back(node);
      sources += router.sources(pull).size();
    }
  });
  std::printf("plan:        %.1f s for all objects (%.1f us each): %zu receivers, %zu sources\n",
              plan_s, plan_s / objects * 1e6, chosen, sources);
  std::printf("in all:      %6.0f MB\n", static_cast<double>(heap_bytes()) / 1e6);
  return chosen > 0 && sources > 0 ? 0 : 1;
}
