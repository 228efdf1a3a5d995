// The door between HTTP and the daemon: every route of the API is one call here.
//
// node/ implements it with the running engine; tests implement it with recorded answers.
// Threads: every call may come from any of the server's worker threads, at the same time as any
// other, and may block; the server bounds how many are under way (ServerLimits).
// Errors: an Error's kind becomes the HTTP status (status_of in http/errors.hpp), its sentence is
// shown to the person who asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "facade/reports.hpp"
#include "facade/types.hpp"
#include "http/json.hpp"

namespace syncline::http {

// One object's bytes, open for reading until the last copy of `read_at` is gone.
struct OpenedObject {
  std::uint64_t size_bytes = 0;
  // Fills `into` from `offset` and answers how many bytes it wrote: all of them unless the object
  // ends before. REQUIRES: offset <= size_bytes. Called by one thread at a time.
  std::function<core::Result<std::size_t>(std::uint64_t offset, std::span<char> into)> read_at;
};

class Api {
 public:
  virtual ~Api() = default;

  // POST /v1/sync. Blocks until it is verified, has failed, or request.timeout_s has passed.
  // kInvalid: an argument cannot be honoured; nothing was moved.
  virtual core::Result<facade::SyncResponse> sync(const facade::SyncRequest& request) = 0;
  virtual facade::StatusReport status() = 0;                  // GET /v1/status
  virtual std::vector<facade::PeerStatus> nodes() = 0;        // GET /v1/nodes
  virtual std::vector<facade::FreshnessRow> freshness() = 0;  // GET /v1/freshness
  virtual facade::StatsReport stats() = 0;                    // GET /v1/stats
  // GET /v1/routes. Moves nothing.
  virtual core::Result<facade::RouteReport> route(const facade::SyncRequest& request) = 0;
  virtual std::vector<facade::TransferRow> transfers() = 0;  // GET /v1/transfers
  // GET /v1/events. Events with an id above `id`, oldest first, as far back as they are kept.
  // Waits up to `wait_max` for the first one; empty when none came. The server calls it in turns
  // of at most a second, so that a stop is never held up.
  virtual std::vector<facade::EventRow> events_after(std::uint64_t id, core::Duration wait_max) = 0;
  // POST /v1/flush. Blocks until everything local is durable at `acks` (0 = as configured) or the
  // deadline has passed; an unmet deadline is an answer (is_durable = false), not an error.
  virtual core::Result<facade::FlushReport> flush(int acks, core::Duration deadline) = 0;
  // POST /v1/verify. One declared collection. kMissing: no such collection.
  virtual core::Result<facade::VerifyReport> verify(const std::string& collection) = 0;
  // POST /v1/notify. kInvalid: unknown event (name the nearest), or a detail it needs is absent.
  virtual core::Status notify(const std::string& event,
                              const std::map<std::string, std::string>& details) = 0;
  // POST /v1/pause: fetches of files begin no more, those under way stop and keep what has arrived;
  // or they go on. kMissing: no such collection. kInvalid: it is not one of files.
  virtual core::Status pause(const std::string& collection, bool is_paused) = 0;
  // POST /v1/rotate-key: makes a new key that seals membership's datagrams; each node uses it once
  // every live one has it.
  virtual core::Status rotate_key() = 0;
  // DELETE /v1/nodes/<id>: out of the fleet for good. kMissing: nobody knows it. kConflict: it is
  // connected. kInvalid: it is this node.
  virtual core::Status remove_node(const std::string& id) = 0;
  // GET /v1/dead-letters: records that cannot be merged here.
  virtual core::Result<std::vector<facade::DeadLetterRow>> dead_letters() = 0;
  // POST /v1/dead-letters. kInvalid: another action than retry and drop, or an id that is none.
  virtual core::Result<DeadLetterAnswer> handle_dead_letters(const DeadLetterRequest& request) = 0;
  virtual std::string config_toml() = 0;   // GET /v1/config: as in force, no secrets
  virtual std::string metrics_text() = 0;  // GET /metrics: Prometheus text format 0.0.4
  virtual bool is_ready() = 0;             // GET /readyz: catalogs read, peers port open
  // GET and HEAD /objects/<root>. kMissing: this node does not hold it whole.
  virtual core::Result<OpenedObject> open_object(const core::Root& root) = 0;
  // GET /v1/export. One file described for other programs: `form` is "metalink" (RFC 5854) or
  // "torrent" (BEP 52). kMissing: no such file, or not here whole; kInvalid: another form.
  virtual core::Result<std::string> export_file(const std::string& form,
                                                const std::string& collection,
                                                const std::string& path) = 0;
};

}  // namespace syncline::http
