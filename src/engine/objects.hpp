// Files in the engine: from "seen in a scan" to "the same version wherever it is wanted".
//
// Each node tells the version it has at each path; the version that wins over all others is what
// everybody who wants the collection fetches, from any linked node that has it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/config.hpp"
#include "engine/actions.hpp"
#include "engine/events.hpp"
#include "engine/fleet_view.hpp"
#include "engine/line.hpp"
#include "engine/peers.hpp"
#include "engine/ways.hpp"
#include "facade/series.hpp"

namespace syncline::engine {

struct ObjectsDoor {
  std::function<const std::set<core::NodeId>&(const core::CollectionName&)> wanted_by;
  // Tells the fleet (and the own disk) which version this node has; nullptr: none any more.
  std::function<void(const ObjectId&, const core::ObjectVersion*)> tell_version;
  // May a file of so many bytes be taken now? Otherwise why not: disk limits of this node.
  std::function<core::Status(std::uint64_t bytes)> may_take;
  // An attempt to fetch ended.
  std::function<void(const facade::Fetched&)> fetched;
};

// What one data frame carries (net::kDataFrameBytes).
inline constexpr std::uint64_t kSmallObjectBytes = 256u << 10;

// One fetch under way, as `transfers` shows it.
struct FetchState {
  std::uint64_t job = 0;
  ObjectId object;
  core::ObjectVersion version;
  std::vector<core::NodeId> sources;
  core::Instant started_at;
  core::Instant wanted_since;
  std::uint64_t bytes_done = 0;
  int failures = 0;  // of the same object before
  // The ways still open to it; the next attempt may have to wait.
  std::optional<transfer::Escalation> escalation;
  bool is_waiting = false;
  core::Priority priority = core::Priority::kNormal;
  double bandwidth_mbps = 0;  // of the request that wants it; 0 = no limit of its own
  core::Root replaces;
  core::Instant attempted_at;
};

class Objects {
 public:
  Objects(const core::Config& config, const FleetView& view, const Peers& peers, ObjectsDoor door);
  const Ways& ways() const { return ways_; }
  void forget(const core::NodeId& node) { ways_.forget(node); }

  void scanned(const FilesScanned& scan, core::Instant now, Actions& out);
  void object_changed(const ObjectId& object, core::Instant now);  // the catalog says something
  void link_up(const core::NodeId& peer, core::Instant now);       // may serve what nobody could
  void reach_changed();  // likewise: a node told of another way to its files
  void wanted_anew(const core::CollectionName& collection, core::Instant now);
  void restore_clock(std::uint64_t hlc) { last_hlc_ = std::max(last_hlc_, hlc); }
  // A request wants these on this node now, and perhaps by one transport only.
  // … and no faster than this (0: as configured).
  void hurry(const core::CollectionName& collection, core::Priority priority,
             const std::string& transport, double bandwidth_mbps, core::Instant now);
  void asks(const FetchAsks& asks, core::Instant now);
  void clock_told(const ClockTold& clock, core::Instant now);
  void pause(const TransfersPaused& paused, core::Instant now);
  const std::set<core::CollectionName>& paused() const { return line_.paused(); }
  void fetch_progress(const FetchProgress& progress);
  void fetch_done(const FetchDone& done, core::Instant now, Actions& out);
  // What began before has its room by now, but for fetches of which nothing has come.
  void disk_measured();
  void set_intake(bool is_open) { is_intake_open_ = is_open; }

  void plan(core::Instant now, Actions& out);
  std::optional<core::Instant> next_wake() const;

  const std::map<std::uint64_t, FetchState>& fetches() const { return fetches_; }
  std::size_t waiting(const core::CollectionName& collection) const;
  // Why the oldest waiting object of the collection is not here yet; empty if none waits.
  std::optional<core::Instant> oldest_waiting(const core::CollectionName& collection) const;
  std::string why_waiting(const core::CollectionName& collection) const;

 private:
  // Between two fetches of an object by whatever ways; doubled each time.
  static constexpr core::Duration kRetryMin = core::milliseconds(500);
  static constexpr core::Duration kRetryMax = core::seconds(60);
  // Objects that begin in one turn: a long line must not hold up the records.
  static constexpr int kStartsMax = 512;

  struct Wanted {
    core::Instant since;
    std::optional<core::Instant> retry_at;
    int failures = 0;
    std::string why;
  };
  enum class Settled {
    kDone,      // nothing is left to do
    kFetching,  // its fetch has begun
    kInLine,    // it waits for a place
    kAside,     // something else must happen first
  };
  void look(const ObjectId& object, core::Instant now, Actions& out);
  void submit(const ObjectId& object, const core::ObjectVersion& winner,
              const transfer::Choice& choice, core::Priority priority, double bandwidth_mbps,
              core::Instant now);
  void take_from_line(core::Instant now, Actions& out);
  void stopped(const ObjectId& object, const std::string& why, Actions& out);
  FetchState take_fetch(std::map<std::uint64_t, FetchState>::iterator fetch);
  const core::CollectionConfig* find(const core::CollectionName& name) const;
  bool wants(const core::CollectionName& collection) const;
  void seen(const core::CollectionConfig& collection, const SeenObject& object, core::WallMs at);
  void gone(const core::CollectionConfig& collection, const std::string& path, core::WallMs at);
  // Brings this node's version of the path nearer to the winner.
  Settled settle(const ObjectId& object, Wanted& wanted, core::Instant now, Actions& out);
  std::uint64_t tick(core::WallMs at);
  void pace(const ObjectId& object, double mbps, Actions& out);
  void share(const FetchState& fetch, Fetch& action) const;
  std::vector<core::NodeId> others_wanting(const ObjectId& object, std::uint64_t bytes,
                                           const std::set<core::NodeId>& holding) const;
  void attempt(FetchState fetch, core::Instant now, Actions& out);
  void attempt_failed(FetchState fetch, core::Instant now, const FetchDone& done, Actions& out);
  void try_again(core::Instant now, Actions& out);

  std::uint64_t reserved_bytes_ = 0;  // of fetches that began since the disk was measured
  const core::Config& config_;
  core::NodeId self_;
  const FleetView& view_;
  const Peers& peers_;
  ObjectsDoor door_;
  Ways ways_;
  bool is_intake_open_ = true;
  std::uint64_t last_hlc_ = 0;
  std::uint64_t next_job_ = 1;
  void set_aside(const ObjectId& object, const Wanted& wanted);

  // Every unsettled object is in exactly one of the sets below or in the line, or is being fetched.
  std::map<ObjectId, Wanted> unsettled_;
  Line line_;
  std::set<ObjectId> changed_;     // to be looked at in this turn
  std::set<ObjectId> sourceless_;  // … when a link or a fact comes
  std::set<std::pair<core::Instant, ObjectId>> retries_;
  int starts_left_ = 0;         // of this turn
  bool is_more_ready_ = false;  // the last turn did not get to the end of what may start
  core::Instant looked_at_;
  std::unordered_map<ObjectId, std::uint64_t, ObjectHash> job_of_;
  std::map<std::uint64_t, FetchState> fetches_;
  struct Hurry {
    core::Priority priority = core::Priority::kNormal;
    std::string transport;       // forced, or empty
    double bandwidth_mbps = 0;   // no faster than this, or 0
    core::Instant forced_until;  // a request that is long over forces nothing
  };
  std::map<core::CollectionName, Hurry> hurried_;
  std::set<std::pair<core::Instant, std::uint64_t>> waiting_;  // fetches between two attempts
};

}  // namespace syncline::engine
