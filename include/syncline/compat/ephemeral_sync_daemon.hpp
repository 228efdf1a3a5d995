// EphemeralSyncDaemon, which kept the games of spot hosts safe.
//
// Deprecated: call
//   client.sync({.data_type = "games", .prefer_ephemeral = true})
// Threads: as syncline::Client. REQUIRES: the client outlives it.
#pragma once

#include <string>

#include "syncline/client.hpp"

namespace syncline::compat {

class [[deprecated(
    "call instead: "
    "client.sync({.data_type = \"games\", .prefer_ephemeral = true})")]] EphemeralSyncDaemon {
 public:
  explicit EphemeralSyncDaemon(const Client& client) : client_(client) {}

  // Starts nothing: true when the daemon serves, which does what this loop did.
  Result<bool> start() const {
    return client_.is_ready();
  }
  Result<Done> on_game_complete(const std::string& game_id) const {
    return client_.notify("game-completed", {{"game_id", game_id}});
  }
  // Waits until all local data has its copies, as long as programs waited for theirs.
  Result<FlushReport> write_through(double deadline_s = 60) const {
    return client_.flush(0, deadline_s);
  }
  // Before the machine goes.
  Result<FlushReport> final_sync(double deadline_s = 30) const {
    return client_.flush(0, deadline_s);
  }
  Result<SyncResponse> sync_now(SyncRequest request = {}) const {
    request.data_type = "games";
    request.prefer_ephemeral = true;
    return client_.sync(request);
  }

 private:
  const Client& client_;
};

}  // namespace syncline::compat
