// Which backend carries out a request, and which one follows when it fails.
//
// The rule, in this order: `prefer_ephemeral` → ephemeral; else priority high or critical →
// broadcast; else specific targets → router, then transfer; else → hybrid gossip. A backend that
// cannot work now (broadcast without a leader) gives way to the next, and the answer says so.
// Retries belong to the backends: the facade never repeats one.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "facade/types.hpp"

namespace syncline::facade {

// What the choice needs to know of the fleet.
struct BackendView {
  std::set<std::string> known_nodes;
  bool has_leader = true;         // false: broadcast is paused
  std::string no_leader_why;      // "etcd is not reachable"
  bool has_peers = true;          // anybody else is alive
  std::set<Backend> unavailable;  // for other reasons, e.g. its circuits are all open
};

struct BackendChoice {
  Backend backend = Backend::kHybrid;
  std::vector<Backend> fallbacks;  // tried in this order after it
  std::string why;                 // one sentence
  bool operator==(const BackendChoice&) const = default;
};

BackendChoice choose_backend(const SyncRequest& request, const BackendView& view);

// The backend after `failed`; none when all were tried.
std::optional<Backend> next_backend(const BackendChoice& choice, Backend failed);

core::Result<Backend> parse_backend(std::string_view text);

}  // namespace syncline::facade
