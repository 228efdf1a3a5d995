#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"
#include "strategy/auto_choice.hpp"

namespace syncline::engine {

using core::CollectionName;
using core::Instant;
using core::LogId;
using core::NodeId;

namespace {
// After the journal refused units, the source is read again this much later.
constexpr core::Duration kIntakeRetry = core::seconds(1);
// Below this the journal itself is in danger: SQLite needs room to commit and to recover.
constexpr std::uint64_t kIntakeFreeBytesMin = 64u << 20;

void earliest(std::optional<Instant>& wake, std::optional<Instant> at) {
  if (at && (!wake || *at < *wake)) wake = at;
}
}  // namespace

Engine::Engine(core::Config config, Recovered recovered, std::uint64_t seed, Instant now)
    : config_(std::move(config)),
      self_(config_.node.id),
      now_(now),
      view_(self_),
      peers_(self_, config_.node.seeds, {}, seed),
      gossip_(self_, recovered.incarnation, config_.gossip, seed + 1),
      placement_(config_),
      records_(config_, recovered.epoch, view_, peers_,
               {[this](const CollectionName& collection, int count, const std::set<NodeId>& avoid) {
                  return placement_.choose_receivers(collection, count, avoid, now_);
                },
                [this](const CollectionName& collection) -> const std::set<NodeId>& {
                  return placement_.wanted_by(collection);
                },
                [this](const LogId& log, const core::SeqSet& held) {
                  tell(catalog::log_key(log), core::to_string(held));
                },
                [this](core::Duration took) { stats_.became_durable(took); }},
               seed + 2),
      objects_(config_, view_, peers_,
               {[this](const CollectionName& collection) -> const std::set<NodeId>& {
                  return placement_.wanted_by(collection);
                },
                [this](const ObjectId& object, const core::ObjectVersion* version) {
                  const std::string key = catalog::object_key(object.first, object.second);
                  if (version == nullptr) {
                    untell(key);
                  } else {
                    tell(key, core::encode(*version));
                  }
                },
                [this](std::uint64_t bytes) { return placement_.may_take(bytes, disk_); }}),
      requests_(config_, view_, peers_, records_,
                {[this](const facade::SyncRequest& request, const core::CollectionConfig& collection,
                        Instant at) { return placement_.route(request, collection, at); },
                 [this](const CollectionName& collection, std::uint64_t look, Actions&) {
                   CollectionState& state = collections_[collection];
                   state.looks_wanted.insert(look);
                   state.is_full_look_wanted = true;
                 },
                 [this](const CollectionName& collection, core::Priority priority) {
                   objects_.hurry(collection, priority);
                 },
                 [this](const std::string& backend, std::uint64_t bytes, bool ok,
                        core::Duration took) { stats_.count(backend, bytes, ok, took); }}) {
  Actions none;
  out_ = &none;
  tell_self();
  for (const auto& [object, version] : recovered.objects) {
    tell(catalog::object_key(object.first, object.second), core::encode(version));
  }
  records_.restore(recovered.logs);
  for (const auto& collection : config_.collections) {
    CollectionState& state = collections_[collection.name];
    state.is_full_look_wanted = true;
    state.next_poll = now;
  }
  out_ = nullptr;
}

Engine::~Engine() = default;

void Engine::step(const Event& event, Instant now, Actions& out) {
  SYNCLINE_CHECK(now >= now_, "time went back by ns", (now_ - now).count());
  now_ = now;
  out_ = &out;
  std::visit([this](const auto& e) { on(e); }, event);
  plan();
  out_ = nullptr;
}

void Engine::plan() {
  run_gossip(gossip::Tick{});
  plan_intake();
  plan_looks();
  records_.plan(now_, *out_);
  objects_.plan(now_, *out_);
  requests_.plan(now_, *out_);
  peers_.plan_dials(now_, *out_);
  plan_drain();
}

std::optional<Instant> Engine::next_wake() const {
  std::optional<Instant> wake = gossip_.next_wake();
  earliest(wake, records_.next_wake());
  earliest(wake, objects_.next_wake());
  earliest(wake, requests_.next_wake());
  earliest(wake, peers_.next_wake());
  for (const auto& [name, state] : collections_) {
    if (state.read_under_way != 0) continue;
    earliest(wake, state.next_poll);
    earliest(wake, state.rescan_at);
  }
  if (drain_ && !drain_->is_reported) {
    earliest(wake, std::min(drain_->deadline, now_ + core::milliseconds(50)));
  }
  // Somebody who waits for another's word may stand in the past: look again soon, not at once.
  if (wake && *wake <= now_) wake = now_ + core::milliseconds(5);
  return wake;
}

double Engine::oldest_object_age_s(const CollectionName& collection, Instant now) const {
  double oldest = 0;
  for (const auto& [object, since] : objects_pending_) {
    if (object.first == collection) oldest = std::max(oldest, core::to_seconds(now - since));
  }
  if (const auto since = objects_.oldest_waiting(collection)) {
    oldest = std::max(oldest, core::to_seconds(now - *since));
  }
  return oldest;
}

// ── facts ───────────────────────────────────────────────────────────────────────────────────────

void Engine::run_gossip(const gossip::Event& event) {
  gossip::Actions actions;
  gossip_.step(event, now_, actions);
  for (gossip::Action& action : actions) {
    if (auto* send = std::get_if<gossip::Send>(&action)) {
      std::visit([&](auto& message) { out_->push_back(Send{send->peer, std::move(message)}); },
                 send->message);
    } else if (auto* changed = std::get_if<gossip::Changed>(&action)) {
      for (const catalog::FactChange& change : changed->changes) {
        fact_changed(change.owner, change.fact);
      }
    }
  }
}

void Engine::fact_changed(const NodeId& owner, const core::Fact& fact) {
  const ViewChange change = view_.apply(owner, fact.key, fact.value, fact.is_removed);
  if (change.log) records_.log_changed(*change.log, now_);
  if (change.object) {
    objects_.object_changed(*change.object, now_);
    weigh(*change.object);
  }
  if (change.is_self) {
    const catalog::NodeSelf* self = view_.find(owner);
    if (self != nullptr) peers_.advertised(owner, self->advertise, now_);
    fleet_changed();
  }
}

// Is what this node has of the object durable? If not, since when has it not been?
void Engine::weigh(const ObjectId& object) {
  const ObjectHolders& holders = view_.holders(object);
  auto own = holders.find(self_);
  bool is_pending = own != holders.end() && !own->second.is_deleted;
  if (is_pending) {
    std::set<NodeId> beside_origin;
    for (const auto& [node, version] : holders) {
      const bool is_same = version.root == own->second.root;
      if (is_same && node != own->second.origin) beside_origin.insert(node);
    }
    is_pending = view_.count_domains(beside_origin, own->second.origin) < config_.durability.acks;
  }
  if (is_pending) {
    objects_pending_.try_emplace(object, now_);
  } else {
    objects_pending_.erase(object);
  }
}

void Engine::tell(const std::string& key, const std::string& value) {
  const core::Fact* fact = gossip_.assert_own(key, value);
  if (fact == nullptr) return;  // said already
  fact_changed(self_, *fact);
  if (out_ != nullptr) out_->push_back(PersistFacts{self_, 0, {*fact}});
}

void Engine::untell(const std::string& key) {
  const core::Fact* fact = gossip_.remove_own(key);
  if (fact == nullptr) return;
  fact_changed(self_, *fact);
  if (out_ != nullptr) out_->push_back(PersistFacts{self_, 0, {*fact}});
}

void Engine::tell_self() { tell(catalog::kSelfKey, encode(self_of(config_, disk_, is_draining()))); }

void Engine::fleet_changed() {
  placement_.refresh(view_, peers_, is_draining(), now_);
  records_.fleet_changed();
  objects_.fleet_changed(now_);
  std::vector<ObjectId> pending;
  for (const auto& [object, since] : objects_pending_) pending.push_back(object);
  for (const ObjectId& object : pending) weigh(object);
}

// ── links ───────────────────────────────────────────────────────────────────────────────────────

void Engine::on(const LinkUp& event) {
  peers_.link_up(event, now_);
  run_gossip(gossip::LinkUp{event.peer});
  records_.link_up(event.peer, *out_);
  fleet_changed();
}

void Engine::on(const LinkDown& event) {
  peers_.link_down(event, now_);
  run_gossip(gossip::LinkDown{event.peer});
  records_.link_down(event.peer);
  fleet_changed();
}

void Engine::on(const DialFailed& event) { peers_.dial_failed(event, now_); }

void Engine::on(const Received& event) {
  peers_.heard(event.peer, now_);
  const NodeId& peer = event.peer;
  struct {
    Engine& engine;
    const NodeId& peer;
    void operator()(const core::Hello&) {}
    void operator()(const core::AppendRecords& m) {
      engine.records_.received(peer, m, *engine.out_);
    }
    void operator()(const core::AckRecords& m) { engine.records_.received(peer, m, engine.now_); }
    void operator()(const core::RefuseRecords& m) {
      engine.records_.received(peer, m, engine.now_);
    }
    void operator()(const core::RequestRecords& m) {
      engine.records_.received(peer, m, *engine.out_);
    }
    void operator()(const core::DigestMessage& m) { engine.run_gossip(gossip::Received{peer, m}); }
    void operator()(const core::DeltaMessage& m) { engine.run_gossip(gossip::Received{peer, m}); }
    void operator()(const core::NudgeMessage& m) {
      engine.objects_.hurry(m.collection, core::Priority::kHigh);
    }
    void operator()(const core::Goodbye&) { engine.peers_.said_goodbye(peer); }
  } visitor{*this, peer};
  std::visit(visitor, event.message);
}

// ── sources ─────────────────────────────────────────────────────────────────────────────────────

void Engine::on(const SourceChanged& event) {
  auto it = collections_.find(event.collection);
  if (it != collections_.end()) it->second.is_look_wanted = true;
}

void Engine::on(const UnitsRead& event) {
  CollectionState& state = collections_[event.collection];
  state.open_units = event.open_units;
  state.problems = event.problems;
  records_.units_read(event, now_, *out_);
  state.last_append = std::get<Append>(out_->back()).append_id;
  if (event.has_more) {
    state.is_look_continued = true;
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
    // The cursors were not stored either: the next read finds the same units again.
    state.last_append.reset();
    state.read_under_way = 0;
    state.problems = {core::to_string(event.error)};
    if (!state.blocked_since) state.blocked_since = now_;
    state.looks_wanted.merge(state.looks_running);
    state.looks_running.clear();
    state.is_look_wanted = true;
    state.not_before = now_ + kIntakeRetry;
  }
}

void Engine::on(const FilesScanned& event) {
  CollectionState& state = collections_[event.collection];
  state.problems = event.problems;
  state.open_units = event.unstable;
  objects_.scanned(event, now_, *out_);
  for (const auto& collection : config_.collections) {
    if (collection.name == event.collection && event.unstable > 0) {
      state.rescan_at = now_ + core::milliseconds(collection.stable_ms);
    }
  }
  look_finished(event.collection, state);
}

void Engine::look_finished(const CollectionName& name, CollectionState& state) {
  state.read_under_way = 0;
  state.blocked_since.reset();
  if (std::exchange(state.is_look_continued, false)) return;  // more of the same look follows
  for (std::uint64_t look : state.looks_running) requests_.looked_at(name, look);
  state.looks_running.clear();
}

void Engine::plan_looks() {
  for (const auto& collection : config_.collections) {
    CollectionState& state = collections_[collection.name];
    if (collection.root.empty()) {  // nothing is produced here: looking is done at once
      for (std::uint64_t look : std::exchange(state.looks_wanted, {})) {
        requests_.looked_at(collection.name, look);
      }
      state.next_poll = now_ + core::seconds(3600);
      continue;
    }
    if (state.read_under_way != 0 || now_ < state.not_before) continue;
    if (!records_.intake().is_open && collection.kind == core::Kind::kSqlite) continue;
    if (drain_ && now_ >= drain_->intake_until) continue;
    const bool is_poll_due = now_ >= state.next_poll;
    if (is_poll_due) {
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
    const bool is_full = std::exchange(state.is_full_look_wanted, false);
    state.is_running_full = is_full;
    state.is_look_wanted = false;
    if (collection.kind == core::Kind::kSqlite) {
      out_->push_back(ReadSource{collection.name, state.read_under_way, is_full});
    } else {
      out_->push_back(ScanFiles{collection.name, state.read_under_way, is_full});
    }
  }
}

// ── journal, replica, files ─────────────────────────────────────────────────────────────────────

void Engine::on(const Merged& event) { records_.merged(event); }
void Engine::on(const MergeFailed& event) { records_.merge_failed(event, now_); }
void Engine::on(const RecordsUnavailable& event) { records_.unavailable(event, now_); }
void Engine::on(const RecordsSent& event) { requests_.records_sent(event); }
void Engine::on(const FetchProgress& event) { objects_.fetch_progress(event); }
void Engine::on(const FetchDone& event) { objects_.fetch_done(event, now_, *out_); }

void Engine::on(const ReplicaMeasured& event) {
  CollectionState& state = collections_[event.collection];
  state.replica_units = event.units;
  state.fingerprint = event.fingerprint;
  tell(catalog::fingerprint_key(event.collection), event.fingerprint);
}

void Engine::on(const VerifyDone& event) {
  CollectionState& state = collections_[event.collection];
  state.proved_at = now_;
  state.damaged = event.damaged;
  state.checked = event.checked;
}

// ── the machine ─────────────────────────────────────────────────────────────────────────────────

void Engine::on(const DiskMeasured& event) {
  disk_ = event;
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
    std::uint64_t at_risk = 0;
    for (const auto& [log, writer] : records_.own_logs()) at_risk += writer.pending_bytes();
    if (bound > 0 && at_risk > static_cast<std::uint64_t>(bound)) {
      return {false, std::to_string(at_risk >> 20) + " MiB are at risk; more could not be "
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

void Engine::on(const TerminationNotice& event) {
  if (drain_) {
    drain_->deadline = std::min(drain_->deadline, event.deadline);
    return;
  }
  drain_ = Drain{event.deadline, event.reason, now_ + core::milliseconds(500), false};
  for (auto& [name, state] : collections_) state.is_full_look_wanted = true;  // one last look
  tell_self();
}

void Engine::plan_drain() {
  if (!drain_ || drain_->is_reported) return;
  std::uint64_t pending = 0;
  bool is_looking = false;
  for (const auto& [log, writer] : records_.own_logs()) pending += writer.pending_count();
  for (const auto& [name, state] : collections_) is_looking |= state.read_under_way != 0;
  const bool is_done = pending == 0 && !is_looking && now_ >= drain_->intake_until;
  if (!is_done && now_ < drain_->deadline) return;
  drain_->is_reported = true;
  for (const NodeId& peer : peers_.linked()) {
    out_->push_back(Send{peer, core::Goodbye{drain_->reason}});
  }
  const std::string report =
      pending == 0 ? "every record of this node is durable elsewhere"
                   : std::to_string(pending) + " records are only in this node's journal; start it "
                                               "again on the same disk to deliver them";
  out_->push_back(StopReady{report, pending == 0});
}

// ── people and programs ─────────────────────────────────────────────────────────────────────────

void Engine::on(const SyncRequested& event) { requests_.sync(event, now_, *out_); }
void Engine::on(const FlushRequested& event) { requests_.flush(event, now_, *out_); }

}  // namespace syncline::engine
