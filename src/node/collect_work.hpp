// One thing to be done with an agentless host, from the action to the event that tells its end.
// Private to the room. Threads: cancel() from any; else one thread per host.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "collecting/types.hpp"
#include "core/config.hpp"
#include "transports/ssh/remote.hpp"

namespace syncline::node {

class FilesShell;
class RecordsShell;

class CollectWork {
 public:
  CollectWork(const core::Config& config, transports::ssh::Logins& logins, RecordsShell& records,
              FilesShell& files, std::function<void(const core::CollectionName&)> source_changed);

  collecting::Event list(const collecting::List& action);
  collecting::Event take(const collecting::Take& action);
  collecting::Event give(const collecting::Give& action);
  void cancel();  // for good: what is under way ends soon

 private:
  struct Stop;  // an eventfd

  const core::AgentlessConfig& host(const core::NodeId& id) const;
  transports::ssh::Remote remote(const core::AgentlessConfig& host,
                                 const std::string& folder) const;
  transports::ssh::RemoteCall call(const core::AgentlessConfig& host) const;
  core::Result<collecting::Copied> take_database(const collecting::Take& action);
  core::Result<collecting::Copied> take_file(const collecting::Take& action);
  core::Result<collecting::Copied> give_file(const collecting::Give& action);
  core::Status check_room(std::uint64_t bytes) const;

  const core::Config* config_;
  transports::ssh::Logins* logins_;
  RecordsShell* records_;
  FilesShell* files_;
  std::function<void(const core::CollectionName&)> source_changed_;
  std::shared_ptr<Stop> stop_;
};

}  // namespace syncline::node
