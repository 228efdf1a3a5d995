// SyncScheduler, which decided when to sync and what.
//
// Deprecated: call
//   client.sync({.data_type = "games", .priority = syncline::Priority::kHigh})
// Threads: as syncline::Client. REQUIRES: the client outlives it.
#pragma once

#include <string>
#include <vector>

#include "syncline/client.hpp"

namespace syncline::compat {

class [[deprecated(
    "call instead: "
    "client.sync({.data_type = \"games\", "
    ".priority = syncline::Priority::kHigh})")]] SyncScheduler {
 public:
  explicit SyncScheduler(const Client& client) : client_(client) {}

  Result<StatusReport> get_cluster_data_status() const {
    return client_.status();
  }
  Result<std::vector<FreshnessRow>> get_sync_recommendations() const {
    return client_.freshness();
  }
  // Syncs at once, ahead of everything normal.
  Result<SyncResponse> schedule_priority_sync(const std::string& data_type = "games") const {
    SyncRequest request;
    request.data_type = data_type;
    request.priority = Priority::kHigh;
    return client_.sync(request);
  }

 private:
  const Client& client_;
};

}  // namespace syncline::compat
