#include "core/config_complete.hpp"

#include "core/nearest.hpp"
#include "core/settings_table.hpp"

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

std::string why_not(const EtcdConfig& etcd) {
  if (etcd.endpoints.empty()) {
    return "coordination = \"etcd\" needs etcd.endpoints, such as [\"http://10.0.0.1:2379\"]";
  }
  for (const std::string& url : etcd.endpoints) {
    if (url.rfind("http://", 0) == 0) continue;
    if (url.rfind("https://", 0) != 0) {
      return "etcd.endpoints: '" + url + "' must begin with http:// or https://";
    }
    if (etcd.ca_file.empty()) return "etcd.endpoints: https needs etcd.ca_file";
  }
  if (etcd.cert_file.empty() != etcd.key_file.empty()) {
    return "etcd.cert_file and etcd.key_file go together";
  }
  return "";
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
  const std::vector<std::string> transports = {"nfs", "p2p", "swarm", "aria2", "ssh"};
  for (const std::string& name : config.transport.enabled) {
    if (std::find(transports.begin(), transports.end(), name) != transports.end()) continue;
    return "transport.enabled: there is no transport '" + name + "'" +
           did_you_mean(name, transports);
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
  if (const std::string why = check_announces(config); !why.empty()) return why;
  if (const std::string why = complete_agentless(config); !why.empty()) return why;
  if (node.host.empty()) {
    const bool is_alone = is_on_loopback(node.peer_listen) || overrides.machine_id.empty();
    node.host = is_alone ? node.id.text : overrides.machine_id;
  }
  if (config.coordination != "embedded" && config.coordination != "etcd") {
    return "coordination must be embedded or etcd";
  }
  for (std::string* file : {&config.etcd.ca_file, &config.etcd.cert_file, &config.etcd.key_file}) {
    make_absolute(*file, folder);
  }
  return config.coordination == "etcd" ? why_not(config.etcd) : "";
}

}  // namespace syncline::core
