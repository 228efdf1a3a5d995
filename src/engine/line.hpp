// The line in front of the transfers: which object's fetch begins when, and how fast it may go.
//
// The scheduler decides (scheduling/scheduler.hpp): by priority with fair shares, small objects
// beside large ones, nothing of what is paused or closed by a schedule. This class knows which of
// its jobs is which object.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/config.hpp"
#include "engine/fleet_view.hpp"
#include "scheduling/scheduler.hpp"

namespace syncline::engine {

class Line {
 public:
  explicit Line(const core::Config& config);

  // It is ready to be fetched. No effect while it waits or has a place. `job.id` is given here.
  void submit(const ObjectId& object, scheduling::Job job, core::Instant now);
  // It waits no more, and its place is free.
  void leave(const ObjectId& object, core::Instant now);
  bool has_place(const ObjectId& object) const;
  bool is_known(const ObjectId& object) const { return entries_.count(object) > 0; }
  // A fetch could move so many bytes more: granted() tells when it may.
  void asks(const ObjectId& object, std::uint64_t bytes, core::Instant now);
  // It is moved by something that cannot ask, or it asks again. Answers how fast it may go now,
  // MB/s or 0 = no limit; take_paces() tells when that changes.
  double set_paced(const ObjectId& object, bool is_paced, core::Instant now);
  // Some limit holds for it: it has to ask before it moves anything.
  bool is_metered(const ObjectId& object) const;

  void pause(const core::CollectionName& collection, bool is_paused, core::Instant now);
  void clock_told(const scheduling::LocalTime& local, core::Instant now);
  void tick(core::Instant now);
  std::optional<core::Instant> next_wake() const { return scheduler_.next_wake(); }

  // ── what came out since the last call ──
  std::deque<ObjectId>& started() { return started_; }  // they have a place now
  struct Stopped {
    ObjectId object;
    std::string why;
  };
  std::vector<Stopped> take_stopped() { return std::exchange(stopped_, {}); }
  using Granted = std::pair<ObjectId, std::uint64_t>;
  std::vector<Granted> take_grants() { return std::exchange(grants_, {}); }
  // MB/s from now on; 0 = no limit.
  std::vector<std::pair<ObjectId, double>> take_paces() { return std::exchange(paces_, {}); }
  std::vector<Stopped> take_refused() { return std::exchange(refused_, {}); }

  std::string why_waiting(const ObjectId& object, core::Instant now) const;
  const std::set<core::CollectionName>& paused() const { return paused_; }

 private:
  struct Entry {
    scheduling::JobId job = 0;
    bool has_place = false;
    bool has_own_limit = false;
  };
  void step(const scheduling::Event& event, core::Instant now);

  bool has_limits_ = false;  // of the configuration
  scheduling::Scheduler scheduler_;
  scheduling::JobId next_job_ = 1;
  std::unordered_map<ObjectId, Entry, ObjectHash> entries_;
  std::unordered_map<scheduling::JobId, ObjectId> objects_;
  std::set<core::CollectionName> paused_;
  std::deque<ObjectId> started_;
  std::vector<Stopped> stopped_;
  std::vector<Stopped> refused_;
  std::vector<Granted> grants_;
  std::vector<std::pair<ObjectId, double>> paces_;
};

// Schedules of the configuration. kInvalid names the one that cannot be read.
core::Result<std::vector<scheduling::Schedule>> schedules_of(const core::Config& config);

}  // namespace syncline::engine
