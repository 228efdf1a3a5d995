#include "transfer/breaker.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "core/text.hpp"

namespace syncline::transfer {

BreakerLimits breaker_limits(const core::TransportLimits& limits) {
  return {std::max(limits.breaker_failures, 1),
          core::milliseconds(std::max<std::int64_t>(limits.breaker_open_ms, 0))};
}

const char* to_string(Circuit circuit) {
  switch (circuit) {
    case Circuit::kClosed:
      return "closed";
    case Circuit::kOpen:
      return "open";
    case Circuit::kHalfOpen:
      return "half-open";
  }
  return "?";
}

Circuit Breaker::state(core::Instant now) const {
  if (!opened_at_) return Circuit::kClosed;
  return now < *opened_at_ + limits_.open_for ? Circuit::kOpen : Circuit::kHalfOpen;
}

bool Breaker::allows(core::Instant now) const {
  switch (state(now)) {
    case Circuit::kClosed:
      return true;
    case Circuit::kOpen:
      return false;
    case Circuit::kHalfOpen:
      return !probe_at_ || now >= *probe_at_ + limits_.open_for;
  }
  return false;
}

void Breaker::begun(core::Instant now) {
  SYNCLINE_CHECK(allows(now), "circuit", to_string(state(now)), "failures", failures_);
  if (state(now) == Circuit::kHalfOpen) probe_at_ = now;
}

void Breaker::succeeded(core::Instant) {
  failures_ = 0;
  opened_at_.reset();
  probe_at_.reset();
  last_failure_.clear();
}

void Breaker::failed(core::Instant now, std::string why) {
  const Circuit circuit = state(now);
  failures_ = std::min(failures_ + 1, 1'000'000);
  last_failure_ = std::move(why);
  // Attempts that began while it was closed may still fail while it is open: that changes nothing.
  const bool is_too_many = circuit == Circuit::kClosed && failures_ >= limits_.failures;
  if (circuit == Circuit::kHalfOpen || is_too_many) {
    opened_at_ = now;
    probe_at_.reset();
  }
}

std::optional<core::Instant> Breaker::tries_again_at() const {
  if (!opened_at_) return std::nullopt;
  const core::Instant half_open_at = *opened_at_ + limits_.open_for;
  return probe_at_ ? *probe_at_ + limits_.open_for : half_open_at;
}

// ── all of them ─────────────────────────────────────────────────────────────────────────────────

const Breaker* Breakers::find(const core::NodeId& node, Transport transport) const {
  const auto found = breakers_.find({node, transport});
  return found == breakers_.end() ? nullptr : &found->second;
}

bool Breakers::allows(const core::NodeId& node, Transport transport, core::Instant now) const {
  const Breaker* breaker = find(node, transport);
  return breaker == nullptr || breaker->allows(now);
}

void Breakers::begun(const core::NodeId& node, Transport transport, core::Instant now) {
  const auto found = breakers_.find({node, transport});
  if (found != breakers_.end()) found->second.begun(now);
}

void Breakers::succeeded(const core::NodeId& node, Transport transport, core::Instant) {
  breakers_.erase({node, transport});  // a closed breaker without failures is no breaker
}

void Breakers::failed(const core::NodeId& node, Transport transport, core::Instant now,
                      std::string why) {
  at(node, transport).failed(now, std::move(why));
}

Breaker& Breakers::at(const core::NodeId& node, Transport transport) {
  const auto found = breakers_.find({node, transport});
  if (found != breakers_.end()) return found->second;
  if (breakers_.size() >= pairs_max_) {
    // The one with the fewest failures says least.
    const auto least = std::min_element(
        breakers_.begin(), breakers_.end(),
        [](const auto& a, const auto& b) { return a.second.failures() < b.second.failures(); });
    breakers_.erase(least);
  }
  return breakers_.try_emplace({node, transport}, Breaker(limits_)).first->second;
}

void Breakers::forget(const core::NodeId& node) {
  const auto first = breakers_.lower_bound({node, kTransports[0]});
  auto last = first;
  while (last != breakers_.end() && last->first.first == node) ++last;
  breakers_.erase(first, last);
}

std::vector<std::string> Breakers::open_circuits(const core::NodeId& node,
                                                 core::Instant now) const {
  std::vector<std::string> said;
  for (auto it = breakers_.lower_bound({node, kTransports[0]});
       it != breakers_.end() && it->first.first == node; ++it) {
    const Breaker& breaker = it->second;
    if (breaker.state(now) == Circuit::kClosed) continue;
    const auto again = breaker.tries_again_at();
    const double wait = again && *again > now ? core::to_seconds(*again - now) : 0;
    std::string line = std::string(to_string(it->first.second)) + ": " +
                       core::say_count(static_cast<std::uint64_t>(breaker.failures()), "failure") +
                       " in a row";
    if (!breaker.last_failure().empty()) line += " (" + breaker.last_failure() + ")";
    line += wait > 0 ? ", tried again in " + core::say_seconds(wait) : ", the next try decides";
    said.push_back(std::move(line));
  }
  return said;
}

std::optional<core::Instant> Breakers::next_wake(core::Instant now) const {
  std::optional<core::Instant> wake;
  for (const auto& [key, breaker] : breakers_) {
    const auto again = breaker.tries_again_at();
    if (again && *again > now && (!wake || *again < *wake)) wake = again;
  }
  return wake;
}

}  // namespace syncline::transfer
