// Nodes for tests: plain ones, changed by the test where it matters, and drawn ones.
#pragma once

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "routing/router.hpp"

namespace syncline::routing {

constexpr std::uint64_t kGb = 1'000'000'000;

// Alive, linked, permanent, 1 TB with half of it free, a machine of its own.
inline NodeView plain_node(const std::string& id, std::vector<std::string> roles = {"training"}) {
  NodeView node;
  node.id = core::NodeId(id);
  node.is_linked = true;
  node.roles = std::move(roles);
  node.domain = {"host-" + id, "disk-" + id, "hetzner", ""};
  node.disk = {1000 * kGb, 500 * kGb};
  node.bandwidth_mbps = 50;
  return node;
}

inline Policy games_policy() {
  core::CollectionConfig games;
  games.name = core::CollectionName("games");
  games.kind = core::Kind::kSqlite;
  games.placement.roles = {"training", "backup"};
  return policy_of(games, core::DiskLimits{});
}

inline Job games_job() {
  Job job;
  job.collection = core::CollectionName("games");
  job.now = {core::seconds(100'000)};
  return job;
}

inline Router router_of(const std::vector<NodeView>& nodes, Policy policy = games_policy()) {
  Router router;
  router.set_policy(std::move(policy));
  for (const NodeView& node : nodes) router.put(node);
  return router;
}

// A node of any kind, from few values so that ties and sharing are common.
inline rc::Gen<NodeView> drawn_nodes(int number) {
  return rc::gen::exec([number] {
    const auto one_in = [](int n) { return *rc::gen::inRange(0, n) == 0; };
    NodeView node = plain_node("n" + std::to_string(100 + number), {});
    node.liveness = one_in(5)
                        ? *rc::gen::element(Liveness::kSuspect, Liveness::kDead, Liveness::kLeft)
                        : Liveness::kAlive;
    node.is_linked = !one_in(6);
    node.roles = {*rc::gen::element<std::string>("training", "backup", "selfplay")};
    node.domain.host = "h" + std::to_string(*rc::gen::inRange(0, 6));
    node.domain.storage = one_in(3) ? "nfs" : "";
    node.domain.zone = *rc::gen::element<std::string>("", "eu", "us");
    node.disk.free_bytes = static_cast<std::uint64_t>(*rc::gen::inRange(0, 11)) * 100 * kGb;
    node.bandwidth_mbps = *rc::gen::inRange(0, 200);
    node.is_ephemeral = one_in(3);
    node.has_daemon = !one_in(8);
    node.is_draining = one_in(8);
    node.is_training = one_in(3);
    node.is_selfplay = one_in(3);
    node.is_priority_host = one_in(4);
    node.receives = !one_in(8);
    node.history = {static_cast<std::uint32_t>(*rc::gen::inRange(0, 20)),
                    static_cast<std::uint32_t>(*rc::gen::inRange(0, 5))};
    CollectionView& games = node.collections[core::CollectionName("games")];
    if (!one_in(3)) {
      games.synced_at = core::Instant{core::seconds(*rc::gen::inRange(90'000, 110'000))};
    }
    games.quality = *rc::gen::inRange(0, 11) / 10.0;
    games.holds_newest = one_in(4);
    return node;
  });
}

inline rc::Gen<std::vector<NodeView>> drawn_fleets(int nodes_max = 90) {
  return rc::gen::exec([nodes_max] {
    const int size = *rc::gen::inRange(1, nodes_max);
    std::vector<NodeView> nodes;
    for (int i = 0; i < size; ++i) nodes.push_back(*drawn_nodes(i));
    return nodes;
  });
}

}  // namespace syncline::routing
