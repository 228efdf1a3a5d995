#include "node/collect_shell.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>

#include "collecting/collector.hpp"
#include "collecting/memory.hpp"
#include "core/text.hpp"
#include "env/files.hpp"
#include "node/collect_work.hpp"
#include "node/log.hpp"
#include "node/serial.hpp"
#include "node/waiters.hpp"

namespace syncline::node {

using core::CollectionName;
using core::NodeId;

namespace {

std::string memory_file(const core::Config& config, const NodeId& host) {
  return config.node.state_dir + "/agentless/" + host.text + "/memory";
}

collecting::Memory recall(const core::Config& config) {
  collecting::Memory all;
  for (const core::AgentlessConfig& host : config.agentless) {
    const std::string path = memory_file(config, host.name);
    if (!env::exists(path)) continue;
    const auto text = env::read_file(path, collecting::kMemoryBytesMax);
    auto memory = text.ok() ? collecting::decode_memory(*text, host.name)
                            : core::Result<collecting::Memory>(text.error());
    if (memory.ok()) {
      all.merge(*memory);
    } else {
      log_warning(core::to_string(memory.error()));
    }
  }
  return all;
}

}  // namespace

struct CollectShell::State {
  State(const core::Config& co, const env::Clock& cl, asio::io_context& io, CollectWork w,
        CollectPorts p)
      : config(co),
        clock(cl),
        ports(std::move(p)),
        work(std::move(w)),
        collector(co, recall(co), co.transport.jobs_max, cl.now()),
        timer(io) {
    for (const core::AgentlessConfig& host : co.agentless) {
      threads.emplace(host.name, std::make_unique<Serial>("sl-ssh-" + host.name.text));
    }
  }

  void step(const collecting::Event& event) {
    if (is_closed) return;
    collecting::Actions actions;
    collector.step(event, clock.now(), actions);
    for (collecting::Action& action : actions) {
      std::visit([this](auto& one) { carry_out(one); }, action);
    }
    arm();
  }
  void arm() {
    const auto wake = collector.next_wake();
    if (!wake) return;
    timer.expires_after(std::max<core::Duration>(*wake - clock.now(), core::milliseconds(1)));
    timer.async_wait([this](const std::error_code& error) {
      if (!error) step(collecting::Tick{});
    });
  }
  template <typename Task>
  void on_thread(const NodeId& host, Task task) {
    threads.at(host)->post([this, task = std::move(task)] {
      ports.on_loop([this, event = task()]() { step(event); });
    });
  }
  void carry_out(const collecting::List& action) {
    on_thread(action.host, [this, action] { return work.list(action); });
  }
  void carry_out(const collecting::Take& action) {
    on_thread(action.file.host, [this, action] { return work.take(action); });
  }
  void carry_out(const collecting::Give& action) {
    on_thread(action.file.host, [this, action] { return work.give(action); });
  }
  void carry_out(const collecting::Remember& action) {
    const std::string text = collecting::encode_memory(collector.memory(), action.host);
    threads.at(action.host)->post([this, host = action.host, text] {
      const core::Status saved = env::write_file_atomic(memory_file(config, host), text, 0600);
      // Lost: it is copied once more after a restart.
      if (!saved.ok()) log_warning(core::to_string(saved.error()));
    });
  }
  void carry_out(const collecting::LookEnded& action) {
    waiters.answer(action.request, action.problems);
  }
  void carry_out(const collecting::Say& action) {
    ports.say(action.host, action.is_good, action.sentence);
  }

  const core::Config& config;
  const env::Clock& clock;
  const CollectPorts ports;
  CollectWork work;
  collecting::Collector collector;
  asio::steady_timer timer;
  Waiters<std::map<NodeId, std::vector<std::string>>> waiters;
  bool is_closed = false;
  std::map<NodeId, std::unique_ptr<Serial>> threads;  // last: their tasks use all of the above
};

CollectShell::CollectShell(const core::Config& config, const env::Clock& clock,
                           asio::io_context& io, transports::ssh::Logins& logins,
                           RecordsShell& records, FilesShell& files, CollectPorts ports) {
  CollectWork work(config, logins, records, files, ports.source_changed);
  state_ = std::make_shared<State>(config, clock, io, std::move(work), std::move(ports));
}

CollectShell::~CollectShell() {
  close();
}

void CollectShell::start() {
  for (const core::AgentlessConfig& host : state_->config.agentless) {
    const auto made =
        env::make_folders(env::folder_of(memory_file(state_->config, host.name)), 0700);
    if (!made.ok()) log_warning(core::to_string(made.error()));
  }
  state_->step(collecting::Tick{});
}

void CollectShell::linked(const NodeId& node, bool is_up) {
  state_->step(collecting::DaemonSeen{node, is_up});
}

CollectOutcome CollectShell::look(const std::set<CollectionName>& collections,
                                  core::Duration wait_max) {
  const std::uint64_t id = state_->waiters.open();
  state_->ports.on_loop([state = state_, id, collections] {
    state->step(collecting::LookWanted{id, collections});
  });
  return state_->waiters.wait(id, wait_max);
}

std::vector<facade::AgentlessRow> CollectShell::rows() const {
  std::vector<facade::AgentlessRow> rows;
  const core::Instant now = state_->clock.now();
  for (const core::AgentlessConfig& host : state_->config.agentless) {
    const collecting::HostState& state = state_->collector.hosts().at(host.name);
    facade::AgentlessRow row;
    row.id = host.name.text;
    row.address = host.host + ":" + std::to_string(host.port);
    row.state = state.has_daemon     ? "daemon"
                : state.is_busy      ? "looking"
                : state.is_reached   ? "waiting"
                : state.failures > 0 ? "unreachable"
                                     : "new";
    if (state.looked_at) row.looked_age_s = core::to_seconds(now - *state.looked_at);
    row.next_look_s = std::max(0.0, core::to_seconds(state.next_look - now));
    row.taken = state.taken;
    row.given = state.given;
    row.bytes = state.wire_bytes;
    row.unstable = state.unstable;
    row.problems = state.problems;
    if (!state.error.empty()) row.problems.insert(row.problems.begin(), state.error);
    if (state.problems_beyond > 0) {
      row.problems.push_back("and " + std::to_string(state.problems_beyond) + " more");
    }
    const double late_s = 3.0 * static_cast<double>(host.every_s);
    row.is_late = state.has_daemon   ? false
                  : row.looked_age_s ? *row.looked_age_s > late_s
                                     : state.failures > 0;
    rows.push_back(std::move(row));
  }
  return rows;
}

void CollectShell::close() {
  State& s = *state_;
  if (std::exchange(s.is_closed, true)) return;
  s.timer.cancel();
  s.work.cancel();
  s.waiters.close();
  for (auto& [host, thread] : s.threads) thread->close();
}

}  // namespace syncline::node
