#include "simulation/fleet.hpp"

#include <iostream>

namespace syncline::simulation {

namespace {
constexpr core::Duration kHealsWithin = core::seconds(120);
constexpr int kStartsWithinMs = 300;
constexpr core::Duration kRests = core::seconds(5);
// Late saves and trims come to an end, and the patience with nodes that left (suspicion_max).
constexpr core::Duration kBeforeRest = core::seconds(40);
// Steps after which a node may rightly be taken for dead. Slowness and loss are none of them.
bool disturbs(StepKind kind) {
  switch (kind) {
    case StepKind::kCut:
    case StepKind::kBlock:
    case StepKind::kIsolate:
    case StepKind::kSplit:
    case StepKind::kCrash:
    case StepKind::kWipe:
    case StepKind::kDestroy:
    case StepKind::kStop:
    case StepKind::kNotice:
    case StepKind::kRemove:
      return true;
    default:
      return false;
  }
}
}  // namespace

Fleet::Fleet(const Plan& plan, const RunOptions& options) : world_(plan) {
  world_.bug = options.bug;
  world_.is_traced = options.is_traced;
  for (std::size_t i = 0; i < plan.machines.size(); ++i) {
    world_.nodes.push_back(std::make_unique<Node>(world_, static_cast<int>(i)));
  }
  checkers_ = all_checkers(world_, truth_);
  attach_network();
  attach_watch();
}

void Fleet::attach_network() {
  std::vector<NetworkEnd> ends;
  for (const auto& pointer : world_.nodes) {
    Node* node = pointer.get();
    auto id_of = [this](int index) { return world_.nodes[static_cast<std::size_t>(index)]->id(); };
    NetworkEnd end;
    end.is_running = [node] { return node->is_running(); };
    end.link_up = [this, node, id_of](int peer, const std::string& address) {
      const Node& other = *world_.nodes[static_cast<std::size_t>(peer)];
      core::Hello hello;
      hello.fleet = "simulated";
      hello.incarnation =
          other.is_running() ? other.engine().catalog().mark(other.id()).incarnation : 0;
      hello.advertise = id_of(peer).text + ":8750";
      node->step(engine::LinkUp{id_of(peer), hello, address});
    };
    end.link_down = [node, id_of](int peer, const std::string& reason) {
      node->step(engine::LinkDown{id_of(peer), reason});
    };
    end.received = [node, id_of](int peer, const core::Message& message) {
      node->step(engine::Received{id_of(peer), message});
    };
    end.dial_failed = [node](const std::string& address) {
      node->step(engine::DialFailed{address, "no answer"});
    };
    end.datagram = [node, id_of](int peer, const core::Packet& packet) {
      node->step(engine::PacketReceived{id_of(peer).text + ":8750", packet});
    };
    ends.push_back(std::move(end));
  }
  world_.network.attach(std::move(ends));
}

void Fleet::attach_watch() {
  Watch& watch = world_.watch;
  watch.sent = [this](const Node& node, const core::Message& message) {
    for (auto& checker : checkers_) checker->sent(node, message);
  };
  watch.journalled = [this](const Node& node, const core::LogId& log,
                            const core::RecordBatch& batch) {
    for (const core::Record& record : batch.records) {
      truth_.ever_held[log][node.id()].insert(record.seq.value, record.seq.value);
      if (log.origin == node.id()) truth_.units[log][record.seq.value] = record.unit.bytes;
    }
    for (auto& checker : checkers_) checker->journalled(node, log, batch);
  };
  watch.forgotten = [this](const Node& node, const core::LogId& log, const core::SeqSet& seqs) {
    for (auto& checker : checkers_) checker->forgotten(node, log, seqs);
  };
  watch.stepped = [this](const Node& node) {
    for (const auto& [log, writer] : node.engine().records().own_logs()) {
      truth_.claimed[log].insert(writer.durable());
    }
    for (auto& checker : checkers_) checker->stepped(node);
  };
  watch.synced = [this](const Node& node, std::uint64_t id, const facade::SyncResponse& response) {
    ++truth_.requests.at(id).answers;
    for (auto& checker : checkers_) checker->synced(node, id, response);
  };
  watch.flushed = [this](const Node& node, std::uint64_t id, const facade::FlushReport& report) {
    ++truth_.requests.at(id).answers;
    for (auto& checker : checkers_) checker->flushed(node, id, report);
  };
  watch.stop_ready = [this](const Node& stopped, bool is_durable) {
    for (auto& checker : checkers_) checker->stop_ready(stopped, is_durable);
    auto stopping = stopping_.find(stopped.index());
    if (stopping == stopping_.end()) return;
    const bool is_for_ever = stopping->second;
    stopping_.erase(stopping);
    Node& machine = node(stopped.index());
    if (is_for_ever) {
      lose(machine, false, 0);
    } else {
      machine.crash();
      start_later(machine, world_.random.between(500, 3000));
    }
  };
}

// ── what happens ────────────────────────────────────────────────────────────────────────────────

void Fleet::start_later(Node& machine, std::int64_t pause_ms) {
  const core::Instant at = world_.timeline.now() + core::milliseconds(pause_ms);
  truth_.disturbed_until = std::max(truth_.disturbed_until, at);
  world_.timeline.at(at, [&machine] { machine.start(); });
}

void Fleet::lose(Node& machine, bool is_wiped, std::int64_t down_ms) {
  if (machine.state() == NodeState::kDestroyed) return;
  truth_.lost.insert(machine.id());
  if (is_wiped) {
    machine.wipe();
    start_later(machine, down_ms);
  } else {
    machine.destroy();
  }
}

void Fleet::stop(const Step& step, bool is_for_ever) {
  Node& machine = node(step.node);
  if (!machine.is_running() || stopping_.count(step.node) > 0) return;
  stopping_[step.node] = is_for_ever;
  const core::Duration time = core::milliseconds(step.amount);
  world_.timeline.after(
      time + core::milliseconds(50), [this, &machine, step, life = machine.life(), is_for_ever] {
        auto stopping = stopping_.find(step.node);
        if (stopping == stopping_.end()) return;
        stopping_.erase(stopping);
        if (!failure_ && machine.is_running() && machine.life() == life) {
          failure_ = Failure{"requests_are_answered", machine.id().text + " was not ready in time",
                             world_.timeline.now()};
        }
        if (is_for_ever) lose(machine, false, 0);
      });
  machine.step(engine::TerminationNotice{world_.timeline.now() + time, "notice"});
}

void Fleet::ask(const Step& step) {
  Node& machine = node(step.node);
  if (!machine.is_running()) return;
  const std::uint64_t id = next_request_++;
  const core::Duration time = core::milliseconds(step.amount);
  const core::Instant deadline = world_.timeline.now() + time;
  truth_.requests[id] = {step.node,
                         machine.life(),
                         step.kind == StepKind::kFlush,
                         deadline,
                         machine.disk().source.size(),
                         0};
  if (step.kind == StepKind::kFlush) {
    machine.step(engine::FlushRequested{id, 0, deadline, {}});
    return;
  }
  engine::SyncRequested request;
  request.request = id;
  request.sync.data_type = kGames.text;
  request.sync.timeout_s = core::to_seconds(time);
  machine.step(request);
}

void Fleet::apply(const Step& step) {
  const core::Instant until = world_.timeline.now() + core::milliseconds(step.amount);
  const int count = static_cast<int>(world_.nodes.size());
  Node& machine = node(step.node);
  Network& network = world_.network;
  if (world_.is_traced) std::cout << "=== " << to_string(step) << "\n";
  if (disturbs(step.kind)) truth_.disturbed_until = std::max(truth_.disturbed_until, until);
  switch (step.kind) {
    case StepKind::kGames:
      machine.commit_games(static_cast<int>(step.amount));
      break;
    case StepKind::kGameChanged:
      machine.change_game();
      break;
    case StepKind::kFile:
      machine.write_file(step.other, static_cast<std::uint64_t>(step.amount));
      break;
    case StepKind::kFileGone:
      machine.remove_file(step.other);
      break;
    case StepKind::kSync:
    case StepKind::kFlush:
      ask(step);
      break;
    case StepKind::kCut:
      network.cut(step.node, step.other);
      break;
    case StepKind::kBlock:
      network.block(step.node, step.other, until);
      break;
    case StepKind::kLoss:
      network.lose(step.other);
      world_.timeline.at(until, [&network] { network.lose(Network::kUsualLossPercent); });
      break;
    case StepKind::kSlowLink:
      network.slow(step.node, step.other, until);
      break;
    case StepKind::kIsolate:
    case StepKind::kSplit:
      for (int a = 0; a < count; ++a) {
        for (int b = 0; b < count; ++b) {
          const bool is_apart = step.kind == StepKind::kIsolate
                                    ? (a == step.node) != (b == step.node)
                                    : ((step.other >> (a % kSplitBits)) & 1) !=
                                          ((step.other >> (b % kSplitBits)) & 1);
          if (is_apart) network.block(a, b, until);
        }
      }
      break;
    case StepKind::kCrash:
      if (machine.is_running() && stopping_.count(step.node) == 0) {
        machine.crash();
        start_later(machine, step.amount);
      }
      break;
    case StepKind::kWipe:
      lose(machine, true, step.amount);
      break;
    case StepKind::kDestroy:
      lose(machine, false, 0);
      break;
    case StepKind::kStop:
      stop(step, false);
      break;
    case StepKind::kNotice:
      stop(step, true);
      break;
    case StepKind::kDiskFull:
    case StepKind::kDiskSlow: {
      bool& flag =
          step.kind == StepKind::kDiskFull ? machine.disk().is_full : machine.disk().is_slow;
      flag = true;
      world_.timeline.at(until, [&flag] { flag = false; });
      break;
    }
    case StepKind::kWallJump:
      machine.jump(step.amount);
      break;
    case StepKind::kRemove:
      if (!machine.is_running() || node(step.other).state() != NodeState::kDestroyed) break;
      truth_.removed.insert(node(step.other).id());
      machine.step(engine::NodeRemoved{node(step.other).id()});
      break;
  }
}

void Fleet::heal() {
  world_.network.heal();
  for (const auto& machine : world_.nodes) {
    if (machine->state() == NodeState::kDown) truth_.disturbed_until = world_.timeline.now();
  }
  for (auto& machine : world_.nodes) {
    machine->disk().is_full = false;
    machine->disk().is_slow = false;
    if (machine->state() == NodeState::kDown) machine->start();
  }
}

// ── a run ───────────────────────────────────────────────────────────────────────────────────────

std::optional<Failure> Fleet::find_failure() const {
  for (const auto& checker : checkers_) {
    if (checker->failure()) {
      return Failure{checker->name(), *checker->failure(), world_.timeline.now()};
    }
  }
  return std::nullopt;
}

bool Fleet::is_failed() {
  if (!failure_) failure_ = find_failure();
  return failure_.has_value();
}

std::string Fleet::missing(std::string* checker) {
  for (auto& one : checkers_) {
    std::string what = one->missing();
    if (what.empty()) continue;
    *checker = one->name();
    return what;
  }
  return {};
}

void Fleet::every_second() {
  for (auto& checker : checkers_) checker->second();
  world_.timeline.after(core::seconds(1), [this] { every_second(); });
}

Outcome Fleet::run() {
  Outcome outcome;
  auto is_over = [this] { return is_failed(); };
  auto& timeline = world_.timeline;
  for (auto& machine : world_.nodes) {
    start_later(*machine, world_.random.between(0, kStartsWithinMs));
  }
  for (const Step& step : world_.plan.steps) timeline.at(step.at, [this, step] { apply(step); });
  every_second();
  timeline.run(world_.plan.faults_end, is_over);
  heal();
  const core::Instant deadline = timeline.now() + kHealsWithin;
  std::string checker;
  std::string what = "nothing was looked at";
  while (!is_failed() && !what.empty() && timeline.now() < deadline) {
    timeline.run(timeline.now() + core::seconds(1), is_over);
    if (!stopping_.empty()) continue;
    what = missing(&checker);
  }
  outcome.settled_at = timeline.now();
  if (!is_failed() && !what.empty()) failure_ = Failure{checker, what, timeline.now()};
  timeline.run(timeline.now() + kBeforeRest, is_over);
  if (!is_failed()) {
    for (auto& one : checkers_) one->settled();
    timeline.run(timeline.now() + kRests, is_over);
  }
  if (!is_failed()) {
    what = missing(&checker);
    if (!what.empty()) failure_ = Failure{checker, "settled, and then: " + what, timeline.now()};
  }
  outcome.failure = failure_;
  outcome.digest = world_.digest;
  outcome.messages = world_.network.messages();
  return outcome;
}

}  // namespace syncline::simulation
