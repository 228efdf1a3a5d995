// The hands of the collecting service: SSH to hosts without a daemon, copies from and to them.
//
// Each host has a thread; what collecting::Collector asks for is done on it, one thing at a time.
// Nothing is decided here. Threads: all functions on the loop's thread, look() from any.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "core/config.hpp"
#include "env/clock.hpp"
#include "facade/reports.hpp"
#include "node/agentless_targets.hpp"

namespace asio {
class io_context;
}
namespace syncline::transports::ssh {
class Logins;
}

namespace syncline::node {

class FilesShell;
class RecordsShell;

struct CollectPorts {
  std::function<void(std::function<void()>)> on_loop;
  std::function<void(const core::CollectionName&)> source_changed;  // any thread
  // For people, as an event: is_good false calls for somebody.
  std::function<void(const core::NodeId&, bool is_good, const std::string&)> say;
};

class CollectShell {
 public:
  // What is referred to outlives it. Remembers what earlier runs copied.
  CollectShell(const core::Config& config, const env::Clock& clock, asio::io_context& io,
               transports::ssh::Logins& logins, RecordsShell& records, FilesShell& files,
               CollectPorts ports);
  ~CollectShell();
  CollectShell(const CollectShell&) = delete;
  CollectShell& operator=(const CollectShell&) = delete;

  void start();
  // A link to a node came up or went down.
  void linked(const core::NodeId& node, bool is_up);
  // Looks at all hosts that have one of these collections now (empty: any), and waits until that is
  // done, or for `wait_max`. Not from the loop's thread.
  CollectOutcome look(const std::set<core::CollectionName>& collections, core::Duration wait_max);
  std::vector<facade::AgentlessRow> rows() const;
  // Ends what is under way.
  void close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace syncline::node
