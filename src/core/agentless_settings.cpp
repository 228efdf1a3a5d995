#include <algorithm>
#include <set>

#include "core/nearest.hpp"
#include "core/settings_table.hpp"

namespace syncline::core {

const std::vector<AgentlessSetting>& agentless_settings() {
  using Ref = AgentlessFieldRef;
  static const std::vector<AgentlessSetting> kSettings = {
      {"name", "", "what it is called here", [](AgentlessConfig& h) -> Ref { return &h.name; }},
      {"host", "", "address to log in at", [](AgentlessConfig& h) -> Ref { return &h.host; }},
      {"user", "", "to log in as; empty: that of [ssh]",
       [](AgentlessConfig& h) -> Ref { return &h.user; }},
      {"port", "", "0: that of [ssh]", [](AgentlessConfig& h) -> Ref { return &h.port; }, 0.0,
       65535.0},
      {"key_file", "path", "private key without a passphrase; empty: that of [ssh]",
       [](AgentlessConfig& h) -> Ref { return &h.key_file; }},
      {"known_hosts_file", "path", "hosts that are not in it are refused; empty: that of [ssh]",
       [](AgentlessConfig& h) -> Ref { return &h.known_hosts_file; }},
      {"collect", "",
       "collection = absolute folder there, polled: databases are copied whole and consistent "
       "(needs sqlite3 there) and read here; files are taken once they have settled",
       [](AgentlessConfig& h) -> Ref { return &h.collect; }},
      {"deliver", "", "collection of kind files = absolute folder there that is given its files",
       [](AgentlessConfig& h) -> Ref { return &h.deliver; }},
      {"every_s", "s", "between two looks; lower: fresher, more logins",
       [](AgentlessConfig& h) -> Ref { return &h.every_s; }, 1.0, 86400.0},
      {"pause_max_s", "s", "between two tries of a host that does not answer, at most",
       [](AgentlessConfig& h) -> Ref { return &h.pause_max_s; }, 1.0, 86400.0},
      {"bandwidth_mbps", "MB/s", "0 = unlimited",
       [](AgentlessConfig& h) -> Ref { return &h.bandwidth_mbps; }, 0.0, 100000.0},
      {"temporary_folder", "path", "there, with room for a copy of the largest database",
       [](AgentlessConfig& h) -> Ref { return &h.temporary_folder; }},
  };
  return kSettings;
}

namespace {

std::string why_not(const std::map<std::string, std::string>& folders, bool is_delivery,
                    Config& config) {
  std::vector<std::string> names;
  for (const CollectionConfig& collection : config.collections) {
    names.push_back(collection.name.text);
  }
  for (const auto& [name, folder] : folders) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) {
      return "there is no collection '" + name + "'" + did_you_mean(name, names);
    }
    CollectionConfig& collection = config.collections[static_cast<std::size_t>(at - names.begin())];
    if (folder.empty() || folder.front() != '/') {
      return "the folder of " + name + " must be absolute";
    }
    if (is_delivery && collection.kind != Kind::kFiles) {
      return "only files are delivered: " + name +
             " is rows of databases, which programs there may have open";
    }
    if (!is_delivery) collection.is_collected = true;
  }
  return "";
}

}  // namespace

std::string complete_agentless(Config& config) {
  std::set<NodeId> names;
  for (AgentlessConfig& host : config.agentless) {
    if (host.name.empty()) return "an [[agentless]] host needs a name";
    const std::string about = "agentless host " + host.name.text + ": ";
    if (host.name == config.node.id) return about + "that is this node's own name";
    if (!names.insert(host.name).second) return about + "it stands twice";
    if (host.host.empty()) return about + "it needs `host`, the address to log in at";
    if (host.user.empty()) host.user = config.ssh.user;
    if (host.port == 0) host.port = config.ssh.port;
    if (host.key_file.empty()) host.key_file = config.ssh.key_file;
    if (host.known_hosts_file.empty()) host.known_hosts_file = config.ssh.known_hosts_file;
    if (host.key_file.empty()) return about + "it needs `key_file`, or one in [ssh]";
    if (host.known_hosts_file.empty()) {
      return about +
             "it needs `known_hosts_file`, or one in [ssh]: without it no host could be "
             "told from another";
    }
    if (host.collect.empty() && host.deliver.empty()) {
      return about + "it needs `collect` or `deliver`: which collections, and where they lie there";
    }
    if (const std::string why = why_not(host.collect, false, config); !why.empty()) {
      return about + why;
    }
    if (const std::string why = why_not(host.deliver, true, config); !why.empty()) {
      return about + why;
    }
  }
  return "";
}

}  // namespace syncline::core
