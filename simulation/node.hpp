// One simulated machine: the daemon's engine, and a shell that carries its actions out on the
// simulated disk and network. It does what src/node does, without deciding anything.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "simulation/disk.hpp"
#include "simulation/negative/planted.hpp"
#include "simulation/network.hpp"
#include "simulation/plan.hpp"

namespace syncline::simulation {

class Node;

// Those who watch: the truth and the checkers.
struct Watch {
  std::function<void(const Node&, const core::Message&)> sent;
  std::function<void(const Node&, const core::LogId&, const core::RecordBatch&)> journalled;
  std::function<void(const Node&, const core::LogId&, const core::SeqSet&)> forgotten;
  std::function<void(const Node&)> stepped;
  std::function<void(const Node&, std::uint64_t request, const facade::SyncResponse&)> synced;
  std::function<void(const Node&, std::uint64_t request, const facade::FlushReport&)> flushed;
  std::function<void(const Node&, bool is_durable)> stop_ready;
  std::function<std::string(const core::NodeId&)> trace_of;
};

enum class NodeState { kRunning, kDown, kDestroyed };

struct World {  // what all nodes share
  Timeline timeline;
  Random random;
  Network network;
  Plan plan;
  Bug bug = Bug::kNone;
  Watch watch;
  std::uint64_t digest = 0xcbf29ce484222325u;  // FNV-1a over all that happened
  bool is_traced = false;
  std::vector<std::unique_ptr<Node>> nodes;

  explicit World(Plan p) : random(p.seed), network(timeline, random), plan(std::move(p)) {}
  void note(std::uint64_t value) { digest = (digest ^ value) * 0x100000001b3u; }
  int index_of(const core::NodeId& id) const;
  Node* find(const core::NodeId& id) const;
};

class Node {
 public:
  Node(World& world, int index);

  void start();
  void crash();  // the process and what is not fsynced are gone
  void wipe();
  void destroy();
  void step(engine::Event event);

  // ── what users do ──
  void commit_games(int count);
  void change_game();
  void write_file(int number, std::uint64_t bytes);
  void remove_file(int number);

  bool is_running() const { return state_ == NodeState::kRunning; }
  NodeState state() const { return state_; }
  int index() const { return index_; }
  const core::NodeId& id() const { return config_.node.id; }
  const engine::Engine& engine() const { return *engine_; }
  const core::Config& config() const { return config_; }
  const Machine& machine() const;
  Disk& disk() { return disk_; }
  const Disk& disk() const { return disk_; }
  int life() const { return life_; }
  std::uint64_t wakes() const { return wakes_; }
  std::size_t largest_turn() const { return largest_turn_; }
  std::size_t source_lost() const { return source_lost_; }
  core::WallMs wall() const;
  void jump(std::int64_t ms) { wall_jump_ms_ += ms; }

 private:
  void carry_out(const engine::Dial& action);
  void carry_out(const engine::CloseLink& action);
  void carry_out(const engine::Send& action);
  void carry_out(const engine::SendPacket& action);
  void carry_out(const engine::Append& action);
  void carry_out(const engine::SendRecords& action);
  void carry_out(const engine::Merge& action);
  void carry_out(const engine::Trim& action);
  void carry_out(const engine::SaveAcks& action);
  void carry_out(const engine::PersistFacts& action);
  void carry_out(const engine::ReadSource& action);
  void carry_out(const engine::ScanFiles& action);
  void carry_out(const engine::Fetch& action);
  void carry_out(const engine::GrantFetch&) {}  // nothing has a limit here
  void carry_out(const engine::PaceFetch&) {}
  void carry_out(const engine::CancelFetch& action);
  void carry_out(const engine::RemoveFile& action);
  void carry_out(const engine::KeepKeys&) {}  // datagrams are not sealed here
  void carry_out(const engine::AskEtcd&) {}   // fleets here elect by rank
  void carry_out(const engine::AnswerSync& action);
  void carry_out(const engine::AnswerFlush& action);
  void carry_out(const engine::Emit&) {}
  void carry_out(const engine::StopReady& action);

  engine::Recovered recover();
  void measure_disk();
  void turn();
  void wake_later();
  void later(core::Duration pause, engine::Event event);  // unless it has crashed by then
  core::EncodedUnit encode(const Game& game) const;
  engine::FilesScanned scan(const engine::ScanFiles& action) const;
  void finish_fetch(const engine::Fetch& fetch, int source);

  World& world_;
  int index_;
  core::Config config_;
  Disk disk_;
  NodeState state_ = NodeState::kDown;
  std::unique_ptr<engine::Engine> engine_;
  engine::Recovered before_wipe_;
  int life_ = 0;
  std::uint64_t wake_token_ = 0;
  std::uint64_t wakes_ = 0;
  std::vector<engine::Event> events_;  // of the turn that is awaited
  std::size_t largest_turn_ = 0;
  std::size_t source_lost_ = 0;
  std::int64_t wall_jump_ms_ = 0;
  std::map<std::uint64_t, std::size_t> progress_;  // cursors of reads that are not journalled yet
  std::map<std::uint64_t, bool> cancelled_;
};

core::Config config_for(const Plan& plan, const Machine& machine);
inline const core::CollectionName kGames{"games"};
inline const core::CollectionName kModels{"models"};

}  // namespace syncline::simulation
