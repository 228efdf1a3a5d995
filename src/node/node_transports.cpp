// The transports of this node: those that the configuration names and that can work here.
#include "node/files_shell.hpp"
#include "node/node.hpp"
#include "transports/nfs/nfs_transport.hpp"
#include "transports/p2p/exchange.hpp"
#include "transports/ssh/ssh_transport.hpp"

namespace syncline::node {

void Node::start_transports() {
  files_->attach(exchange_.get());
  nfs_ = std::make_unique<transports::nfs::NfsTransport>();
  files_->attach(nfs_.get());
  if (!config_.ssh.is_set_up()) return;
  ssh_ = std::make_unique<transports::ssh::SshTransport>(config_.node.state_dir + "/ssh");
  files_->attach(ssh_.get());
}

std::vector<std::string> Node::transports_here() const {
  std::vector<std::string> names;
  for (const std::string& name : config_.transport.enabled) {
    if (name != "ssh" || ssh_) names.push_back(name);
  }
  return names;
}

}  // namespace syncline::node
