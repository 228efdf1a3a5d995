// The machine below: disk limits, when intake is closed, and leaving in good order.
#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "strategy/auto_choice.hpp"

namespace syncline::engine {

using core::CollectionName;
using core::Instant;
using core::LogId;
using core::NodeId;

namespace {
// Below this the journal itself is in danger: SQLite needs room to commit and to recover.
constexpr std::uint64_t kIntakeFreeBytesMin = 64u << 20;
}  // namespace

// ── the machine ─────────────────────────────────────────────────────────────────────────────────

void Engine::on(const DiskMeasured& event) {
  disk_ = event;
  objects_.disk_measured();
  tell_self();
}

IntakeState Engine::intake_state() const {
  const auto journal_max = static_cast<std::uint64_t>(config_.durability.journal_max_bytes);
  if (disk_.journal_bytes >= journal_max) {
    return {false, "the journal has reached durability.journal_max_bytes (" +
                       std::to_string(journal_max >> 20) +
                       " MiB): its records find no other holder; see `syncline nodes`"};
  }
  if (disk_.total_bytes > 0 && disk_.free_bytes < kIntakeFreeBytesMin) {
    return {false, "less than " + std::to_string(kIntakeFreeBytesMin >> 20) +
                       " MiB are free on this node's disk: free some space"};
  }
  if (config_.node.ephemeral == core::Tristate::kTrue) {
    const std::int64_t bound = strategy::bytes_at_risk_max(
        {config_.spot.uplink_mbps, static_cast<double>(config_.spot.notice_s),
         static_cast<double>(config_.spot.poll_interval_ms) / 1000.0});
    const std::uint64_t at_risk = records_.pending_bytes();
    if (bound > 0 && at_risk > static_cast<std::uint64_t>(bound)) {
      return {false, std::to_string(at_risk >> 20) +
                         " MiB are at risk; more could not be "
                         "delivered within the provider's notice (spot.notice_s)"};
    }
  }
  return {};
}

void Engine::plan_intake() {
  IntakeState intake = intake_state();
  objects_.set_intake(intake.is_open);
  records_.set_intake(std::move(intake));
}

// Polls at the pace of spot instances from now on, bounds the bytes at risk, and tells the fleet.
void Engine::on(const FoundEphemeral& event) {
  if (config_.node.ephemeral == core::Tristate::kTrue) return;
  config_.node.ephemeral = core::Tristate::kTrue;
  if (config_.node.provider.empty()) config_.node.provider = event.provider;
  for (auto& [name, state] : collections_) state.is_full_look_wanted = true;
  tell_self();
  facade::EventRow row;
  row.type = "node_is_ephemeral";
  row.message = "this machine may be taken away by its provider: " + event.sign;
  row.details["provider"] = event.provider;
  out_->push_back(Emit{std::move(row)});
}

void Engine::on(const TerminationNotice& event) {
  if (drain_) {
    drain_->deadline = std::min(drain_->deadline, event.deadline);
    return;
  }
  drain_ = Drain{event.deadline, event.reason, {}, false};
  for (const auto& collection : config_.collections) {  // a look at each source from here on
    if (!collection.has_sources()) continue;
    collections_[collection.name].is_full_look_wanted = true;
    drain_->unread.insert(collection.name);
  }
  tell_self();
}

void Engine::plan_drain() {
  if (!drain_ || drain_->is_reported) return;
  const std::uint64_t records = records_.undelivered();
  const std::size_t files = objects_pending_.size();
  const std::set<CollectionName> unread = unread_sources();
  const bool is_done = records == 0 && files == 0 && unread.empty();
  if (!is_done && now_ < drain_->deadline) return;
  if (!has_left()) return;
  drain_->is_reported = true;
  requests_.answer_all(now_, *out_);
  for (const NodeId& peer : peers_.linked()) {
    out_->push_back(Send{peer, core::Goodbye{drain_->reason}});
  }
  out_->push_back(StopReady{is_done ? "everything of this node is durable elsewhere"
                                    : what_is_left(records, files, unread),
                            is_done});
}

// Programs go on writing while a drain lasts, and what they finish is taken as long as it does: a
// source counts as read when no look is due or under way, and one began after the notice.
std::set<CollectionName> Engine::unread_sources() const {
  std::set<CollectionName> unread = drain_->unread;
  for (const auto& collection : config_.collections) {
    const CollectionState& state = collections_.at(collection.name);
    const bool is_due = state.is_look_wanted || state.is_full_look_wanted;
    if (collection.has_sources() && (is_due || state.read_under_way != 0)) {
      unread.insert(collection.name);
    }
  }
  return unread;
}

std::string Engine::what_is_left(std::uint64_t records, std::size_t files,
                                 const std::set<CollectionName>& unread) const {
  std::string left;
  auto add = [&](const std::string& part) { left += (left.empty() ? "" : " and ") + part; };
  if (records > 0) add(core::say_count(records, "record"));
  if (files > 0) add(core::say_count(files, "file"));
  std::string report;
  if (!left.empty()) {
    report = left +
             " of this node could not be made durable elsewhere in time; start it again on "
             "the same disk to deliver them";
  }
  for (const CollectionName& name : unread) {
    report += (report.empty() ? "" : "; ") + std::string("the sources of ") + name.text +
              " were not read to the end";
  }
  return report;
}

}  // namespace syncline::engine
