// Election through a lease in etcd: whoever has put its name under the key, and keeps its lease,
// leads. The key's create revision is the epoch: etcd makes it grow with every new leader.
//
// A node counts itself leader only until its lease could have ended by its own clock, counted from
// before the question that renewed it: a leader that is cut off stops before another begins
// (C. Gray, D. Cheriton, Leases, 1989). While etcd does not answer nobody leads.
//
// Contract of a core: carry out what comes out (one question at a time), answer each with Answered;
// step(Tick) no later than next_wake().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "coordination/types.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace syncline::coordination {

struct LeaseTimes {
  core::Duration ttl = core::seconds(10);
  core::Duration look = core::seconds(1);  // between two questions; at most a third of ttl
};

// ── questions: each is answered by one Answered ──
struct Grant {  // a lease of so many seconds
  std::int64_t ttl_s = 0;
  bool operator==(const Grant&) const = default;
};
struct KeepAlive {
  std::int64_t lease = 0;
  bool operator==(const KeepAlive&) const = default;
};
struct Campaign {  // put our name under the key if nobody's is there; answers who holds it
  std::int64_t lease = 0;
  bool operator==(const Campaign&) const = default;
};
struct Look {  // who holds the key
  bool operator==(const Look&) const = default;
};
struct Revoke {  // this node leaves: the next one need not wait for the lease to end
  std::int64_t lease = 0;
  bool operator==(const Revoke&) const = default;
};
using Question = std::variant<Grant, KeepAlive, Campaign, Look, Revoke>;

// ── answers ──
struct Lease {
  std::int64_t id = 0;
  std::int64_t ttl_s = 0;  // 0: it has ended
};
struct Holder {
  core::NodeId leader;  // empty: nobody's name is there
  std::uint64_t epoch = 0;
  std::int64_t lease = 0;  // that the name is bound to
};
using Answer = std::variant<Lease, Holder>;

struct Tick {};
struct Answered {
  core::Result<Answer> answer;
};
struct Resign {};  // the node drains
using LeaseEvent = std::variant<Tick, Answered, Resign>;

class LeaseElection {
 public:
  // `is_candidate`: it may lead; others only look.
  LeaseElection(core::NodeId self, bool is_candidate, LeaseTimes times);

  void step(const LeaseEvent& event, core::Instant now, std::vector<Question>& out);
  std::optional<core::Instant> next_wake() const;
  // Changes with steps only: call step(Tick) when next_wake() has come.
  const Leadership& leadership() const { return leadership_; }

 private:
  void on(const Tick&) {}
  void on(const Answered& event);
  void on(const Resign&);
  void took(const Lease& lease);
  void took(const Holder& holder);
  void failed(const core::Error& error);
  void ask(std::vector<Question>& out);
  void judge();

  core::NodeId self_;
  const bool is_candidate_;
  const LeaseTimes times_;
  core::Instant now_;
  std::optional<Question> asked_;  // under way
  core::Instant asked_at_;
  core::Instant ask_at_;
  std::int64_t lease_ = 0;
  core::Instant lease_until_;  // by our own clock, counted from the question
  core::Instant renew_at_;
  Holder holder_;
  core::Instant holder_seen_at_;
  bool has_seen_ = false;
  bool has_resigned_ = false;
  std::string problem_;
  Leadership leadership_;
};

}  // namespace syncline::coordination
