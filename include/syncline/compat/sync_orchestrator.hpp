// SyncOrchestrator, which ran data, model, Elo and registry sync together.
//
// Deprecated: call
//   client.sync({.data_type = "all"})
// Threads: as syncline::Client. REQUIRES: the client outlives it.
#pragma once

#include "syncline/client.hpp"

namespace syncline::compat {

class [[deprecated(
    "call instead: "
    "client.sync({.data_type = \"all\"})")]] SyncOrchestrator {
 public:
  explicit SyncOrchestrator(const Client& client) : client_(client) {}

  // One answer; `parts` has one per collection.
  Result<SyncResponse> sync_all(SyncRequest request = {}) const {
    request.data_type = "all";
    return client_.sync(request);
  }
  Result<SyncResponse> sync_data(SyncRequest request = {}) const {
    request.data_type = "games";
    return client_.sync(request);
  }
  Result<SyncResponse> sync_models(SyncRequest request = {}) const {
    request.data_type = "models";
    return client_.sync(request);
  }
  Result<SyncResponse> sync_elo(SyncRequest request = {}) const {
    request.data_type = "elo";
    return client_.sync(request);
  }
  Result<SyncResponse> sync_registry(SyncRequest request = {}) const {
    request.data_type = "registry";
    return client_.sync(request);
  }

 private:
  const Client& client_;
};

}  // namespace syncline::compat
