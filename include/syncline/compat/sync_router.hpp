// SyncRouter, which chose targets and sources.
//
// Deprecated: call
//   client.route({.data_type = "games"})
// Threads: as syncline::Client. REQUIRES: the client outlives it.
#pragma once

#include <string>
#include <vector>

#include "syncline/client.hpp"

namespace syncline::compat {

class [[deprecated(
    "call instead: "
    "client.route({.data_type = \"games\"})")]] SyncRouter {
 public:
  explicit SyncRouter(const Client& client) : client_(client) {}

  // The chosen nodes, best first.
  Result<std::vector<RouteVerdict>> get_sync_targets(const std::string& data_type) const {
    SyncRequest request;
    request.data_type = data_type;
    auto report = client_.route(request);
    if (!report) return report.error();
    std::vector<RouteVerdict> chosen;
    for (const RouteVerdict& verdict : report->verdicts) {
      if (verdict.is_chosen) chosen.push_back(verdict);
    }
    return chosen;
  }
  Result<bool> should_sync_to_node(const std::string& node, const std::string& data_type) const {
    auto targets = get_sync_targets(data_type);
    if (!targets) return targets.error();
    for (const RouteVerdict& verdict : *targets) {
      if (verdict.node == node) return true;
    }
    return false;
  }

 private:
  const Client& client_;
};

}  // namespace syncline::compat
