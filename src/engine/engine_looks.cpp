// When the engine looks at the sources, and what follows from what was found.
#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

namespace syncline::engine {

using core::CollectionName;
using core::Instant;
using core::LogId;
using core::NodeId;

namespace {
// So many scans, stable_ms apart, wait for files that are being written.
constexpr int kUnstableScansMax = 10;
// A row waits for the file it names: how often one looks whether that is durable, and for how many
// times a request waits with it.
constexpr core::Duration kAnnouncedRetry = core::milliseconds(500);
constexpr int kAnnouncedScansMax = 60;
// After the journal refused units, the source is read again this much later.
constexpr core::Duration kIntakeRetry = core::seconds(1);
}  // namespace

// ── sources ─────────────────────────────────────────────────────────────────────────────────────

void Engine::on(const SourceChanged& event) {
  auto it = collections_.find(event.collection);
  if (it == collections_.end()) return;
  it->second.is_look_wanted = true;
  it->second.is_full_look_wanted |= event.is_anywhere;
}

void Engine::on(const UnitsRead& event) {
  CollectionState& state = collections_[event.collection];
  state.open_units = event.open_units;
  state.problems = event.problems;
  records_.units_read(event, *out_);
  const Append& append = std::get<Append>(out_->back());
  state.last_append = append.append_id;
  requests_.journalled(*append.batch);
  state.waiting_units = event.waiting_units;
  state.waiting_for = event.waiting_for;
  if (event.waiting_units > 0) {
    // Whoever asked for a look wants these rows as well, for as long as it is worth waiting.
    state.rescan_at = now_ + kAnnouncedRetry;
    const bool is_waited_for = !state.looks_running.empty() || state.is_drain_look;
    if (is_waited_for && ++state.unstable_scans < kAnnouncedScansMax) {
      state.is_look_continued = true;
    }
  }
  if (event.has_more || event.compares_on) {
    // A look is for what is new: whoever waits for it does not wait for comparison.
    state.is_look_continued |= event.has_more;
    state.is_look_wanted = true;
    state.is_full_look_wanted |= state.is_running_full;
  }
}

void Engine::on(const Appended& event) {
  records_.appended(event, now_, *out_);
  for (auto& [name, state] : collections_) {
    if (state.last_append != event.append_id) continue;
    state.last_append.reset();
    look_finished(name, state);
  }
}

void Engine::on(const AppendFailed& event) {
  records_.append_failed(event, now_, *out_);
  for (auto& [name, state] : collections_) {
    if (state.last_append != event.append_id) continue;
    // The cursors were not stored either: the next read finds the same units again. It must look
    // at everything, for the shell has forgotten which databases had changed.
    state.last_append.reset();
    state.read_under_way = 0;
    state.is_look_continued = false;
    state.is_full_look_wanted = true;
    state.problems = {core::to_string(event.error)};
    if (!state.blocked_since) state.blocked_since = now_;
    state.looks_wanted.merge(state.looks_running);
    state.looks_running.clear();
    state.not_before = now_ + kIntakeRetry;
  }
}

void Engine::on(const FilesScanned& event) {
  if (event.is_part) {
    objects_.scanned(event, now_, *out_);
    return;
  }
  CollectionState& state = collections_[event.collection];
  state.problems = event.problems;
  state.open_units = event.unstable;
  objects_.scanned(event, now_, *out_);
  for (const auto& collection : config_.collections) {
    if (collection.name == event.collection && event.unstable > 0) {
      state.rescan_at = now_ + core::milliseconds(collection.stable_ms);
    }
  }
  // Whoever asked for a look wants what was written before: a file that was written a moment ago is
  // taken as soon as it is stable. One that is being written all the time is not waited for.
  const bool is_waited_for = !state.looks_running.empty() || state.is_drain_look;
  if (event.unstable > 0 && is_waited_for && ++state.unstable_scans < kUnstableScansMax) {
    state.is_look_continued = true;
  }
  look_finished(event.collection, state);
}

void Engine::look_finished(const CollectionName& name, CollectionState& state) {
  state.read_under_way = 0;
  state.blocked_since.reset();
  if (std::exchange(state.is_look_continued, false)) return;  // more of the same look follows
  state.unstable_scans = 0;
  if (drain_ && state.is_drain_look) drain_->unread.erase(name);
  for (std::uint64_t look : state.looks_running) requests_.looked_at(name, look);
  state.looks_running.clear();
}

// May the sources of the collection be read now, were there a reason to?
bool Engine::may_look(const core::CollectionConfig& collection) const {
  const CollectionState& state = collections_.at(collection.name);
  if (!collection.has_sources() || state.read_under_way != 0) return false;
  if (!records_.intake().is_open && collection.kind == core::Kind::kSqlite) return false;
  return !drain_ || !drain_->is_reported;
}

std::optional<Instant> Engine::next_look(const core::CollectionConfig& collection) const {
  if (!may_look(collection)) return std::nullopt;
  const CollectionState& state = collections_.at(collection.name);
  Instant at = state.next_poll;
  if (state.rescan_at) at = std::min(at, *state.rescan_at);
  if (state.is_look_wanted || state.is_full_look_wanted) at = state.not_before;
  return std::max(at, state.not_before);
}

void Engine::plan_looks() {
  for (const auto& collection : config_.collections) {
    CollectionState& state = collections_[collection.name];
    if (!collection.has_sources()) {  // nothing is produced here: looking is done at once
      for (std::uint64_t look : std::exchange(state.looks_wanted, {})) {
        requests_.looked_at(collection.name, look);
      }
      continue;
    }
    if (!may_look(collection) || now_ < state.not_before) continue;
    if (now_ >= state.next_poll) {
      state.is_full_look_wanted = true;
      state.next_poll = now_ + poll_interval(collection, config_.node);
    }
    if (state.rescan_at && now_ >= *state.rescan_at) {
      state.rescan_at.reset();
      state.is_look_wanted = true;
    }
    if (!state.is_look_wanted && !state.is_full_look_wanted) continue;
    state.read_under_way = next_read_++;
    state.looks_running.merge(state.looks_wanted);
    state.looks_wanted.clear();
    state.is_running_full = std::exchange(state.is_full_look_wanted, false);
    state.is_look_wanted = false;
    state.is_drain_look = drain_.has_value();
    if (collection.kind == core::Kind::kSqlite) {
      out_->push_back(ReadSource{collection.name, state.read_under_way, state.is_running_full});
    } else {
      out_->push_back(ScanFiles{collection.name, state.read_under_way, state.is_running_full});
    }
  }
}

}  // namespace syncline::engine
