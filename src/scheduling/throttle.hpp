// Bandwidth among the transfers that run: who may move how many bytes now.
//
// Every transfer is charged to each bucket it falls under: the total, both nodes, their providers,
// its collection, its own limit. Among those that want more, bytes go out in small portions to the
// one that has had least for its share (start-time fair queueing: P. Goyal, H. Vin, H. Cheng,
// 1996), so a transfer that begins is served next, whatever the others still have to move.
//
// Use: ask() what a transfer could move now; grants() says what it may; next_wake() when to call
// grants() again. A transfer under no bucket is granted all it asks for at once.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scheduling/token_bucket.hpp"
#include "scheduling/types.hpp"

namespace syncline::scheduling {

struct Grant {
  JobId job = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Grant&) const = default;
};

class Throttle {
 public:
  explicit Throttle(Caps caps) : caps_(std::move(caps)) {}

  // Buckets that stay keep their fill; running transfers change over at once.
  void set_caps(Caps caps, core::Instant now);

  void add(const Job& job, core::Instant now);  // it runs from now on
  void remove(JobId job);
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
  };
  void attach(Running& running, core::Instant now);
  void use_bucket(Running& running, const std::string& name, double mbps, core::Instant now);
  double portion(const Running& running) const;
  bool can_have(const Running& running, core::Instant now) const;
  void forget_unused_buckets();

  Caps caps_;
  std::map<JobId, Running> running_;
  std::set<JobId> wanting_;  // who wants bytes: of hundreds that run, few where nothing is limited
  std::map<std::string, TokenBucket> buckets_;
  double virtual_now_ = 0;
};

}  // namespace syncline::scheduling
