// SyncCoordinator, which executed transfers.
//
// Deprecated: call
//   client.sync({.data_type = "games"})
// Threads: as syncline::Client. REQUIRES: the client outlives it.
#pragma once

#include "syncline/client.hpp"

namespace syncline::compat {

class [[deprecated(
    "call instead: "
    "client.sync({.data_type = \"games\"})")]] SyncCoordinator {
 public:
  explicit SyncCoordinator(const Client& client) : client_(client) {}

  Result<SyncResponse> sync_games(SyncRequest request = {}) const {
    request.data_type = "games";
    return client_.sync(request);
  }
  Result<SyncResponse> sync_models(SyncRequest request = {}) const {
    request.data_type = "models";
    return client_.sync(request);
  }
  Result<SyncResponse> sync_training_data(SyncRequest request = {}) const {
    request.data_type = "npz";
    return client_.sync(request);
  }
  Result<SyncResponse> full_cluster_sync(SyncRequest request = {}) const {
    request.data_type = "all";
    return client_.sync(request);
  }

 private:
  const Client& client_;
};

}  // namespace syncline::compat
