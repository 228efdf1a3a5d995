// Life and death of a simulated machine, its users, and its links.
#include "simulation/node.hpp"

#include <algorithm>
#include <iostream>

#include "core/sha256.hpp"

namespace syncline::simulation {

namespace {
constexpr std::int64_t kWallBaseMs = 1'700'000'000'000;
constexpr std::uint64_t kDiskBytes = std::uint64_t{1} << 40;

}  // namespace

core::Config config_for(const Plan& plan, const Machine& machine) {
  core::Config config;
  config.fleet = "simulated";
  config.node.id = core::NodeId(machine.id);
  config.node.roles = machine.roles;
  config.node.host = machine.host;
  config.node.storage_domain = machine.storage;
  config.node.ephemeral = machine.is_ephemeral ? core::Tristate::kTrue : core::Tristate::kFalse;
  config.node.peer_advertise = machine.id + ":8750";
  config.node.seeds = {plan.machines[0].id + ":8750", plan.machines[1].id + ":8750"};
  config.durability.acks = plan.acks;
  core::CollectionConfig games;
  games.name = kGames;
  games.kind = core::Kind::kSqlite;
  games.root = "data/games";
  games.replica = "data/replica.db";
  games.copies = plan.copies;
  games.poll_ms = 20'000;
  core::CollectionConfig models;
  models.name = kModels;
  models.kind = core::Kind::kFiles;
  models.root = "models";
  models.copies = plan.copies;
  models.scan_interval_s = 20;
  if (plan.machines.size() >= 5) {  // not everybody wants everything
    games.placement.roles = {"training"};
    models.placement.nodes = {"n0", "n1", "n2"};
  }
  // In a third of the fleets a leader broadcasts; in half of them it is one of three voters.
  if (plan.seed % 3 == 0) {
    games.strategy = core::StrategyName::kBroadcast;
    models.strategy = core::StrategyName::kBroadcast;
    config.gossip.broadcast_interval_s = 10;
  }
  const bool is_voter = machine.id == "n0" || machine.id == "n1" || machine.id == "n2";
  if (plan.seed % 2 == 0 && is_voter) config.node.roles.push_back("voter");
  config.collections = {games, models};
  return config;
}

int World::index_of(const core::NodeId& id) const {
  for (const auto& node : nodes) {
    if (node->id() == id) return node->index();
  }
  return -1;
}

Node* World::find(const core::NodeId& id) const {
  const int index = index_of(id);
  return index < 0 ? nullptr : nodes[static_cast<std::size_t>(index)].get();
}

Node::Node(World& world, int index)
    : world_(world),
      index_(index),
      config_(config_for(world.plan, world.plan.machines[static_cast<std::size_t>(index)])),
      disk_(world.timeline, world.random) {
  spoil(world.bug, config_);
}

const Machine& Node::machine() const {
  return world_.plan.machines[static_cast<std::size_t>(index_)];
}

core::WallMs Node::wall() const {
  const auto ms = world_.timeline.now().since_start.count() / 1'000'000;
  return {kWallBaseMs + ms + machine().wall_skew_ms + wall_jump_ms_};
}

// ── life and death ──────────────────────────────────────────────────────────────────────────────

engine::Recovered Node::recover() {
  engine::Recovered recovered;
  disk_.last_epoch = std::max(disk_.last_epoch + 1, static_cast<std::uint64_t>(wall().ms));
  recovered.epoch = {disk_.last_epoch};
  recovered.incarnation = disk_.last_epoch;
  recovered.removed = disk_.removed_nodes;
  recovered.objects = disk_.versions;
  for (const auto& [id, log] : disk_.logs) {
    engine::RecoveredLog& one = recovered.logs[id];
    one.held = log.held;
    one.trimmed = log.trimmed;
    auto merged = disk_.replica.merged.find(id);
    if (merged != disk_.replica.merged.end()) {
      for (const auto& [seq, record] : merged->second) {
        if (one.held.contains(seq)) one.merged.insert(seq, seq);
      }
    }
    for (const auto& [seq, record] : log.payloads) {
      one.last_hlc = std::max(one.last_hlc, record.hlc);
      if (id.origin != config_.node.id) continue;
      one.records.push_back({seq, static_cast<std::uint32_t>(record.unit.bytes.size()),
                             world_.timeline.now(), record.committed_at});
    }
    if (id.origin == config_.node.id) one.acks = log.acks;
  }
  return recovered;
}

void Node::start() {
  if (state_ != NodeState::kDown) return;
  ++life_;
  state_ = NodeState::kRunning;
  progress_.clear();
  cancelled_.clear();
  if (world_.bug == Bug::kCursorLost && life_ > 1) disk_.cursors.clear();
  engine::Recovered recovered = recover();
  spoil(world_.bug, recovered, before_wipe_);
  engine_ = std::make_unique<engine::Engine>(config_, recovered, world_.random.next(),
                                             world_.timeline.now());
  measure_disk();
}

void Node::measure_disk() {
  if (!is_running()) return;
  engine::DiskMeasured measured;
  measured.total_bytes = kDiskBytes;
  measured.free_bytes = kDiskBytes / 2;
  step(measured);
  world_.timeline.after(core::seconds(5), [this, life = life_] {
    if (life == life_) measure_disk();
  });
}

void Node::crash() {
  if (!is_running()) return;
  state_ = NodeState::kDown;
  ++wake_token_;
  disk_.crash();
  if (world_.bug == Bug::kTornUnit) {
    for (auto& [id, log] : disk_.logs) {
      if (log.payloads.empty()) continue;
      std::string& bytes = log.payloads.rbegin()->second.unit.bytes;
      bytes.resize(bytes.size() / 2);
    }
  }
  engine_.reset();
  events_.clear();
  world_.network.died(index_);
}

void Node::wipe() {
  crash();
  before_wipe_ = recover();
  source_lost_ += disk_.source.size();
  disk_.wipe();
}

void Node::destroy() {
  crash();
  state_ = NodeState::kDestroyed;
}

void Node::later(core::Duration pause, engine::Event event) {
  world_.timeline.after(pause, [this, life = life_, event = std::move(event)] {
    if (is_running() && life == life_) step(event);
  });
}

// As in the daemon: what comes while a turn is awaited is taken together in it.
void Node::step(engine::Event event) {
  if (!is_running()) return;
  events_.push_back(std::move(event));
  if (events_.size() > 1) return;
  if (!world_.random.chance(25)) return turn();
  const auto wait = world_.random.between(core::Duration(0), core::milliseconds(2));
  world_.timeline.after(wait, [this, life = life_] {
    if (is_running() && life == life_) turn();
  });
}

void Node::turn() {
  const core::Instant now = world_.timeline.now();
  const std::vector<engine::Event> events = std::exchange(events_, {});
  if (events.empty()) return;
  world_.note(static_cast<std::uint64_t>(now.since_start.count()));
  for (const engine::Event& event : events) {
    world_.note(static_cast<std::uint64_t>(index_) << 8 | event.index());
  }
  engine::Actions actions;
  engine_->step(events, now, actions);
  largest_turn_ = std::max(largest_turn_, actions.size());
  const bool is_tick = events.size() == 1 && events[0].index() == 0;
  if (world_.is_traced && (!is_tick || !actions.empty())) {
    std::cout << now.since_start.count() / 1'000'000 << " ms " << id() << " events";
    for (const engine::Event& event : events) std::cout << ' ' << event.index();
    for (const auto& action : actions) {
      std::cout << " ->" << action.index();
      if (const auto* send = std::get_if<engine::Send>(&action)) {
        std::cout << ":" << send->peer << ":" << name_of(send->message);
      }
    }
    std::cout << "\n";
  }
  for (const engine::Action& action : actions) {
    world_.note(action.index());
    std::visit([this](const auto& a) { carry_out(a); }, action);
    if (!is_running()) return;
  }
  world_.watch.stepped(*this);
  wake_later();
}

void Node::wake_later() {
  const auto wake = engine_->next_wake();
  const std::uint64_t token = ++wake_token_;
  if (!wake) return;
  if (world_.bug == Bug::kTicksLost) return;
  world_.timeline.at(*wake, [this, token] {
    if (token != wake_token_ || !is_running()) return;
    ++wakes_;
    step(engine::Tick{});
  });
}

// ── users ───────────────────────────────────────────────────────────────────────────────────────

void Node::commit_games(int count) {
  if (!is_running()) return;
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(source_lost_ + disk_.source.size());
    disk_.source.push_back({id().text + "-game-" + number, 1});
  }
  later(core::milliseconds(1), engine::SourceChanged{kGames});
}

void Node::change_game() {
  if (!is_running() || disk_.source.empty()) return;
  Game game = disk_.source[world_.random.below(disk_.source.size())];
  for (const Game& other : disk_.source) {
    if (other.key == game.key) game.version = std::max(game.version, other.version);
  }
  ++game.version;
  disk_.source.push_back(game);
  later(core::milliseconds(1), engine::SourceChanged{kGames});
}

void Node::write_file(int number, std::uint64_t bytes) {
  if (!is_running() || disk_.is_full) return;
  const std::string path = "model-" + std::to_string(number) + ".pth";
  disk_.files[path] = {core::sha256(path + std::to_string(world_.random.next())), bytes};
  later(core::milliseconds(1), engine::SourceChanged{kModels});
}

void Node::remove_file(int number) {
  if (!is_running()) return;
  disk_.files.erase("model-" + std::to_string(number) + ".pth");
  later(core::milliseconds(1), engine::SourceChanged{kModels});
}

// ── links ───────────────────────────────────────────────────────────────────────────────────────

void Node::carry_out(const engine::Dial& action) {
  const core::NodeId to(action.address.substr(0, action.address.find(':')));
  world_.network.dial(index_, world_.index_of(to), action.address);
}

void Node::carry_out(const engine::CloseLink& action) {
  world_.network.close(index_, world_.index_of(action.peer));
}

void Node::carry_out(const engine::Send& action) {
  core::Message message = action.message;
  spoil(world_.bug, message, *engine_);
  world_.watch.sent(*this, message);
  world_.network.send(index_, world_.index_of(action.peer), message);
}

void Node::carry_out(const engine::SendPacket& action) {
  const core::NodeId to(action.address.substr(0, action.address.find(':')));
  world_.network.datagram(index_, world_.index_of(to), action.packet);
}

// ── people ──────────────────────────────────────────────────────────────────────────────────────

void Node::carry_out(const engine::AnswerSync& action) {
  world_.watch.synced(*this, action.request, action.response);
}
void Node::carry_out(const engine::AnswerFlush& action) {
  world_.watch.flushed(*this, action.request, action.report);
}
void Node::carry_out(const engine::StopReady& action) {
  world_.watch.stop_ready(*this, action.is_everything_durable);
}

}  // namespace syncline::simulation
