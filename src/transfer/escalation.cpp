#include "transfer/escalation.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "core/text.hpp"

namespace syncline::transfer {

namespace {

constexpr core::Duration kPauseFirst = core::seconds(1);
constexpr core::Duration kPauseMax = core::seconds(30);
// Of swarms and local copies nobody has configured anything: the first peer of a swarm may take
// its time, and a local copy either works or does not.
constexpr core::Duration kSwarmConnect = core::seconds(30);

core::Duration pause_before(int number) {
  core::Duration pause = kPauseFirst;
  for (int i = 2; i < number && pause < kPauseMax; ++i) pause *= 2;
  return std::min(pause, kPauseMax);
}

bool is_worth_another_try(core::ErrorKind kind) {
  switch (kind) {
    case core::ErrorKind::kInvalid:
    case core::ErrorKind::kMissing:
    case core::ErrorKind::kExhausted:
    case core::ErrorKind::kCancelled:
      return false;
    default:
      return true;
  }
}

}  // namespace

Times times_of(Transport transport, const core::TransportLimits& limits) {
  const auto p2p_progress = core::milliseconds(limits.p2p_transfer_timeout_ms);
  switch (transport) {
    case Transport::kNfs:
      return {core::Duration(0), p2p_progress, 1};
    case Transport::kSwarm:
      return {kSwarmConnect, p2p_progress, 1};
    case Transport::kP2p:
    case Transport::kAria2:
      return {core::milliseconds(limits.p2p_connect_timeout_ms), p2p_progress,
              std::max(limits.p2p_tries, 1)};
    case Transport::kSsh:
      return {core::milliseconds(limits.ssh_connect_timeout_ms),
              core::milliseconds(limits.ssh_transfer_timeout_ms), std::max(limits.ssh_tries, 1)};
  }
  return {};
}

Escalation::Escalation(Choice choice, core::TransportLimits limits, core::Instant now)
    : choice_(std::move(choice)), limits_(std::move(limits)) {
  SYNCLINE_CHECK(!choice_.order.empty(), "no transport to try");
  try_now(1, now);
}

void Escalation::try_now(int number, core::Instant start_at) {
  const Candidate& candidate = choice_.order[at_];
  attempt_ = Attempt{candidate.transport, candidate.sources, times_of(candidate.transport, limits_),
                     number, start_at};
}

void Escalation::next_transport(core::Instant now) {
  const char* name = to_string(choice_.order[at_].transport);
  failures_.push_back(std::string(name) + ": " + last_error_.what);
  attempt_.reset();
  while (++at_ < choice_.order.size()) {
    if (choice_.order[at_].sources.empty()) continue;
    try_now(1, now);
    return;
  }
}

void Escalation::succeeded() {
  SYNCLINE_CHECK(attempt_.has_value(), "nothing was tried");
  attempt_.reset();
  is_done_ = true;
}

void Escalation::failed(const core::Error& error, const core::NodeId& from, core::Instant now) {
  SYNCLINE_CHECK(attempt_.has_value(), "nothing was tried");
  last_error_ = error;
  if (error.kind == core::ErrorKind::kCancelled) {
    failures_.push_back(error.what);
    attempt_.reset();
    return;
  }
  // A full disk here is full whatever the way.
  if (error.kind == core::ErrorKind::kExhausted) {
    failures_.push_back(std::string(to_string(attempt_->transport)) + ": " + error.what);
    attempt_.reset();
    return;
  }
  std::vector<core::NodeId>& sources = choice_.order[at_].sources;
  if (error.kind == core::ErrorKind::kCorrupt && !from.empty()) {
    // Who sent wrong bytes once is not asked again, by whatever way.
    for (Candidate& candidate : choice_.order) {
      auto& all = candidate.sources;
      all.erase(std::remove(all.begin(), all.end(), from), all.end());
    }
  }
  const int next = attempt_->number + 1;
  if (sources.empty() || !is_worth_another_try(error.kind) || next > attempt_->times.tries) {
    next_transport(now);
    return;
  }
  // Another source first: the one that failed is asked last.
  const auto failed_one = std::find(sources.begin(), sources.end(), from);
  if (failed_one != sources.end()) std::rotate(failed_one, failed_one + 1, sources.end());
  try_now(next, now + pause_before(next));
}

void Escalation::drop_source(const core::NodeId& source, core::Instant now) {
  for (Candidate& candidate : choice_.order) {
    auto& all = candidate.sources;
    all.erase(std::remove(all.begin(), all.end(), source), all.end());
  }
  if (!attempt_) return;
  const std::vector<core::NodeId>& left = choice_.order[at_].sources;
  if (!left.empty()) {
    attempt_->sources = left;
    return;
  }
  last_error_ = {core::ErrorKind::kUnreachable, "no source is left", source.text};
  next_transport(now);
}

core::Error Escalation::error() const {
  core::Error error = last_error_;
  error.what = failures_.size() == 1 ? failures_.front()
                                     : "every way failed (" + core::say_list(failures_) + ")";
  return error;
}

std::string Escalation::say(core::Instant now) const {
  if (is_done_) return "done";
  if (!attempt_) return error().what;
  std::string said = to_string(attempt_->transport);
  if (attempt_->number > 1) {
    said += ", try " + std::to_string(attempt_->number) + " of " +
            std::to_string(attempt_->times.tries);
  }
  if (attempt_->start_at > now) {
    said += ", in " + core::say_seconds(core::to_seconds(attempt_->start_at - now));
  }
  if (!failures_.empty()) said += "; before that " + core::say_list(failures_);
  return said;
}

}  // namespace syncline::transfer
