#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"

namespace syncline::engine {

using core::CollectionName;
using core::Instant;
using core::LogId;
using core::NodeId;

namespace {
// A turn that ended with something due already is followed by another after this pause.
constexpr core::Duration kNextTurn = core::milliseconds(5);

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
      membership_(self_, recovered.incarnation, profile_of(self_of(config_, {}, false), 0),
                  membership::settings_from(config_.membership), seed + 3),
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
                [this](const CollectionName& collection, core::Duration took) {
                  stats_.became_durable(collection.text, took);
                },
                [this](const CollectionName& collection) {
                  const NodeId& leader = leading_.leadership().leader;
                  return leader != self_ && peers_.is_linked(leader) && is_broadcast(collection);
                }},
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
                [this](std::uint64_t bytes) { return placement_.may_take(bytes, disk_); },
                [this](const facade::Fetched& fetch) { stats_.fetched(fetch); }}),
      requests_(
          config_, view_, peers_, records_,
          {[this](const facade::SyncRequest& request, const core::CollectionConfig& collection,
                  Instant at) { return route(request, collection, at); },
           [this](const CollectionName& collection, std::uint64_t look, Actions&) {
             CollectionState& state = collections_[collection];
             state.looks_wanted.insert(look);
             state.is_full_look_wanted = true;
           },
           [this](const CollectionName& collection, core::Priority priority,
                  const std::string& transport, double bandwidth_mbps) {
             objects_.hurry(collection, priority, transport, bandwidth_mbps, now_);
           },
           [this](const std::string& backend, std::uint64_t bytes, bool ok, core::Duration took) {
             stats_.count(backend, bytes, ok, took);
           }}),
      leading_(config_),
      broadcast_(config_, view_, peers_, records_,
                 {[this](const CollectionName& collection) -> const std::set<NodeId>& {
                    return placement_.wanted_by(collection);
                  },
                  [this](const CollectionName& collection) { return is_broadcast(collection); }}),
      key_ring_(recovered.keys),
      retention_(config_, view_,
                 {[this](const CollectionName& collection) -> const std::set<NodeId>& {
                   return placement_.wanted_by(collection);
                 }}) {
  Actions none;
  out_ = &none;
  tell_self();
  if (const std::string keys = key_ring_.fact(); !keys.empty()) tell(catalog::kKeysKey, keys);
  for (const auto& [object, version] : recovered.objects) {
    objects_.restore_clock(version.hlc);
    tell(catalog::object_key(object.first, object.second), core::encode(version));
  }
  records_.restore(recovered.logs);
  for (const NodeId& node : recovered.removed) remove_node(node);
  for (const auto& collection : config_.collections) {
    CollectionState& state = collections_[collection.name];
    state.is_full_look_wanted = true;
    state.next_poll = now;
  }
  out_ = nullptr;
}

Engine::~Engine() = default;

void Engine::step(std::span<const Event> events, Instant now, Actions& out) {
  SYNCLINE_CHECK(now >= now_, "time went back by ns", (now_ - now).count());
  now_ = now;
  out_ = &out;
  for (const Event& event : events) std::visit([this](const auto& e) { on(e); }, event);
  plan();
  out_ = nullptr;
}

void Engine::plan() {
  const auto members_wake = membership_.next_wake();
  if (members_wake && *members_wake <= now_) run_membership(membership::Tick{});
  refresh_fleet();
  plan_intake();
  plan_looks();
  plan_leading();
  plan_keys();
  records_.plan(now_, *out_);
  objects_.plan(now_, *out_);
  if (!drain_) retention_.plan(now_, *out_);
  requests_.plan(now_, *out_);
  peers_.plan_dials(now_, *out_);
  plan_drain();
  run_gossip(gossip::Tick{});  // last: what this turn told leaves with it
}

std::optional<Instant> Engine::next_wake() const {
  std::optional<Instant> wake = gossip_.next_wake();
  earliest(wake, records_.next_wake());
  earliest(wake, objects_.next_wake());
  earliest(wake, requests_.next_wake());
  earliest(wake, peers_.next_wake());
  earliest(wake, membership_.next_wake());
  earliest(wake, placement_.next_change());
  earliest(wake, leading_.next_wake());
  earliest(wake, broadcast_.next_wake());
  earliest(wake, key_ring_.next_wake());
  earliest(wake, retention_.next_wake());
  for (const auto& collection : config_.collections) earliest(wake, next_look(collection));
  if (drain_ && !drain_->is_reported) earliest(wake, drain_->deadline);
  if (wake && *wake <= now_) wake = now_ + kNextTurn;
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

// ── journal, replica, files ─────────────────────────────────────────────────────────────────────

void Engine::on(const Merged& event) {
  records_.merged(event, now_);
}
void Engine::on(const MergeFailed& event) {
  records_.merge_failed(event, now_);
}
void Engine::on(const RecordsUnavailable& event) {
  records_.unavailable(event, now_, *out_);
}
void Engine::on(const RecordsSent& event) {
  requests_.records_sent(event);
}
void Engine::on(const FetchProgress& event) {
  objects_.fetch_progress(event);
}
void Engine::on(const FetchAsks& event) {
  objects_.asks(event, now_);
}
void Engine::on(const ClockTold& event) {
  objects_.clock_told(event, now_);
  retention_.clock_told(event.wall);
}
void Engine::on(const TransfersPaused& event) {
  objects_.pause(event, now_);
}
void Engine::on(const FetchDone& event) {
  objects_.fetch_done(event, now_, *out_);
}

void Engine::on(const ReplicaMeasured& event) {
  CollectionState& state = collections_[event.collection];
  state.replica_units = event.units;
  state.fingerprint = event.fingerprint;
  state.aside = event.aside;
  state.derived = event.derived;
  state.derive_problem = event.problem;
  state.announced = event.announced;
  tell(catalog::fingerprint_key(event.collection), event.fingerprint);
}

void Engine::on(const VerifyDone& event) {
  CollectionState& state = collections_[event.collection];
  state.proved_at = now_;
  state.damaged = event.damaged;
  state.checked = event.checked;
}

// ── people and programs ─────────────────────────────────────────────────────────────────────────

void Engine::on(const SyncRequested& event) {
  requests_.sync(event, now_, *out_);
}
void Engine::on(const FlushRequested& event) {
  requests_.flush(event, now_, *out_);
}

}  // namespace syncline::engine
