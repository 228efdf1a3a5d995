#include "node/node.hpp"

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>
#include <map>
#include <variant>

#include "core/find_configured.hpp"
#include "env/entropy.hpp"
#include "hooks/hooks.hpp"
#include "http/server.hpp"
#include "node/api.hpp"
#include "node/collect_shell.hpp"
#include "node/files_shell.hpp"
#include "node/log.hpp"
#include "node/records_shell.hpp"
#include "node/self.hpp"
#include "node/supervisor.hpp"
#include "node/watch_thread.hpp"
#include "spot/watcher.hpp"
#include "storage/store.hpp"
#include "transports/aria2/aria2_transport.hpp"
#include "transports/nfs/nfs_transport.hpp"
#include "transports/p2p/exchange.hpp"
#include "transports/ssh/ssh_transport.hpp"
#include "transports/swarm/swarm_transport.hpp"
#include "wire/packet.hpp"

namespace syncline::node {

namespace {

constexpr core::Duration kDiskInterval = core::seconds(5);
constexpr core::Duration kLastHooks = core::seconds(3);  // for what they still have to tell
constexpr core::Duration kSweepInterval = core::seconds(3600);

// Visits the actions by who carries them out.
template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

std::vector<std::string> paths_of(const std::vector<env::FileChange>& changes) {
  std::vector<std::string> paths;
  paths.reserve(changes.size());
  for (const env::FileChange& change : changes) paths.push_back(change.path);
  return paths;
}

}  // namespace

struct Node::Timers {
  explicit Timers(asio::io_context& io)
      : signals(io, SIGTERM, SIGINT), disk(io), alive(io), sweep(io) {}
  asio::signal_set signals;
  asio::steady_timer disk;
  asio::steady_timer alive;
  asio::steady_timer sweep;
};

Node::Node(core::Config config, identity::Identity identity)
    : config_(std::move(config)),
      identity_(std::move(identity)),
      loop_(clock_),
      timers_(std::make_unique<Timers>(loop_.io())) {}

Node::~Node() = default;

core::Status Node::start() {
  SYNCLINE_ASSIGN(const auto notes, complete(config_, identity_.fleet));
  for (const std::string& note : notes) log_info(note);
  SYNCLINE_ASSIGN(lock_, env::FileLock::take(config_.node.state_dir + "/daemon.lock"));
  SYNCLINE_ASSIGN(auto store, storage::Store::open(config_.node.state_dir, config_.node.id));
  SYNCLINE_TRY(start_hooks());
  start_etcd();
  SYNCLINE_TRY(start_swarm());
  SYNCLINE_TRY(start_shells(std::move(store)));
  start_collecting();
  SYNCLINE_TRY(start_api());
  SYNCLINE_TRY(start_watch());
  SYNCLINE_TRY(start_spot_watch());
  measure_machine();
  say_alive();
  sweep();
  wait_for_signal();
  return {};
}

core::Status Node::start_shells(std::unique_ptr<storage::Store> store) {
  files_ = std::make_unique<FilesShell>(
      config_, clock_,
      FilesPorts{[this](engine::Event event) { post(std::move(event)); },
                 [this](std::function<void()> task) { loop_.post_task(std::move(task)); },
                 [this](std::function<void(storage::Store&)> task) {
                   records_->with_store(std::move(task));
                 },
                 [this](const core::NodeId& peer, const core::Root& root) {
                   loop_.post_task(
                       [this, peer, root] { links_->send(peer, wire::SeedRequest{root}); });
                 }});
  storage::Store& opened = *store;
  records_ = std::make_unique<RecordsShell>(
      config_, clock_, std::move(store),
      RecordsPorts{[this](engine::Event event) { post(std::move(event)); },
                   [this](const core::NodeId& peer, const core::Message& message) {
                     return send(peer, message);
                   },
                   [this](const core::CollectionConfig& collection, const std::string& name) {
                     return loop_.call([&collection, name](engine::Engine& engine) {
                       return engine::standing_of(engine, collection, name);
                     });
                   }});
  SYNCLINE_ASSIGN(engine::Recovered recovered, records_->recover([](const core::Error& error) {
    log_warning(core::to_string(error));
  }));
  SYNCLINE_TRY(files_->recover(opened, recovered));
  recovered.keys = identity_.fleet_keys;
  const std::uint64_t incarnation = recovered.incarnation;
  loop_.attach(std::make_unique<engine::Engine>(config_, std::move(recovered), env::random_u64(),
                                                clock_.now()),
               [this](engine::Action& action) { carry_out(action); });
  SYNCLINE_TRY(start_links(incarnation));
  return start_datagrams();
}

core::Status Node::start_api() {
  ApiPorts ports;
  ports.start_verify = [this](const core::CollectionName& name) {
    const core::CollectionConfig* collection = core::find_collection(config_, name);
    if (collection == nullptr) return;
    if (collection->kind == core::Kind::kSqlite) {
      records_->verify(name);
    } else {
      files_->verify(name);
    }
  };
  ports.records_with_config_key = [this](const core::CollectionName& name,
                                         const std::string& pattern) {
    return records_->with_config_key(name, pattern);
  };
  ports.config_keys = [this](const core::CollectionName& name) {
    return records_->config_keys(name);
  };
  ports.open_object = [this](const core::Root& root) { return files_->open_for_http(root); };
  ports.export_file = [this](const std::string& form, const core::CollectionName& collection,
                             const std::string& path) {
    return export_file(form, collection, path);
  };
  ports.traffic = [this] { return links_->traffic(); };
  ports.dead_letters = [this] { return records_->dead_letters(); };
  ports.handle_dead_letters = [this](bool is_retry, const core::CollectionName& collection,
                                     const std::set<std::pair<core::LogId, core::Seq>>& only)
      -> core::Result<http::DeadLetterAnswer> {
    SYNCLINE_ASSIGN(const auto done, records_->handle_dead_letters(is_retry, collection, only));
    return http::DeadLetterAnswer{done.changed, done.left};
  };
  ports.transports = transports_here();
  ports.hooks = [this] {
    std::vector<facade::HookRow> rows;
    for (hooks::HookState& h : hooks_->states()) {
      rows.push_back({h.name, h.target, h.waiting, h.delivered, h.given_up, h.last_error});
    }
    return rows;
  };
  ports.agentless = [this] {
    return collect_ ? collect_->rows() : std::vector<facade::AgentlessRow>();
  };
  ports.collect = [this](const std::set<core::CollectionName>& names, core::Duration wait_max) {
    return collect_ ? collect_->look(names, wait_max) : CollectOutcome();
  };
  api_ = std::make_unique<NodeApi>(config_, clock_, loop_, events_, std::move(ports));
  const std::string identity = config_.node.state_dir + "/identity/";
  SYNCLINE_ASSIGN(server_, http::Server::start(config_, *api_,
                                               {identity + "node.pem", identity + "node-key.pem",
                                                identity + "ca.pem"}));
  return {};
}

core::Status Node::start_watch() {
  std::vector<WatchedRoot> roots;
  std::map<core::CollectionName, core::Kind> kinds;
  for (const core::CollectionConfig& collection : config_.collections) {
    if (collection.root.empty()) continue;
    roots.push_back({collection.name, collection.root});
    kinds[collection.name] = collection.kind;
  }
  SYNCLINE_ASSIGN(watch_, WatchThread::start(
                              std::move(roots),
                              [this, kinds](const core::CollectionName& name,
                                            const std::vector<env::FileChange>& changes) {
                                const bool is_anywhere = changes.empty();
                                bool is_news = is_anywhere;
                                if (kinds.at(name) == core::Kind::kSqlite) {
                                  for (const env::FileChange& change : changes) {
                                    is_news |= records_->file_changed(name, change);
                                  }
                                } else if (!is_anywhere) {
                                  is_news = files_->files_changed(name, paths_of(changes));
                                }
                                if (is_news) post(engine::SourceChanged{name, is_anywhere});
                              },
                              [](const std::string& sentence) { log_warning(sentence); }));
  return {};
}

core::Status Node::start_spot_watch() {
  const core::Tristate ephemeral = config_.node.ephemeral;
  if (ephemeral == core::Tristate::kFalse) return {};
  spot::WatcherCallbacks callbacks;
  callbacks.found = [this](const spot::Found& found) {
    log_info("metadata: a machine of " + found.provider + " (" + found.sign + ")");
    if (found.is_spot) post(engine::FoundEphemeral{found.provider, found.sign});
  };
  callbacks.notice = [this](const spot::Notice& notice, core::Instant deadline) {
    log_warning("notice: " + notice.reason);
    post(engine::TerminationNotice{deadline, notice.reason});
  };
  callbacks.advice = [](const std::string& sentence) { log_warning(sentence); };
  callbacks.problem = [](const std::string& sentence) { log_warning(sentence); };
  SYNCLINE_ASSIGN(spot_watch_, spot::Watcher::start(spot::watcher_settings(config_.spot, ephemeral),
                                                    clock_, std::move(callbacks)));
  return {};
}

void Node::post(engine::Event event) {
  const auto* verified = std::get_if<engine::VerifyDone>(&event);
  std::optional<core::CollectionName> collection;
  if (verified != nullptr) collection = verified->collection;
  loop_.post(std::move(event));
  // After the engine has taken it in, so that whoever waited sees its outcome.
  if (collection) {
    loop_.post_task([this, name = *collection] {
      if (api_) api_->verified(name);
    });
  }
}

bool Node::send(const core::NodeId& peer, const core::Message& message) {
  return links_->send(peer, message);
}

void Node::carry_out(engine::Action& action) {
  std::visit(Overloaded{
                 [this](engine::Dial& a) { links_->dial(a.address, a.expected); },
                 [this](engine::CloseLink& a) { links_->close(a.peer, a.reason); },
                 [this](engine::Send& a) { send(a.peer, a.message); },
                 [this](engine::SendPacket& a) {
                   datagrams_->send(a.address, wire::encode_packet(a.packet));
                 },
                 [this](engine::KeepKeys& a) { keep_keys(a); },
                 [this](engine::Append& a) { records_->carry_out(a); },
                 [this](engine::SendRecords& a) { records_->carry_out(a); },
                 [this](engine::Merge& a) { records_->carry_out(a); },
                 [this](engine::Trim& a) { records_->carry_out(a); },
                 [this](engine::SaveAcks& a) { records_->carry_out(a); },
                 [this](engine::ReadSource& a) { records_->carry_out(a); },
                 [this](engine::PersistFacts& a) { files_->carry_out(a); },
                 [this](engine::ScanFiles& a) { files_->carry_out(a); },
                 [this](engine::Fetch& a) { files_->carry_out(std::move(a)); },
                 [this](engine::GrantFetch& a) { files_->carry_out(a); },
                 [this](engine::PaceFetch& a) { files_->carry_out(a); },
                 [this](engine::CancelFetch& a) { files_->carry_out(a); },
                 [this](engine::RemoveFile& a) { files_->carry_out(a); },
                 [this](engine::AskEtcd& a) { ask_etcd(a); },
                 [this](engine::AnswerSync& a) { api_->synced(a.request, std::move(a.response)); },
                 [this](engine::AnswerFlush& a) { api_->flushed(a.request, std::move(a.report)); },
                 [this](engine::Emit& a) {
                   a.event.at_ms = clock_.wall().ms;
                   if (a.event.node.empty()) a.event.node = config_.node.id.text;
                   log_event(a.event);
                   events_.add(std::move(a.event));
                 },
                 [this](engine::StopReady& a) { stop(a); },
             },
             action);
}

// ── the machine ─────────────────────────────────────────────────────────────────────────────────

void Node::measure_machine() {
  engine::DiskMeasured measured;
  if (auto space = env::disk_space(config_.node.state_dir); space.ok()) {
    measured.free_bytes = space->free_bytes;
    measured.total_bytes = space->total_bytes;
  }
  measured.journal_bytes = records_->journal_bytes();
  measured.load_permille = load_permille();
  post(measured);
  post(engine::ClockTold{clock_.wall(), utc_offset_minutes()});
  timers_->disk.expires_after(kDiskInterval);
  timers_->disk.async_wait([this](const std::error_code& error) {
    if (!error) measure_machine();
  });
}

void Node::say_alive() {
  const auto interval = watchdog_interval();
  if (!interval) return;
  tell_alive();
  timers_->alive.expires_after(*interval);
  timers_->alive.async_wait([this](const std::error_code& error) {
    if (!error) say_alive();
  });
}

void Node::sweep() {
  files_->sweep();
  timers_->sweep.expires_after(kSweepInterval);
  timers_->sweep.async_wait([this](const std::error_code& error) {
    if (!error) sweep();
  });
}

void Node::wait_for_signal() {
  timers_->signals.async_wait([this](const std::error_code& error, int) {
    if (error) return;
    if (is_draining_) {
      log_warning("told to stop a second time: the drain ends here");
      loop_.stop();
      return;
    }
    is_draining_ = true;
    tell_stopping("draining");
    log_info("told to stop: delivering what is not durable yet, for at most " +
             std::to_string(config_.spot.drain_deadline_s) + " s");
    post(engine::TerminationNotice{clock_.now() + core::seconds(config_.spot.drain_deadline_s),
                                   "told to stop"});
    wait_for_signal();
  });
}

// ── the end ─────────────────────────────────────────────────────────────────────────────────────

void Node::stop(const engine::StopReady& ready) {
  is_everything_durable_ = ready.is_everything_durable;
  if (ready.is_everything_durable) {
    log_info("stopping: " + ready.report);
  } else {
    log_warning("stopping: " + ready.report);
  }
  loop_.stop();
}

void Node::shut_down() {
  api_->close();
  server_.reset();
  watch_.reset();
  spot_watch_.reset();
  datagrams_->shutdown();
  links_->shutdown();
  exchange_->close();
  nfs_->close();
  if (collect_) collect_->close();
  close_etcd();
  if (ssh_) ssh_->close();
  if (swarm_) swarm_->close();
  if (aria2_) aria2_->close();
  files_->close();
  records_->close();
  hooks_->close(kLastHooks);
}

bool Node::run() {
  loop_.post_task([this] {
    api_->set_ready(true);
    std::string where = "peers on " + config_.node.peer_listen;
    for (const std::string& address : server_->addresses()) where += ", API on " + address;
    log_info("node " + config_.node.id.text + " of fleet " + config_.fleet + " is ready: " + where);
    tell_ready(where);
  });
  loop_.run();
  shut_down();
  return is_everything_durable_;
}

}  // namespace syncline::node
