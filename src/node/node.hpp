// One node: everything a daemon holds, started in order, wired, and stopped in order.
//
// Threads: start() and run() on one thread, which is the loop's from then on.
#pragma once

#include <memory>
#include <optional>

#include "core/config.hpp"
#include "engine/actions.hpp"
#include "engine/events.hpp"
#include "env/clock.hpp"
#include "env/files.hpp"
#include "identity/types.hpp"
#include "net/links.hpp"
#include "net/sealed_udp.hpp"
#include "node/event_ring.hpp"
#include "node/loop.hpp"

namespace syncline::http {
class Server;
}
namespace syncline::hooks {
class Hooks;
}
namespace syncline::spot {
class Watcher;
}
namespace syncline::storage {
class Store;
}
namespace syncline::transports::nfs {
class NfsTransport;
}
namespace syncline::transports::ssh {
class SshTransport;
}
namespace syncline::transports::p2p {
class Exchange;
}
namespace syncline::transports::swarm {
class SwarmTransport;
}
namespace syncline::transports::aria2 {
class Aria2Transport;
}

namespace syncline::node {

class CollectShell;
class FilesShell;
class NodeApi;
class RecordsShell;
class WatchThread;

class Node {
 public:
  Node(core::Config config, identity::Identity identity);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // kConflict: another daemon has the state folder, or the port. Nothing was changed.
  core::Status start();
  // Until a drain has ended. True when everything of this node is durable elsewhere.
  bool run();

 private:
  core::Status start_shells(std::unique_ptr<storage::Store> store);
  core::Status start_links(std::uint64_t incarnation);
  core::Status start_datagrams();
  core::Status start_hooks();
  core::Status start_swarm();
  void start_transports();
  void start_collecting();
  void start_etcd();
  void ask_etcd(const engine::AskEtcd& action);
  void close_etcd();
  void keep_keys(const engine::KeepKeys& action);
  std::vector<std::string> transports_here() const;
  core::Status start_api();
  core::Result<std::string> export_file(const std::string& form,
                                        const core::CollectionName& collection,
                                        const std::string& path);
  core::Status start_watch();
  core::Status start_spot_watch();
  net::LinkCallbacks link_callbacks();
  void carry_out(engine::Action& action);
  void post(engine::Event event);
  bool send(const core::NodeId& peer, const core::Message& message);
  void measure_machine();
  void say_alive();
  void sweep();
  void wait_for_signal();
  void stop(const engine::StopReady& ready);
  void shut_down();

  env::SystemClock clock_;
  core::Config config_;
  identity::Identity identity_;
  std::optional<env::FileLock> lock_;
  Loop loop_;
  struct Timers;
  std::unique_ptr<Timers> timers_;
  EventRing events_;
  std::unique_ptr<hooks::Hooks> hooks_;  // the ring tells it
  std::unique_ptr<RecordsShell> records_;
  std::unique_ptr<FilesShell> files_;
  std::unique_ptr<net::Links> links_;
  std::unique_ptr<net::SealedUdp> datagrams_;
  std::unique_ptr<transports::p2p::Exchange> exchange_;
  std::unique_ptr<transports::nfs::NfsTransport> nfs_;
  std::unique_ptr<transports::ssh::SshTransport> ssh_;
  std::unique_ptr<transports::swarm::SwarmTransport> swarm_;
  std::unique_ptr<transports::aria2::Aria2Transport> aria2_;
  std::unique_ptr<CollectShell> collect_;  // empty: no agentless host
  std::unique_ptr<NodeApi> api_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<WatchThread> watch_;
  std::unique_ptr<spot::Watcher> spot_watch_;
  struct Etcd;
  std::shared_ptr<Etcd> etcd_;  // empty: coordination is embedded
  bool is_draining_ = false;
  bool is_everything_durable_ = false;
};

}  // namespace syncline::node
