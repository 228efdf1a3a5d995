// The transports of this node: those that the configuration names and that can work here.
#include <algorithm>

#include "env/subprocess.hpp"
#include "node/collect_shell.hpp"
#include "node/files_shell.hpp"
#include "node/node.hpp"
#include "transports/aria2/aria2_transport.hpp"
#include "transports/nfs/nfs_transport.hpp"
#include "transports/p2p/exchange.hpp"
#include "transports/ssh/ssh_transport.hpp"
#include "transports/swarm/swarm_transport.hpp"

namespace syncline::node {

namespace {
std::string identity_file(const core::Config& config, const std::string& name) {
  return config.node.state_dir + "/identity/" + name;
}
}  // namespace

// Before the engine: what it says of this node names the port.
core::Status Node::start_swarm() {
  auto& enabled = config_.transport.enabled;
  const auto disable = [&enabled](const char* name) {
    enabled.erase(std::remove(enabled.begin(), enabled.end(), name), enabled.end());
  };
  if (env::find_program("aria2c").empty()) disable("aria2");
  const bool is_named = std::find(enabled.begin(), enabled.end(), "swarm") != enabled.end();
  if (config_.transport.swarm_listen.empty() || !is_named) {
    disable("swarm");
    return {};
  }
  transports::swarm::SessionSettings settings;
  settings.listen = config_.transport.swarm_listen;
  settings.certificate_file = identity_file(config_, "node.pem");
  settings.key_file = identity_file(config_, "node-key.pem");
  settings.authority_file = identity_file(config_, "ca.pem");
  settings.upload_mbps = config_.transport.swarm_upload_mbps;
  settings.seeds_max = config_.transport.swarm_seeds_max;
  settings.idle_max = core::seconds(config_.transport.swarm_idle_s);
  SYNCLINE_ASSIGN(auto session, transports::swarm::Session::start(settings));
  swarm_ = std::make_unique<transports::swarm::SwarmTransport>(std::move(session));
  config_.node.swarm_port = swarm_->port();
  return {};
}

void Node::start_transports() {
  files_->attach(exchange_.get());
  nfs_ = std::make_unique<transports::nfs::NfsTransport>();
  files_->attach(nfs_.get());
  if (swarm_) {
    files_->attach(swarm_.get());
    files_->attach_swarm(swarm_.get());
  }
  const auto& enabled = config_.transport.enabled;
  if (std::find(enabled.begin(), enabled.end(), "aria2") != enabled.end()) {
    aria2_ = std::make_unique<transports::aria2::Aria2Transport>(
        config_.node.state_dir + "/aria2",
        transports::aria2::Certificates{identity_file(config_, "node.pem"),
                                        identity_file(config_, "node-key.pem"),
                                        identity_file(config_, "ca.pem")});
    files_->attach(aria2_.get());
  }
  if (!config_.ssh.is_set_up() && config_.agentless.empty()) return;
  ssh_ = std::make_unique<transports::ssh::SshTransport>(config_.node.state_dir + "/ssh");
  if (config_.ssh.is_set_up()) files_->attach(ssh_.get());
}

void Node::start_collecting() {
  if (config_.agentless.empty()) return;
  CollectPorts ports;
  ports.on_loop = [this](std::function<void()> task) { loop_.post_task(std::move(task)); };
  ports.source_changed = [this](const core::CollectionName& collection) {
    post(engine::SourceChanged{collection, false});
  };
  ports.say = [this](const core::NodeId& host, bool is_good, const std::string& sentence) {
    engine::Emit emit;
    emit.event.type = is_good ? "agentless_recovered" : "agentless_failed";
    emit.event.message = "agentless host " + host.text + ": " + sentence;
    emit.event.details = {{"host", host.text}};
    engine::Action action = std::move(emit);
    carry_out(action);
  };
  collect_ = std::make_unique<CollectShell>(config_, clock_, loop_.io(), ssh_->logins(), *records_,
                                            *files_, std::move(ports));
  collect_->start();
}

std::vector<std::string> Node::transports_here() const {
  std::vector<std::string> names;
  for (const std::string& name : config_.transport.enabled) {
    if (name != "ssh" || config_.ssh.is_set_up()) names.push_back(name);
  }
  return names;
}

}  // namespace syncline::node
