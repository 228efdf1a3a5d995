// UnifiedDataSyncService, which polled hosts and collected their games.
//
// Deprecated: call
//   run "syncline daemon"; for one round: client.sync({.data_type = "all"})
// Threads: as syncline::Client. REQUIRES: the client outlives it.
#pragma once

#include "syncline/client.hpp"

namespace syncline::compat {

class [[deprecated(
    "call instead: "
    "run \"syncline daemon\"; for one round: "
    "client.sync({.data_type = \"all\"})")]] UnifiedDataSyncService {
 public:
  explicit UnifiedDataSyncService(const Client& client) : client_(client) {}

  // Starts nothing: true when the daemon serves, which does what this loop did.
  Result<bool> start() const {
    return client_.is_ready();
  }
  Result<SyncResponse> sync_once(SyncRequest request = {}) const {
    request.data_type = "all";
    return client_.sync(request);
  }

 private:
  const Client& client_;
};

}  // namespace syncline::compat
