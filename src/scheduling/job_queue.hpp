// Jobs that wait to start: who is next.
//
// Weighted fair queueing with ageing. Jobs are grouped into flows (collection, source, target,
// priority, small or not). Within a flow the order is that of arrival. Across flows each job has a
// finish tag, the bytes before it in its flow and its own divided by the share of its priority
// (critical 2.0 … background 0.25), counted from the tag that was served last. Every second of
// waiting is worth `kAgeingBytesPerSecond` of it, so whoever comes later falls behind by and by:
// no job waits for ever, however many others keep coming.
//
// Since all jobs age alike, the order of two jobs never changes: the key is fixed at arrival and
// everything is O(log n). Sources: A. Demers, S. Keshav, S. Shenker, "Analysis and simulation of a
// fair queueing algorithm" (1989); S. J. Golestani, self-clocked fair queueing (1994).
//
// A job with a deadline goes before all without; of those, earliest deadline first, then records
// before files, then the newest.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "scheduling/types.hpp"

namespace syncline::scheduling {

// Raising it comes closer to first come, first served; lowering it lets shares rule for longer.
// At 32 MB per second a 5 GB archive of normal priority is overtaken for 160 s at most.
constexpr double kAgeingBytesPerSecond = 32e6;

// What keeps a flow from starting its next job. Flows that wait for the same thing wait together
// and cost nothing until it is released.
struct Blocker {
  enum class Kind { kNode, kCollection, kEverything };
  Kind kind = Kind::kEverything;
  std::string name;  // node or collection; empty for the other kinds
  std::string why;   // "4 transfers with gpu-1 are running": for people, not part of its identity
  friend bool operator<(const Blocker& a, const Blocker& b) {
    return a.kind != b.kind ? a.kind < b.kind : a.name < b.name;
  }
};

class JobQueue {
 public:
  explicit JobQueue(std::uint64_t small_bytes_max) : small_bytes_max_(small_bytes_max) {}

  struct Next {
    Job job;
    core::Instant queued_at;
    double finish = 0;  // its tag
  };

  // REQUIRES: no job of this id waits.
  void push(const Job& job, core::Instant now);
  // One that had started and was stopped takes its old place, not a new one at the end.
  void push_again(const Next& stopped);
  bool cancel(JobId id);
  // The jobs that are meant get this deadline, unless they have an earlier one. O(n log n).
  void set_deadline(const std::function<bool(const Job&)>& is_meant, core::Instant deadline);

  // The first job in order that nothing blocks; it leaves the queue. `blocker_of` says what stops
  // a job; its flow then waits for release(). With kSmallOnly, large ones are passed over.
  enum class Which { kAny, kSmallOnly };
  std::optional<Next> pop(const std::function<std::optional<Blocker>(const Job&)>& blocker_of,
                          Which which);
  void release(Blocker::Kind kind, const std::string& name);
  void release_all();

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  std::uint64_t bytes() const { return bytes_; }
  const Job* find(JobId id) const;
  bool is_small(const Job& job) const { return job.bytes <= small_bytes_max_; }
  // Why it waits; empty if it only waits for its turn, or does not wait.
  std::string why_blocked(JobId id) const;

 private:
  struct Order {
    std::int64_t deadline_ns = std::numeric_limits<std::int64_t>::max();
    int rank = 0;
    double key = 0;
    JobId id = 0;  // so that the order is total, and the same in every run
    auto operator<=>(const Order&) const = default;
  };
  // Collection, source, target, priority, is small, has a deadline.
  using FlowName =
      std::tuple<core::CollectionName, core::NodeId, core::NodeId, core::Priority, bool, bool>;
  struct Flow {
    std::set<Order> jobs;
    std::optional<Blocker> blocker;
    double last_finish = 0;
  };
  struct Entry {
    Next next;
    FlowName flow;
  };

  static bool is_small_flow(const FlowName& name) { return std::get<4>(name); }
  FlowName flow_name(const Job& job) const;
  static Order order_of(const Next& next);
  void insert(Next next);
  void erase(JobId id);
  std::set<Order>& ready_of(const FlowName& name);
  void hide_head(const FlowName& name, const Flow& flow);
  void show_head(const FlowName& name, const Flow& flow);
  const Order* first_ready(Which which) const;

  std::uint64_t small_bytes_max_;
  std::uint64_t bytes_ = 0;
  double virtual_now_ = 0;
  std::unordered_map<JobId, Entry> entries_;
  std::map<FlowName, Flow> flows_;
  std::set<Order> ready_small_;  // first jobs of the flows that nothing blocks
  std::set<Order> ready_large_;
  std::map<Blocker, std::set<FlowName>> blocked_;
};

}  // namespace syncline::scheduling
