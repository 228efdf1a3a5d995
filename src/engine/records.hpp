// Records in the engine: from "read in a source" to "durable, held wherever wanted, merged".
//
// Composes replication/: one WriterLog per log this node has written, Holdings for all logs, and a
// PullPlan for the gaps. Everything that touches the disk or a peer leaves as an Action.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "engine/actions.hpp"
#include "engine/events.hpp"
#include "engine/fleet_view.hpp"
#include "engine/peers.hpp"
#include "replication/holdings.hpp"
#include "replication/pull_plan.hpp"
#include "replication/writer_log.hpp"

namespace syncline::engine {

// What is on disk when the daemon starts.
struct RecoveredLog {
  core::SeqSet held;
  core::SeqSet merged;
  core::SeqSet trimmed;
  std::uint64_t last_hlc = 0;  // the highest of the log's records
  // Own logs only: what the journal still has, and who was known to hold what.
  std::vector<replication::PendingRecord> records;
  std::map<core::NodeId, core::SeqSet> acks;
};

// What Records asks of the rest of the engine.
struct RecordsDoor {
  // The best linked receivers for this collection, most wanted first, at most `count`.
  std::function<std::vector<core::NodeId>(const core::CollectionName&, int count,
                                          const std::set<core::NodeId>& avoid)>
      choose_receivers;
  // Nodes that shall hold the collection.
  std::function<const std::set<core::NodeId>&(const core::CollectionName&)> wanted_by;
  // Tells the fleet what this node holds of a log.
  std::function<void(const core::LogId&, const core::SeqSet& held)> tell_held;
  std::function<void(const core::CollectionName&, core::Duration commit_to_durable)> became_durable;
  // Another node leads, is linked, and pushes this collection to everybody.
  std::function<bool(const core::CollectionName&)> is_pushed_here;
};

// The first ranges of a set, as many as a message or a fact may have: bounded, and still true.
core::SeqSet bounded(const core::SeqSet& set);

struct IntakeState {
  bool is_open = true;
  std::string why;
};

class Records {
 public:
  Records(const core::Config& config, core::Epoch epoch, const FleetView& view, const Peers& peers,
          RecordsDoor door, std::uint64_t seed);
  void restore(const std::map<core::LogId, RecoveredLog>& logs);

  void units_read(const UnitsRead& read, Actions& out);
  void appended(const Appended& done, core::Instant now, Actions& out);
  void append_failed(const AppendFailed& failed, core::Instant now, Actions& out);
  void merged(const Merged& done, core::Instant now);
  void merge_failed(const MergeFailed& failed, core::Instant now);
  void unavailable(const RecordsUnavailable& lost, core::Instant now, Actions& out);

  void received(const core::NodeId& peer, const core::AppendRecords& message, Actions& out);
  void received(const core::NodeId& peer, const core::AckRecords& message, core::Instant now);
  void received(const core::NodeId& peer, const core::RefuseRecords& message, core::Instant now);
  void received(const core::NodeId& peer, const core::RequestRecords& message, Actions& out);

  void link_up(const core::NodeId& peer, Actions& out);
  void link_down(const core::NodeId& peer);
  // The catalog says something new: `owner` holds other records of the log than before. `lost` are
  // those that it had told of and takes back.
  void log_changed(const core::LogId& log, const core::NodeId& owner, const core::SeqSet& lost,
                   core::Instant now);
  // All that the peer told of itself since its link came up is known: what it had acked before and
  // does not speak of any more, it has lost.
  void caught_up(const core::NodeId& peer);
  void peer_gone(const core::NodeId& peer);  // dead or removed: its copies count no more
  void domains_changed(core::Instant now);   // … or count again, or for the first time
  void receivers_changed() { receivers_stale_ = true; }
  void wanted_changed(const core::CollectionName& collection, core::Instant now);
  void set_intake(IntakeState intake) { intake_ = std::move(intake); }

  // Whatever can be done now: pushes, requests, merges, trims, facts.
  void plan(core::Instant now, Actions& out);
  std::optional<core::Instant> next_wake() const;

  const replication::Holdings& holdings() const { return holdings_; }
  const std::map<core::LogId, replication::WriterLog>& own_logs() const { return writers_; }
  const IntakeState& intake() const { return intake_; }
  bool is_append_under_way(const core::CollectionName& collection) const;
  // Own records that are not durable, or no longer, but could be made so from here.
  std::uint64_t undelivered() const;
  std::uint64_t pending_bytes() const;  // of those that never were durable
  // Since when the oldest log of the collection has lacked something that this node wants.
  std::optional<core::Instant> incomplete_since(const core::CollectionName& collection) const;
  const std::map<core::LogId, std::string>& merge_problems() const { return merge_problems_; }
  replication::CountDomains domains_beside(const core::NodeId& origin) const;

 private:
  struct PendingAppend {
    core::LogId log;
    core::SeqSet seqs;
    core::NodeId from;  // empty: units of this node's own source
    std::vector<replication::PendingRecord> own;
    std::uint64_t bytes = 0;
  };
  bool wants(const core::CollectionName& collection) const;
  replication::WriterLog& writer_for(const core::LogId& log);
  void settled(const core::LogId& log, const std::vector<replication::PendingRecord>& durable,
               core::Instant now);
  void want_more(const core::LogId& log, core::Instant now);
  void pull_later(core::Instant until);
  void forget(const core::LogId& log, const core::SeqSet& seqs, Actions& out);
  void held_more(const core::LogId& log, core::Instant now);
  void ack(const core::NodeId& peer, const core::LogId& log, Actions& out) const;
  void plan_receivers(core::Instant now);
  void plan_pushes(core::Instant now, Actions& out);
  void plan_pulls(core::Instant now, Actions& out);
  void consider_pull(const core::LogId& log, core::Instant now,
                     std::vector<replication::PullRequest>& out);
  void plan_merges(core::Instant now, Actions& out);
  void plan_trims(core::Instant now, Actions& out);
  void plan_saves(core::Instant now, Actions& out);
  void save_acks(const core::LogId& log, Actions& out);
  void plan_tells(core::Instant now);
  core::SeqSet trimmable(const core::LogId& log, const replication::Holding& holding) const;
  core::SeqSet safe_without_us(const core::LogId& log, core::SeqSet may) const;

  const core::Config& config_;
  core::NodeId self_;
  core::Epoch epoch_;
  const FleetView& view_;
  const Peers& peers_;
  RecordsDoor door_;
  IntakeState intake_;

  replication::Holdings holdings_;
  std::map<core::LogId, replication::WriterLog> writers_;
  replication::PullPlan pulls_;
  std::map<core::CollectionName, std::uint64_t> next_seq_;
  std::uint64_t last_hlc_ = 0;
  std::uint64_t next_append_ = 1;
  std::map<std::uint64_t, PendingAppend> appends_;
  std::uint64_t appending_bytes_ = 0;

  std::set<core::LogId> active_;                     // own logs with something that is not durable
  std::map<core::LogId, core::Instant> incomplete_;  // wanted here, and somebody holds more; since
  std::set<core::LogId> pull_dirty_;                 // of these: to be looked at in this turn
  std::map<core::LogId, core::Instant> pull_after_;  // of these: the leader's push may come first
  std::optional<core::Instant> pull_not_before_;     // the journal has just failed
  std::set<core::LogId> unmerged_;
  std::map<core::LogId, core::Instant> merge_retry_at_;
  std::map<core::LogId, std::string> merge_problems_;
  std::set<core::LogId> told_late_;  // held more than the fleet was told
  std::optional<core::Instant> tell_at_;
  std::set<std::pair<core::LogId, core::NodeId>> unsaved_acks_;
  // What peers acked since their links came up, until they are caught up with.
  std::map<core::NodeId, std::map<core::LogId, core::SeqSet>> acks_since_link_;
  std::map<core::NodeId, core::Instant> avoid_;    // slow: taken only if too few are left
  std::map<core::NodeId, core::Instant> refused_;  // sent nothing until then
  bool receivers_stale_ = true;
  std::set<core::LogId> trim_dirty_;
  core::Instant trim_at_;
  core::Instant save_at_;
};

}  // namespace syncline::engine
