// One request to sync, and its verified answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "facade/reports.hpp"

namespace syncline::facade {

// Every argument is honoured or the request is refused with a reason: none is ignored.
struct SyncRequest {
  std::string data_type;             // a collection's name, or "all"
  std::vector<std::string> targets;  // node ids; empty = wherever the collection is wanted
  std::vector<std::string> exclude_nodes;
  std::string board_type;  // with num_players: restricts to one config key
  std::optional<int> num_players;
  core::Priority priority = core::Priority::kNormal;
  double timeout_s = 300;
  double bandwidth_limit_mbps = 0;  // MB/s; 0 = the configured limit
  bool prefer_ephemeral = false;
  bool require_confirmation = false;  // success only when every target's fsync was seen
  std::string transport;              // force one; empty = planner's choice
  bool is_dry_run = false;            // answer the route, move nothing
};

enum class Backend { kHybrid, kBroadcast, kRouter, kEphemeral, kPull, kTransfer };
const char* to_string(Backend backend);

enum class NodeOutcome { kVerified, kPending, kFailed, kNotEligible };

struct NodeSyncResult {
  std::string node;
  NodeOutcome outcome = NodeOutcome::kPending;
  std::string reason;
  std::uint64_t missing = 0;  // units or objects still to come
};

struct SyncResponse {
  bool success = false;  // verified at every chosen target, never assumed
  std::string backend_used;
  std::vector<std::string> nodes_synced;
  std::uint64_t bytes_transferred = 0;
  double duration_s = 0;
  std::vector<std::string> errors;
  std::map<std::string, std::string> details;
  std::vector<NodeSyncResult> nodes;
  RouteReport route;
  std::vector<SyncResponse> parts;  // "all": one per collection
};

}  // namespace syncline::facade
