#include "simulation/negative/planted.hpp"

namespace syncline::simulation {

const std::vector<PlantedBug>& planted_bugs() {
  static const std::vector<PlantedBug> kAll = {
      {Bug::kAckBeforeFsync, "ack-before-fsync", "calm", 5},
      {Bug::kForgedAck, "forged-ack", "calm", 5},
      {Bug::kGapsFilled, "gaps-filled", "network", 20},
      {Bug::kDomainHidden, "domain-hidden", "calm", 40},
      {Bug::kCursorFirst, "cursor-first", "disk", 40},
      {Bug::kCursorLost, "cursor-lost", "crash", 20},
      {Bug::kReaderSkips, "reader-skips", "burst", 5},
      {Bug::kTrimUncopied, "trim-uncopied", "calm", 5},
      {Bug::kMergeTwice, "merge-twice", "crash", 40},
      {Bug::kMergeNotDone, "merge-not-done", "crash", 40},
      {Bug::kTornUnit, "torn-unit", "crash", 100},
      {Bug::kStillHolds, "still-holds", "lost-disk", 20},
      {Bug::kTicksLost, "ticks-lost", "network", 5},
      {Bug::kFactsAhead, "facts-ahead", "calm", 5},
  };
  return kAll;
}

void spoil(Bug bug, core::Message& message, const engine::Engine& engine) {
  auto* ack = std::get_if<core::AckRecords>(&message);
  if (ack != nullptr && !ack->held.empty()) {
    if (bug == Bug::kForgedAck) ack->held.insert(ack->held.last() + 1, ack->held.last() + 1);
    if (bug == Bug::kGapsFilled) ack->held = core::SeqSet::up_to(ack->held.last());
  }
  auto* delta = std::get_if<core::DeltaMessage>(&message);
  if (delta == nullptr || bug != Bug::kFactsAhead) return;
  for (core::CatalogDelta::Part& part : delta->delta.parts) {
    if (part.owner != engine.config().node.id) continue;
    for (core::Fact& fact : part.facts) {
      const auto log = catalog::parse_log_key(fact.key);
      if (!log || fact.is_removed) continue;
      core::SeqSet ahead = *core::parse_seq_set(fact.value);
      if (ahead.empty()) continue;
      ahead.insert(ahead.last() + 1, ahead.last() + 3);
      fact.value = core::to_string(ahead);
    }
  }
}

void spoil(Bug bug, engine::Recovered& recovered, const engine::Recovered& before_wipe) {
  if (bug != Bug::kStillHolds) return;
  for (const auto& [log, was] : before_wipe.logs) {
    engine::RecoveredLog& now = recovered.logs[log];
    now.held.insert(was.held);
    now.merged.insert(was.held);
    now.trimmed.insert(was.held);
  }
}

void spoil(Bug bug, core::Config& config) {
  if (bug == Bug::kDomainHidden) config.node.host = "alone-" + config.node.id.text;
}

}  // namespace syncline::simulation
