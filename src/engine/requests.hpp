// Requests in the engine: `sync` and `flush`, from the call to the verified answer.
//
// A sync first looks at the sources (so that what was committed before the call is included), then
// takes the state of the fleet as its goal, and is done when every chosen target has said, after
// its own fsync, that it holds the goal. Success is never assumed: no word from a target is no
// success.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "engine/actions.hpp"
#include "engine/events.hpp"
#include "engine/fleet_view.hpp"
#include "engine/peers.hpp"
#include "engine/records.hpp"
#include "facade/types.hpp"

namespace syncline::engine {

struct RequestsDoor {
  // Backend and verdict for each node; `why` and the reasons are what --explain prints.
  std::function<facade::RouteReport(const facade::SyncRequest&, const core::CollectionConfig&,
                                    core::Instant)>
      route;
  // Starts a full look at the sources; looked_at(id) is called when it is done.
  std::function<void(const core::CollectionName&, std::uint64_t look, Actions&)> look;
  std::function<void(const core::CollectionName&, core::Priority, const std::string& transport,
                     double bandwidth_mbps)>
      hurry;
  std::function<void(const std::string& backend, std::uint64_t bytes, bool ok, core::Duration)>
      count;
};

class Requests {
 public:
  Requests(const core::Config& config, const FleetView& view, const Peers& peers,
           const Records& records, RequestsDoor door);

  // The request is valid: the facade has checked it. One answer will come out, in time.
  void sync(const SyncRequested& request, core::Instant now, Actions& out);
  void flush(const FlushRequested& request, core::Instant now, Actions& out);
  void looked_at(const core::CollectionName& collection, std::uint64_t look);
  void object_changed(const ObjectId& object);  // the catalog says something of it
  void records_sent(const RecordsSent& sent);
  // Own units went to the journal: part of the goals of requests that are restricted to their key.
  void journalled(const core::RecordBatch& batch);
  // The node is about to stop: every request is answered as it stands.
  void answer_all(core::Instant now, Actions& out);

  void plan(core::Instant now, Actions& out);
  std::optional<core::Instant> next_wake() const;
  bool is_idle() const { return syncs_.empty() && flushes_.empty(); }

 private:
  struct Demand {  // records sent straight to a target, and when
    core::SeqSet seqs;
    core::Instant at;
  };
  struct Part {  // one collection of a request
    const core::CollectionConfig* collection = nullptr;
    std::uint64_t look = 0;
    bool has_looked = false;
    bool has_goal = false;
    bool is_done = false;
    facade::RouteReport route;
    std::vector<core::NodeId> targets;
    std::map<core::LogId, core::SeqSet> records_goal;
    std::map<std::string, core::Root> objects_goal;              // path -> root
    std::map<core::NodeId, std::set<std::string>> objects_left;  // not confirmed by the target
    std::map<core::NodeId, std::uint64_t> missing;               // at the last look
    std::map<core::NodeId, std::uint64_t> missing_bytes_at_start;
    std::map<std::pair<core::NodeId, core::LogId>, Demand> demands;
    std::map<core::NodeId, core::Instant> nudged_at;
    std::uint64_t bytes = 0;
  };
  struct Sync {
    SyncRequested request;
    core::Instant started_at;
    core::Instant deadline;
    std::vector<Part> parts;
  };
  // What was here at one moment: the last record of each own log, and the files.
  struct Cut {
    std::map<core::LogId, std::uint64_t> last;
    std::map<ObjectId, core::Root> objects;
  };
  struct Flush {
    FlushRequested request;
    core::Instant started_at;
    std::set<std::uint64_t> looks;  // not done yet
    std::optional<Cut> cut;         // once all looks are done
  };

  void set_goal(Sync& sync, Part& part, core::Instant now);
  // Records or objects of the goal that the target has not confirmed.
  std::uint64_t measure(const Part& part, const core::NodeId& target);
  bool has_confirmed(const Part& part, const std::string& path, const core::NodeId& target) const;
  void nudge(const facade::SyncRequest& request, Part& part, const core::NodeId& target,
             core::Instant now, Actions& out) const;
  bool is_beyond_limit(const Sync& sync, const Part& part, core::Instant now) const;
  void press(Sync& sync, Part& part, const core::NodeId& target, core::Instant now, Actions& out);
  bool advance(Sync& sync, core::Instant now, Actions& out);
  facade::SyncResponse answer_part(const Sync& sync, const Part& part, core::Instant now) const;
  void answer(const Sync& sync, core::Instant now, Actions& out);
  bool is_meant(const Flush& flush, const core::CollectionConfig& collection) const;
  Cut cut() const;
  facade::FlushReport report_of(const Flush& flush) const;
  bool advance(Flush& flush, core::Instant now, Actions& out);
  void refuse(const SyncRequested& request, const std::string& why, Actions& out) const;

  const core::Config& config_;
  core::NodeId self_;
  const FleetView& view_;
  const Peers& peers_;
  const Records& records_;
  RequestsDoor door_;
  std::uint64_t next_look_ = 1;
  bool is_new_ = false;       // something happened that may end a request
  std::size_t compared_ = 0;  // logs and objects in the last turn: what looking again costs
  core::Instant wake_at_;
  std::map<std::uint64_t, Sync> syncs_;
  std::map<std::uint64_t, Flush> flushes_;
};

}  // namespace syncline::engine
