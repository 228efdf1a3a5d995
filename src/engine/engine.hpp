// The engine: one node's brain. Events in, actions out; no I/O, no clock, no thread.
//
// It composes the cores: gossip keeps the catalog equal, Records and Objects bring data where it
// is wanted, Requests answers people, routing and strategy say where. The daemon (src/node) and
// the simulation (simulation/) run this very class.
//
// Contract: step() with every event, in the order they happened, with a `now` that never goes
// back; carry out the actions it appends, in order; call step(Tick) no later than next_wake().
// Same configuration, seed and events: same actions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "core/config.hpp"
#include "core/time.hpp"
#include "engine/actions.hpp"
#include "engine/broadcast.hpp"
#include "engine/events.hpp"
#include "engine/fleet_view.hpp"
#include "engine/key_ring.hpp"
#include "engine/leading.hpp"
#include "engine/objects.hpp"
#include "engine/peers.hpp"
#include "engine/placement.hpp"
#include "engine/records.hpp"
#include "engine/requests.hpp"
#include "engine/retention.hpp"
#include "facade/stats.hpp"
#include "gossip/gossip.hpp"
#include "membership/membership.hpp"

namespace syncline::engine {

// What is known when the daemon starts.
struct Recovered {
  core::Epoch epoch;              // above all that this node ever used
  std::uint64_t incarnation = 0;  // of its catalog log: grows with every start
  std::map<core::LogId, RecoveredLog> logs;
  std::map<ObjectId, core::ObjectVersion> objects;  // versions of the files on this disk
  std::vector<core::FleetKey> keys;                 // of the fleet; the first one seals
  std::set<core::NodeId> removed;                   // nodes that were removed from the fleet
};

// Of one collection: what the sources and the replica last said.
struct CollectionState {
  std::uint64_t open_units = 0;
  std::vector<std::string> problems;
  std::uint64_t replica_units = 0;
  std::uint64_t aside = 0;  // records that cannot be merged here
  std::string derived;
  std::string derive_problem;
  std::set<std::string> announced;  // files that rows of the replica name
  std::uint64_t waiting_units = 0;  // rows here that wait for their files
  std::set<std::string> waiting_for;
  std::string fingerprint;
  std::uint64_t read_under_way = 0;  // id of the ReadSource or ScanFiles; 0 = none
  bool is_running_full = false;
  bool is_drain_look = false;      // it began after the notice of termination
  bool is_look_continued = false;  // the last read stopped at its bounds: more follows
  core::Instant not_before;        // after a failure
  bool is_look_wanted = false;     // something changed while one was under way
  bool is_full_look_wanted = false;
  std::set<std::uint64_t> looks_wanted;   // requests that wait for a look not started yet
  std::set<std::uint64_t> looks_running;  // … for the one under way
  std::optional<std::uint64_t> last_append;
  core::Instant next_poll;
  std::optional<core::Instant> rescan_at;  // files still being written
  int unstable_scans = 0;                  // of the look that is waited for
  std::optional<core::Instant> proved_at;
  std::uint64_t checked = 0;
  std::vector<std::string> damaged;
  std::optional<core::Instant> blocked_since;  // the source could not be read or journalled
};

class Engine {
 public:
  Engine(core::Config config, Recovered recovered, std::uint64_t seed, core::Instant now);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void step(const Event& event, core::Instant now, Actions& out) { step({&event, 1}, now, out); }
  // Several that happened one after the other: what follows from them is planned once.
  void step(std::span<const Event> events, core::Instant now, Actions& out);
  // Never before the last step's `now`.
  std::optional<core::Instant> next_wake() const;

  // ── what can be asked at any time; nothing here changes the state ──
  const core::Config& config() const { return config_; }
  const FleetView& view() const { return view_; }
  const Peers& peers() const { return peers_; }
  const membership::Membership& membership() const { return membership_; }
  const Records& records() const { return records_; }
  const Objects& objects() const { return objects_; }
  const facade::Stats& stats() const { return stats_; }
  // A request that was answered without the engine: its targets have no daemon.
  void count_sync(const facade::SyncResponse& response) {
    stats_.count(response.backend_used, response.bytes_transferred, response.success,
                 core::from_seconds(response.duration_s));
  }
  const std::map<core::CollectionName, CollectionState>& collections() const {
    return collections_;
  }
  const Placement& placement() const { return placement_; }
  // Backend, and a verdict for every node with the way to it.
  facade::RouteReport route(const facade::SyncRequest& request,
                            const core::CollectionConfig& collection, core::Instant now) const;
  // How long the oldest object that is not durable, or not here although wanted, has been waiting.
  double oldest_object_age_s(const core::CollectionName& collection, core::Instant now) const;
  const KeyRing& key_ring() const { return key_ring_; }
  const coordination::Leadership& leadership() const { return leading_.leadership(); }
  std::uint64_t broadcast_records() const { return broadcast_.pushed_records(); }
  const DiskMeasured& disk() const { return disk_; }
  bool is_draining() const { return drain_.has_value(); }
  const std::set<core::NodeId>& removed_nodes() const { return removed_; }
  const catalog::Catalog& catalog() const { return gossip_.catalog(); }

 private:
  void on(const Tick&) {}
  void on(const LinkUp& event);
  void on(const LinkDown& event);
  void on(const DialFailed& event);
  void on(const Received& event);
  void on(const PacketReceived& event);
  void on(const KeysKept& event);
  void on(const KeyMade& event);
  void on(const UnitsRead& event);
  void on(const Appended& event);
  void on(const AppendFailed& event);
  void on(const Merged& event);
  void on(const MergeFailed& event);
  void on(const ReplicaMeasured& event);
  void on(const RecordsUnavailable& event);
  void on(const SourceChanged& event);
  void on(const RecordsSent& event);
  void on(const FilesScanned& event);
  void on(const FetchProgress& event);
  void on(const FetchAsks& event);
  void on(const FetchDone& event);
  void on(const ClockTold& event);
  void on(const TransfersPaused& event);
  void on(const DiskMeasured& event);
  void on(const FoundEphemeral& event);
  void on(const TerminationNotice& event);
  void on(const EtcdAnswered& event);
  void on(const SyncRequested& event);
  void on(const FlushRequested& event);
  void on(const VerifyDone& event);
  void on(const NodeRemoved& event);

  void run_gossip(const gossip::Event& event);
  void run_membership(const membership::Event& event);
  void carry_out(membership::SendPacket& action);
  void carry_out(membership::ExchangeState& action);
  void carry_out(const membership::MemberChanged& action);
  void carry_out(const membership::MemberForgotten& action);
  void carry_out(const membership::LeaveTold& action);
  bool has_left();
  void fact_changed(const core::NodeId& owner, const core::Fact& fact);
  void tell(const std::string& key, const std::string& value);
  void untell(const std::string& key);
  void tell_self();
  void refresh_fleet();
  void plan_leading();
  void plan_keys();
  void leadership_looked_at();
  bool is_broadcast(const core::CollectionName& collection) const;
  void weigh_all();
  void remove_node(const core::NodeId& node);
  void weigh(const ObjectId& object);
  IntakeState intake_state() const;
  void look_finished(const core::CollectionName& name, CollectionState& state);
  void plan();
  bool may_look(const core::CollectionConfig& collection) const;
  std::optional<core::Instant> next_look(const core::CollectionConfig& collection) const;
  void plan_looks();
  void plan_intake();
  void plan_drain();
  std::set<core::CollectionName> unread_sources() const;
  std::string what_is_left(std::uint64_t records, std::size_t files,
                           const std::set<core::CollectionName>& unread) const;

  struct Drain {
    core::Instant deadline;
    std::string reason;
    std::set<core::CollectionName> unread;  // no look that began after the notice has ended
    bool is_leaving = false;                // the fleet is being told
    bool is_leave_told = false;
    bool is_reported = false;
  };

  core::Config config_;
  core::NodeId self_;
  core::Instant now_;
  Actions* out_ = nullptr;  // of the step under way
  FleetView view_;
  Peers peers_;
  membership::Membership membership_;
  gossip::Gossip gossip_;
  Placement placement_;
  Records records_;
  Objects objects_;
  Requests requests_;
  Leading leading_;
  Broadcast broadcast_;
  coordination::Leadership told_leadership_;
  std::uint64_t told_claim_ = 0;
  KeyRing key_ring_;
  Retention retention_;
  bool are_keys_stale_ = true;  // who has which, who is linked, who counts
  facade::Stats stats_;
  std::map<core::CollectionName, CollectionState> collections_;
  std::uint64_t next_read_ = 1;
  DiskMeasured disk_;
  std::map<ObjectId, core::Instant> objects_pending_;  // own ones that are not durable yet
  std::optional<Drain> drain_;
  std::set<core::NodeId> removed_;
  bool is_fleet_stale_ = true;  // links, deaths or what nodes say of themselves have changed
  bool are_domains_stale_ = true;
};

}  // namespace syncline::engine
