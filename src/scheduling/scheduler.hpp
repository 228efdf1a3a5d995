// WHEN and WHAT first: the jobs of one node, from submitted to ended.
//
// Starts jobs in fair order (job_queue.hpp) while there is a slot for them; small ones have slots
// of their own, so that a game never waits for an archive to end. While they run, bandwidth goes to
// them by share (throttle.hpp). Nothing is dropped in silence: a job is started, stopped (and then
// waits in its old place), or refused with a reason.
//
// Contract: step() with each event in the order it happened, `now` never goes back; carry out the
// actions in order; step(Tick) no later than next_wake(). Same events, same actions.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "scheduling/job_queue.hpp"
#include "scheduling/throttle.hpp"
#include "scheduling/time_of_day.hpp"
#include "scheduling/types.hpp"

namespace syncline::scheduling {

// ── events ──
struct Tick {};
struct Submitted {
  Job job;
};
struct Cancelled {  // whoever wanted it does not any more
  JobId job = 0;
};
struct Ended {  // it was carried out, or gave up
  JobId job = 0;
};
struct Asked {  // a running job could move so many bytes more now: answered by Grant, in time
  JobId job = 0;
  std::uint64_t bytes = 0;
};
struct Paused {                     // by a person; what runs is stopped, and goes on after Resumed
  core::CollectionName collection;  // empty = everything
};
struct Resumed {
  core::CollectionName collection;
};
struct DrainBegan {  // the node will stop: what it has goes out first, and nothing goes there
  core::NodeId node;
  core::Instant deadline;
};
struct DrainEnded {
  core::NodeId node;
};
struct NodeHeld {  // nothing with this node until then: its circuits are open, its link is down
  core::NodeId node;
  core::Instant until;
  std::string why;
};
struct NodeFreed {
  core::NodeId node;
};
// A program moves it that cannot ask: -> Pace, now and whenever its pace changes. Or it asks again.
struct PaceWanted {
  JobId job = 0;
  bool is_paced = true;
};
struct CapsChanged {
  Caps caps;
};
struct SchedulesChanged {
  std::vector<Schedule> schedules;
};
struct WallTold {  // at the start, and whenever the wall clock jumped or the zone changed
  LocalTime local;
};
using Event =
    std::variant<Tick, Submitted, Cancelled, Ended, Asked, PaceWanted, Paused, Resumed, DrainBegan,
                 DrainEnded, NodeHeld, NodeFreed, CapsChanged, SchedulesChanged, WallTold>;

// ── actions ──
struct Start {
  Job job;
  bool operator==(const Start&) const = default;
};
struct Stop {  // keep what has arrived; the job waits again, unless it was cancelled
  JobId job = 0;
  std::string why;
  bool operator==(const Stop&) const = default;
};
struct Refuse {  // too many jobs wait: submit it again later
  JobId job = 0;
  std::string why;
  bool operator==(const Refuse&) const = default;
};
using Action = std::variant<Start, Stop, Grant, Pace, Refuse>;
using Actions = std::vector<Action>;

constexpr std::size_t kQueueMax = 1'000'000;

class Scheduler {
 public:
  Scheduler(core::NodeId self, Caps caps, std::size_t queue_max = kQueueMax);

  void step(const Event& event, core::Instant now, Actions& out);
  std::optional<core::Instant> next_wake() const;

  std::size_t waiting() const { return queue_.size(); }
  std::uint64_t waiting_bytes() const { return queue_.bytes(); }
  std::size_t running() const { return running_.size(); }
  bool is_running(JobId job) const { return running_.count(job) > 0; }
  double pace_of(JobId job) const { return throttle_.pace_of(job); }
  // One sentence on why the job does not go on now; empty if it does, or is not known.
  std::string why_waiting(JobId job, core::Instant now) const;

 private:
  struct Running {
    JobQueue::Next next;
    bool is_small = false;
  };
  struct Counts {  // of running jobs
    int small = 0;
    int large = 0;
    int& of(bool is_small) { return is_small ? small : large; }
  };
  struct Held {
    core::Instant until;
    std::string why;
  };

  void on(const Tick&, core::Instant) {}
  void on(const Submitted& event, core::Instant now);
  void on(const Cancelled& event, core::Instant now);
  void on(const Ended& event, core::Instant now);
  void on(const Asked& event, core::Instant now);
  void on(const PaceWanted& event, core::Instant now);
  void on(const Paused& event, core::Instant now);
  void on(const Resumed& event, core::Instant now);
  void on(const DrainBegan& event, core::Instant now);
  void on(const DrainEnded& event, core::Instant now);
  void on(const NodeHeld& event, core::Instant now);
  void on(const NodeFreed& event, core::Instant now);
  void on(const CapsChanged& event, core::Instant now);
  void on(const SchedulesChanged& event, core::Instant now);
  void on(const WallTold& event, core::Instant now);

  void follow_clock(core::Instant now);
  void apply_schedules(core::Instant now);
  void stop_blocked(core::Instant now);
  void start_jobs(core::Instant now);
  void start(JobQueue::Next next, core::Instant now);
  void leave(std::map<JobId, Running>::iterator job, core::Instant now);
  void release_around(const Job& job);
  std::optional<Blocker> hindrance(const Job& job) const;  // whatever its size
  std::optional<Blocker> blocker_of(const Job& job);
  bool has_slot(bool is_small) const;

  core::NodeId self_;
  Caps caps_;
  std::size_t queue_max_;
  JobQueue queue_;
  Throttle throttle_;
  std::map<JobId, Running> running_;
  Counts slots_;
  std::map<core::NodeId, Counts> by_node_;
  std::map<core::CollectionName, Counts> by_collection_;
  std::set<core::CollectionName> paused_;  // the empty name: everything
  std::map<core::NodeId, core::Instant> draining_;
  std::map<core::NodeId, Held> held_;
  std::vector<Schedule> schedules_;
  std::optional<LocalTime> local_;            // as told …
  core::Instant local_at_;                    // … at this moment
  std::optional<core::Instant> schedule_at_;  // when one begins or ends to hold
  std::set<core::CollectionName> known_;      // collections that jobs were submitted for
  std::map<core::CollectionName, Allowance> closed_;
  core::Instant now_;
  Actions* out_ = nullptr;  // of the step under way
};

}  // namespace syncline::scheduling
