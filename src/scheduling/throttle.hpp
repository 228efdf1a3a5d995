// Bandwidth among the transfers that run: who may move how many bytes now.
//
// Every transfer is charged to each bucket it falls under: the total, both nodes, their providers,
// its collection, its own limit. Among those that want more, bytes go out in small portions to the
// one that has had least for its share (start-time fair queueing: P. Goyal, H. Vin, H. Cheng,
// 1996), so a transfer that begins is served next, whatever the others still have to move.
//
// Outside programs (rsync, aria2c, libtorrent) do not ask: they are told a pace. A paced transfer
// has its share of each bucket as a fixed rate, which changes when a transfer comes, goes or
// changes over, or a limit changes; who asks divides what is left.
//
// Use: ask() what a transfer could move now; grants() says what it may; next_wake() when to call
// grants() again. A transfer under no bucket is granted all it asks for at once.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scheduling/token_bucket.hpp"
#include "scheduling/types.hpp"

namespace syncline::scheduling {

struct Grant {
  JobId job = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Grant&) const = default;
};

// From now on it may move no more than so many MB/s; 0 = no limit holds for it.
struct Pace {
  JobId job = 0;
  double mbps = 0;
  bool operator==(const Pace&) const = default;
};

class Throttle {
 public:
  explicit Throttle(Caps caps) : caps_(std::move(caps)) {}

  // Buckets that stay keep their fill; running transfers change over at once.
  void set_caps(Caps caps, core::Instant now);

  void add(const Job& job, core::Instant now);  // it runs from now on
  void remove(JobId job, core::Instant now);
  // It is told its pace from now on, or asks again. Of a job that does not run: no effect.
  void set_paced(JobId job, bool is_paced, core::Instant now);
  double pace_of(JobId job) const;  // MB/s; 0: no limit holds for it, or it asks
  // Those whose pace is another than when it was last told.
  std::vector<Pace> take_paces() { return std::exchange(paces_, {}); }
  void ask(JobId job, std::uint64_t bytes);  // adds to what it wants

  // What may be moved now; portions to one transfer are summed up. Order: as served first.
  std::vector<Grant> grants(core::Instant now);
  // When somebody who wants bytes can have some; none if nobody waits. Valid after grants().
  std::optional<core::Instant> next_wake(core::Instant now) const;

  std::size_t size() const { return running_.size(); }
  // "the total limit of 10 MB/s": what it is waiting for; empty if nothing.
  std::string waiting_for(JobId job, core::Instant now) const;

 private:
  struct Running {
    Job job;
    double share = 1;
    double tag = 0;  // what it has had, divided by its share
    std::uint64_t wanted = 0;
    std::vector<std::string> buckets;
    bool is_paced = false;
    std::optional<double> pace;  // as told
  };
  struct Bucket {
    double bytes_per_s = 0;  // the limit
    TokenBucket tokens;      // of those who ask: what the paced leave
  };
  void attach(Running& running, core::Instant now);
  void use_bucket(Running& running, const std::string& name, double mbps, core::Instant now);
  double portion(const Running& running) const;
  bool can_have(const Running& running, core::Instant now) const;
  void forget_unused_buckets();
  void repace(core::Instant now);

  Caps caps_;
  std::map<JobId, Running> running_;
  std::set<JobId> wanting_;  // who wants bytes: of hundreds that run, few where nothing is limited
  std::map<std::string, Bucket> buckets_;
  std::vector<Pace> paces_;
  std::size_t paced_ = 0;
  double virtual_now_ = 0;
};

}  // namespace syncline::scheduling
