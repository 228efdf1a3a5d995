// Syncline's library: the requests of the HTTP API as calls, against a running daemon.
//
//   auto client = syncline::Client::connect("unix:/var/lib/syncline/api.sock");
//   if (!client) return fail(client.error().what);
//   syncline::SyncRequest request;
//   request.data_type = "games";
//   request.priority = syncline::Priority::kHigh;
//   auto answer = client->sync(request);
//   if (answer && answer->success) …   // verified on every chosen node's disk
//
// Threads: one Client may be used by many threads at once; each call has its own connection.
// Errors: kUnreachable when no daemon answers, kDenied for a wrong token, else what the daemon
// said. A sync or a flush that did not get there is an answer, not an error: look at success and
// is_durable.
// A daemon newer than this library may answer fields that it does not know: they are skipped.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "syncline/result.hpp"
#include "syncline/values.hpp"

namespace syncline {

// How to reach a daemon.
struct Endpoint {
  std::string address;      // "unix:/path/api.sock", "http://host:port", "https://host:port"
  std::string token;        // content of the daemon's api.token_file; unix sockets need none
  std::string certificate;  // https: PEM files of a node of the fleet, instead of a token …
  std::string key;
  std::string authority;  // … and the fleet's CA, which the daemon's certificate must have
  double connect_timeout_s = 5;
};

// An answer as it came, for those who want the JSON itself.
struct RawAnswer {
  int http_status = 0;
  std::string body;
};

class Client {
 public:
  // Checks the address and remembers it; the first request connects.
  // kInvalid: malformed address.
  static Result<Client> connect(const std::string& address, const std::string& token = {});
  static Result<Client> connect(const Endpoint& endpoint);

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // Blocks until it is verified, has failed, or request.timeout_s has passed.
  Result<SyncResponse> sync(const SyncRequest& request) const;
  // What sync would do, and why, for every node. Moves nothing.
  Result<RouteReport> route(const SyncRequest& request) const;

  Result<StatusReport> status() const;
  Result<std::vector<PeerStatus>> nodes() const;
  Result<std::vector<FreshnessRow>> freshness() const;
  Result<StatsReport> stats() const;
  Result<std::vector<TransferRow>> transfers() const;

  // Blocks until all local data is durable at `acks` peers (0 = as configured), or the deadline.
  Result<FlushReport> flush(int acks, double deadline_s) const;
  // Re-hashes replicas and compares them across the fleet; empty = every collection.
  Result<std::vector<VerifyReport>> verify(const std::vector<std::string>& collections = {}) const;
  // Tells the daemon that something happened: "game-completed", "model-promoted" …
  Result<Done> notify(const std::string& event,
                      const std::map<std::string, std::string>& details = {}) const;

  // Fetches of files on this node wait, or go on: of one collection, or all (empty). Until the
  // daemon restarts. Records are never paused.
  Result<Done> pause(const std::string& collection, bool is_paused) const;

  // Makes a new key for membership's datagrams. It travels over the links, and each node seals with
  // it once every live node has it.
  Result<Done> rotate_key() const;

  // Takes a node out of the fleet for good: its copies count no more, nobody talks to it. Its
  // daemon has to be stopped before.
  Result<Done> remove_node(const std::string& id) const;

  // Records that can never be merged into this node's replica as things are; kept with the reason.
  Result<std::vector<DeadLetterRow>> dead_letters() const;
  // Merges them again, or drops them here for good; those of `ids`, or all.
  Result<DeadLettersHandled> retry_dead_letters(const std::vector<std::string>& ids = {}) const;
  Result<DeadLettersHandled> drop_dead_letters(const std::vector<std::string>& ids = {}) const;

  // Events with an id above `after`, as far back as the daemon keeps them.
  Result<std::vector<EventRow>> events(std::uint64_t after = 0) const;
  // Calls `each` for every event until it answers false. kUnreachable: the stream broke; call
  // again with the id of the last event to miss none.
  Result<Done> follow_events(std::uint64_t after,
                             const std::function<bool(const EventRow&)>& each) const;

  // The daemon's configuration as in force, as TOML, without secrets.
  Result<std::string> config_toml() const;
  // True once the daemon serves peers; false while it starts.
  Result<bool> is_ready() const;

  // One file described for other programs: form "metalink" (RFC 5854, for aria2c) or "torrent"
  // (BEP 52). The daemon has to hold it whole, and reads all of it for a metalink.
  Result<std::string> export_file(const std::string& form, const std::string& collection,
                                  const std::string& path) const;

  // Any route, as it answers: raw("GET", "/v1/status"), raw("POST", "/v1/sync", json).
  // `patience_s` is how long one silent daemon is waited for.
  Result<RawAnswer> raw(const std::string& method, const std::string& path,
                        const std::string& json_body = {}, double patience_s = 60) const;

  const Endpoint& endpoint() const;

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace syncline
