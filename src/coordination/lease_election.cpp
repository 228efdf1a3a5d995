#include "coordination/lease_election.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"

namespace syncline::coordination {

LeaseElection::LeaseElection(core::NodeId self, bool is_candidate, LeaseTimes times)
    : self_(std::move(self)), is_candidate_(is_candidate), times_(times) {
  leadership_.why = "etcd has not been asked yet";
}

std::optional<core::Instant> LeaseElection::next_wake() const {
  std::optional<core::Instant> wake;
  if (!asked_) wake = ask_at_;
  // What was seen or held ends by itself.
  if (!leadership_.leader.empty()) {
    const core::Instant end =
        leadership_.leader == self_ ? lease_until_ : holder_seen_at_ + times_.ttl;
    wake = wake ? std::min(*wake, end) : end;
  }
  return wake;
}

void LeaseElection::step(const LeaseEvent& event, core::Instant now, std::vector<Question>& out) {
  now_ = now;
  std::visit([this](const auto& one) { on(one); }, event);
  judge();
  if (!asked_ && now_ >= ask_at_) ask(out);
}

void LeaseElection::ask(std::vector<Question>& out) {
  const bool has_lease = lease_ != 0 && now_ < lease_until_;
  Question next = Look{};
  if (has_resigned_) {
    if (lease_ != 0) next = Revoke{std::exchange(lease_, 0)};
  } else if (is_candidate_ && !has_lease && holder_.leader.empty() && has_seen_) {
    lease_ = 0;
    next = Grant{std::chrono::duration_cast<core::seconds>(times_.ttl).count()};
  } else if (has_lease && now_ >= renew_at_) {
    next = KeepAlive{lease_};
  } else if (has_lease && holder_.leader.empty()) {
    next = Campaign{lease_};
  }
  asked_ = next;
  asked_at_ = now_;
  ask_at_ = now_ + times_.look;
  out.push_back(std::move(next));
}

void LeaseElection::on(const Answered& event) {
  SYNCLINE_CHECK(asked_.has_value(), "etcd answered what was not asked", self_);
  if (event.answer.ok()) {
    problem_.clear();
    std::visit([this](const auto& answer) { took(answer); }, *event.answer);
  } else {
    failed(event.answer.error());
  }
  asked_.reset();
}

void LeaseElection::took(const Lease& lease) {
  if (std::holds_alternative<Revoke>(*asked_)) {
    ask_at_ = now_;
    return;
  }
  if (lease.ttl_s <= 0) {  // it ended before it was renewed
    lease_ = 0;
    ask_at_ = now_;
    return;
  }
  lease_ = lease.id;
  lease_until_ = asked_at_ + std::min<core::Duration>(times_.ttl, core::seconds(lease.ttl_s));
  renew_at_ = asked_at_ + times_.ttl / 3;
  // A lease without a name under the key is used at once.
  if (std::holds_alternative<Grant>(*asked_)) ask_at_ = now_;
}

void LeaseElection::took(const Holder& holder) {
  holder_ = holder;
  holder_seen_at_ = asked_at_;
  has_seen_ = true;
  // The key is free: whoever may lead tries at once.
  if (holder.leader.empty() && is_candidate_ && !has_resigned_) ask_at_ = now_;
}

void LeaseElection::failed(const core::Error& error) {
  problem_ = core::to_string(error);
  if (error.kind == core::ErrorKind::kMissing) {  // the lease is not known there any more
    lease_ = 0;
    holder_ = {};
  }
}

void LeaseElection::on(const Resign&) {
  has_resigned_ = true;
  if (!asked_) ask_at_ = now_;
}

void LeaseElection::judge() {
  const bool is_ours = holder_.leader == self_ && holder_.lease == lease_ && lease_ != 0;
  const bool is_held = holder_.leader == self_
                           ? is_ours && now_ < lease_until_ && !has_resigned_
                           : !holder_.leader.empty() && now_ < holder_seen_at_ + times_.ttl;
  if (is_held) {
    leadership_ = {holder_.leader, holder_.epoch, "holds the lease in etcd"};
    return;
  }
  leadership_.leader = core::NodeId();
  if (!problem_.empty()) {
    leadership_.why = "etcd does not answer: " + problem_;
  } else if (has_seen_) {
    leadership_.why = "nobody holds the lease in etcd";
  }
}

}  // namespace syncline::coordination
