// What the engine does with the news of the fleet: facts, links, deaths and removals.
#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

namespace syncline::engine {

using core::CollectionName;
using core::Instant;
using core::LogId;
using core::NodeId;

namespace {
constexpr const char* kRemovedReason = "this node was removed from the fleet";
}  // namespace

// ── facts ───────────────────────────────────────────────────────────────────────────────────────

void Engine::run_gossip(const gossip::Event& event) {
  gossip::Actions actions;
  gossip_.step(event, now_, actions);
  for (gossip::Action& action : actions) {
    if (auto* send = std::get_if<gossip::Send>(&action)) {
      std::visit(
          [&](auto& message) {
            out_->push_back(Send{send->peer, std::move(message)});
          },
          send->message);
    } else if (auto* changed = std::get_if<gossip::Changed>(&action)) {
      for (const catalog::FactChange& change : changed->changes) {
        fact_changed(change.owner, change.fact);
      }
    } else if (auto* caught_up = std::get_if<gossip::CaughtUp>(&action)) {
      records_.caught_up(caught_up->peer);
    }
  }
}

facade::RouteReport Engine::route(const facade::SyncRequest& request,
                                  const core::CollectionConfig& collection,
                                  core::Instant now) const {
  facade::RouteReport report = placement_.route(request, collection, leading_.leadership(), now);
  for (facade::RouteVerdict& verdict : report.verdicts) {
    const bool is_elsewhere = verdict.is_chosen && verdict.node != self_.text;
    if (!is_elsewhere) continue;
    if (collection.kind == core::Kind::kSqlite) {
      verdict.transport = "p2p";  // records travel on the links
    } else if (!request.transport.empty()) {
      verdict.transport = request.transport;
    } else {
      verdict.transport = objects_.ways().transport_to(collection.name, NodeId(verdict.node), now);
    }
  }
  return report;
}

void Engine::fact_changed(const NodeId& owner, const core::Fact& fact) {
  if (removed_.count(owner) > 0 && !fact.is_removed) return;
  const ViewChange change = view_.apply(owner, fact.key, fact.value, fact.is_removed);
  if (change.log) {
    records_.log_changed(*change.log, owner, change.lost, now_);
    broadcast_.log_changed(*change.log);
  }
  is_fleet_stale_ |= change.is_claim;
  are_keys_stale_ |= change.is_keys;
  if (change.object) {
    objects_.object_changed(*change.object, now_);
    requests_.object_changed(*change.object);
    broadcast_.object_changed(*change.object);
    weigh(*change.object);
  }
  if (change.is_self && removed_.count(owner) == 0) {
    peers_.known(owner, now_);
    if (const catalog::NodeSelf* self = view_.find(owner)) {
      peers_.advertised(owner, self->advertise, now_);
    }
    is_fleet_stale_ = true;
    are_domains_stale_ |= change.is_domain;
    if (change.is_reach) objects_.reach_changed();
  }
  if (change.removed) remove_node(*change.removed);
}

// Is what this node has of the object durable? If not, since when has it not been?
void Engine::weigh(const ObjectId& object) {
  const ObjectHolders& holders = view_.holders(object);
  auto own = holders.find(self_);
  const bool is_pending = own != holders.end() && !own->second.is_deleted &&
                          !view_.is_durable(object, own->second, config_.durability.acks);
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

void Engine::tell_self() {
  const catalog::NodeSelf self = self_of(config_, disk_, is_draining());
  tell(catalog::kSelfKey, encode(self));
  run_membership(membership::ProfileChanged{profile_of(self, disk_.load_permille)});
}

// Links, domains, deaths, wishes: whatever follows from them is done once in a turn.
void Engine::refresh_fleet() {
  const auto next = placement_.next_change();
  if (!is_fleet_stale_ && !(next && *next <= now_)) return;
  is_fleet_stale_ = false;
  Placement::Change change =
      placement_.refresh(view_, peers_, membership_.members(), is_draining(), now_);
  std::set<NodeId> absent = std::move(change.dead);
  absent.insert(removed_.begin(), removed_.end());
  const std::set<NodeId> before = view_.absent();
  view_.set_absent(absent);
  records_.receivers_changed();
  for (const NodeId& node : absent) {
    if (before.count(node) == 0) records_.peer_gone(node);
  }
  if (absent != before) weigh_all();
  if (absent != before || std::exchange(are_domains_stale_, false)) {
    records_.domains_changed(now_);
    std::vector<ObjectId> pending;
    for (const auto& [object, since] : objects_pending_) pending.push_back(object);
    for (const ObjectId& object : pending) weigh(object);
  }
  for (const CollectionName& name : change.wanted_otherwise) records_.wanted_changed(name, now_);
  for (const CollectionName& name : change.wanted_here_anew) objects_.wanted_anew(name, now_);
  leading_.fleet_changed(placement_, view_.claims());
  broadcast_.all_changed();
  are_keys_stale_ = true;
}

void Engine::weigh_all() {
  for (const auto& [object, holders] : view_.objects()) {
    if (holders.count(self_) > 0) weigh(object);
  }
}

// The node's word is void, nobody dials it, and it is sent away when it calls.
void Engine::remove_node(const NodeId& node) {
  if (node == self_ || !removed_.insert(node).second) return;
  if (peers_.is_linked(node)) {
    out_->push_back(CloseLink{node, kRemovedReason});
    run_gossip(gossip::LinkDown{node});
    records_.link_down(node);
  }
  peers_.removed(node);
  run_membership(membership::Removed{node});
  view_.removed(node);
  objects_.forget(node);
  tell(removed_key(node), "removed");  // each node that knows it says so: it outlives us
  for (const catalog::FactChange& change : gossip_.forget(node)) {
    fact_changed(change.owner, change.fact);
  }
  is_fleet_stale_ = true;
  are_domains_stale_ = true;
}

void Engine::on(const NodeRemoved& event) {
  tell(removed_key(event.node), "removed");
}

// ── links ───────────────────────────────────────────────────────────────────────────────────────

void Engine::on(const LinkUp& event) {
  if (removed_.count(event.peer) > 0) {
    out_->push_back(CloseLink{event.peer, kRemovedReason});
    return;
  }
  peers_.link_up(event, now_);
  const std::string& told = event.hello.advertise;
  run_membership(
      membership::AddressLearned{event.peer, event.address.empty() ? told : event.address});
  run_gossip(gossip::LinkUp{event.peer});
  records_.link_up(event.peer, *out_);
  objects_.link_up(event.peer, now_);
  is_fleet_stale_ = true;
}

void Engine::on(const LinkDown& event) {
  if (removed_.count(event.peer) > 0) return;
  peers_.link_down(event, now_);
  run_gossip(gossip::LinkDown{event.peer});
  records_.link_down(event.peer);
  is_fleet_stale_ = true;
}

void Engine::on(const DialFailed& event) {
  peers_.dial_failed(event, now_);
}

void Engine::on(const Received& event) {
  if (!peers_.is_linked(event.peer)) return;  // of a link that is closed already
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
      if (engine.leading_.is_outdated(m.leader_epoch)) return;
      engine.objects_.hurry(m.collection, core::Priority::kHigh, m.transport,
                            static_cast<double>(m.bandwidth_kbps) / 1000, engine.now_);
    }
    void operator()(const core::Packet& m) {
      if (m.from == peer) engine.run_membership(membership::PacketReceived{"", m});
    }
    void operator()(const core::PushPull& m) {
      engine.run_membership(membership::StateReceived{peer, m});
    }
    void operator()(const core::FleetKey& m) {
      engine.key_ring_.received(m, *engine.out_);
      engine.are_keys_stale_ = true;
    }
    void operator()(const core::Goodbye&) {
      engine.peers_.said_goodbye(peer);
      engine.is_fleet_stale_ = true;
    }
  } visitor{*this, peer};
  std::visit(visitor, event.message);
}

}  // namespace syncline::engine
