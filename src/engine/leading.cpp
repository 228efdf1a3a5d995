#include "engine/leading.hpp"

#include <algorithm>

namespace syncline::engine {

using core::NodeId;

namespace {

constexpr const char* kVoter = "voter";

bool has_role(const std::vector<std::string>& roles, const char* role) {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

}  // namespace

Leading::Leading(const core::Config& config) : self_(config.node.id), rank_(config.node.id) {
  if (config.coordination != "etcd") return;
  coordination::LeaseTimes times;
  times.ttl = core::seconds(config.etcd.lease_s);
  times.look = std::min<core::Duration>(times.look, times.ttl / 3);
  // Spot nodes follow: a leader that vanishes costs the fleet a lease's time.
  const bool is_candidate = config.node.ephemeral != core::Tristate::kTrue;
  lease_.emplace(self_, is_candidate, times);
}

void Leading::fleet_changed(const Placement& placement,
                            const std::map<NodeId, std::uint64_t>& claims) {
  if (lease_) return;
  std::vector<coordination::Voter> voters;
  std::vector<coordination::Voter> permanent;
  for (const routing::NodeView& node : placement.router().nodes()) {
    const bool is_self = node.id == self_;
    const bool is_alive =
        is_self ? !has_resigned_ : node.liveness == routing::Liveness::kAlive && !node.is_draining;
    if (has_role(node.roles, kVoter)) voters.push_back({node.id, is_alive});
    if (!node.is_ephemeral) permanent.push_back({node.id, is_alive});
  }
  const bool are_by_role = !voters.empty();
  rank_.look(are_by_role ? voters : permanent, are_by_role, claims);
  highest_epoch_ = std::max(highest_epoch_, rank_.leadership().epoch);
  for (const auto& [node, epoch] : claims) highest_epoch_ = std::max(highest_epoch_, epoch);
}

void Leading::step(const coordination::LeaseEvent& event, core::Instant now, Actions& out) {
  std::vector<coordination::Question> questions;
  lease_->step(event, now, questions);
  for (coordination::Question& question : questions) out.push_back(AskEtcd{std::move(question)});
  highest_epoch_ = std::max(highest_epoch_, lease_->leadership().epoch);
}

void Leading::answered(const EtcdAnswered& event, core::Instant now, Actions& out) {
  if (lease_) step(coordination::Answered{event.answer}, now, out);
}

void Leading::resign(core::Instant now, Actions& out) {
  if (std::exchange(has_resigned_, true)) return;
  if (lease_) step(coordination::Resign{}, now, out);
}

void Leading::plan(core::Instant now, Actions& out) {
  if (!lease_) return;
  const auto wake = lease_->next_wake();
  if (wake && *wake <= now) step(coordination::Tick{}, now, out);
}

std::optional<core::Instant> Leading::next_wake() const {
  return lease_ ? lease_->next_wake() : std::nullopt;
}

const coordination::Leadership& Leading::leadership() const {
  return lease_ ? lease_->leadership() : rank_.leadership();
}

}  // namespace syncline::engine
