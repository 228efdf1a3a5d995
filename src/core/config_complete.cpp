#include "core/config_complete.hpp"

#include "core/nearest.hpp"

namespace syncline::core {

void make_absolute(std::string& path, const std::string& folder) {
  if (!path.empty() && path.front() != '/') path = folder + path;
}

namespace {

// See docs/decisions/0004: on loopback only, a node is a domain of its own.
bool is_on_loopback(const std::string& listen) {
  return listen.rfind("127.", 0) == 0 || listen.rfind("localhost:", 0) == 0 ||
         listen.rfind("[::1]:", 0) == 0;
}

}  // namespace

std::string complete_config(Config& config, const ConfigOverrides& overrides,
                            const std::string& folder) {
  NodeConfig& node = config.node;
  if (node.id.empty()) node.id = NodeId(overrides.host_name);
  if (node.id.empty()) return "node.id is missing and the host has no name";
  if (!overrides.state_dir.empty()) node.state_dir = overrides.state_dir;
  make_absolute(node.state_dir, folder);
  make_absolute(config.api.token_file, folder);
  make_absolute(config.ssh.key_file, folder);
  make_absolute(config.ssh.known_hosts_file, folder);
  for (const std::string& name : config.transport.enabled) {
    if (name == "nfs" || name == "p2p" || name == "ssh") continue;
    return "transport.enabled: there is no transport '" + name + "'" +
           did_you_mean(name, {"nfs", "p2p", "ssh"});
  }
  if (config.transport.enabled.empty()) return "transport.enabled names no transport";
  if (config.ssh.is_set_up() && config.ssh.known_hosts_file.empty()) {
    return "ssh.known_hosts_file is missing: without it no host could be told from another";
  }
  for (std::string& listen : node.http_listen) {
    if (listen.rfind("unix:", 0) != 0) continue;
    std::string path = listen.substr(5);
    make_absolute(path, folder);
    listen = "unix:" + path;
  }
  if (node.host.empty()) {
    const bool is_alone = is_on_loopback(node.peer_listen) || overrides.machine_id.empty();
    node.host = is_alone ? node.id.text : overrides.machine_id;
  }
  if (config.coordination != "embedded" && config.coordination != "etcd") {
    return "coordination must be embedded or etcd";
  }
  // Said at the start rather than ignored: nobody would lead, and the operator would not know.
  if (config.coordination == "etcd") {
    return "coordination = \"etcd\" is not in this version yet: leave it out; no node needs to "
           "lead, "
           "each fetches what it wants";
  }
  return "";
}

}  // namespace syncline::core
