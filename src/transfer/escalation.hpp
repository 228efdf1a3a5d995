// One job from its first attempt to its end: which transport now, how often, how long, what next.
//
// Each transport of the choice has its tries and timeouts (the older system's are the defaults).
// Between tries there is a pause that doubles; when the tries are used up, or the error says that
// the way itself is wrong, the next transport follows. What arrived is kept: every attempt resumes.
// The job ends when an attempt succeeds, when the last way failed, or when it is cancelled.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "transfer/choose.hpp"

namespace syncline::transfer {

// Of one transport. Progress: the longest silence, not the longest transfer.
struct Times {
  core::Duration connect_timeout{0};
  core::Duration progress_timeout{0};
  int tries = 1;
  bool operator==(const Times&) const = default;
};
Times times_of(Transport transport, const core::TransportLimits& limits);

struct Attempt {
  Transport transport = Transport::kP2p;
  std::vector<core::NodeId> sources;
  Times times;
  int number = 1;          // of this transport
  core::Instant start_at;  // not before
  bool operator==(const Attempt&) const = default;
};

class Escalation {
 public:
  // REQUIRES: !choice.order.empty()
  Escalation(Choice choice, core::TransportLimits limits, core::Instant now);

  // The attempt to make now, or to wait for; none when it is over.
  const std::optional<Attempt>& attempt() const { return attempt_; }

  void succeeded();
  // `error.kind` decides: kCancelled ends the job; kInvalid, kMissing and kExhausted mean that
  // trying the same way again is useless; everything else is tried again after a pause. Corrupt
  // bytes from one source drop that source.
  void failed(const core::Error& error, const core::NodeId& from, core::Instant now);
  // A source is gone, or its circuit opened meanwhile.
  void drop_source(const core::NodeId& source, core::Instant now);

  bool is_over() const { return !attempt_.has_value(); }
  bool is_done() const { return is_done_; }
  // Once over without success: what failed, way by way, in one sentence.
  core::Error error() const;
  // "ssh, try 2 of 3, in 4 s; before that p2p: connection refused": for `transfers`.
  std::string say(core::Instant now) const;

 private:
  void next_transport(core::Instant now);
  void try_now(int number, core::Instant start_at);

  Choice choice_;
  core::TransportLimits limits_;
  std::size_t at_ = 0;  // in choice_.order
  std::optional<Attempt> attempt_;
  std::vector<std::string> failures_;  // one per transport given up
  core::Error last_error_;
  bool is_done_ = false;
};

}  // namespace syncline::transfer
