// ClusterDataSyncDaemon, which pushed the leader's databases to all nodes.
//
// Deprecated: call
//   client.sync({.data_type = "games", .priority = syncline::Priority::kHigh})
// Threads: as syncline::Client. REQUIRES: the client outlives it.
#pragma once

#include "syncline/client.hpp"

namespace syncline::compat {

class [[deprecated(
    "call instead: "
    "client.sync({.data_type = \"games\", "
    ".priority = syncline::Priority::kHigh})")]] ClusterDataSyncDaemon {
 public:
  explicit ClusterDataSyncDaemon(const Client& client) : client_(client) {}

  // Starts nothing: true when the daemon serves, which does what this loop did.
  Result<bool> start() const {
    return client_.is_ready();
  }
  Result<SyncResponse> trigger_sync(SyncRequest request = {}) const {
    request.data_type = "games";
    request.priority = Priority::kHigh;
    return client_.sync(request);
  }

 private:
  const Client& client_;
};

}  // namespace syncline::compat
