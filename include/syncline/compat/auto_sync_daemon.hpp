// AutoSyncDaemon, which pushed from the generator and replicated by gossip.
//
// Deprecated: call
//   run "syncline daemon"; at once: client.sync({.data_type = "games"})
// Threads: as syncline::Client. REQUIRES: the client outlives it.
#pragma once

#include "syncline/client.hpp"

namespace syncline::compat {

class [[deprecated(
    "call instead: "
    "run \"syncline daemon\"; at once: client.sync({.data_type = \"games\"})")]] AutoSyncDaemon {
 public:
  explicit AutoSyncDaemon(const Client& client) : client_(client) {}

  // Starts nothing: true when the daemon serves, which does what this loop did.
  Result<bool> start() const {
    return client_.is_ready();
  }
  Result<SyncResponse> sync_now(SyncRequest request = {}) const {
    request.data_type = "games";
    return client_.sync(request);
  }

 private:
  const Client& client_;
};

}  // namespace syncline::compat
