#include "cli/import_host.hpp"

#include <algorithm>
#include <charconv>

namespace syncline::cli {
namespace {

constexpr const char* kPeerPort = ":8750";

struct KnownKey {
  const char* key;
  const char* why;
};

constexpr const char* kSsh =
    "nodes speak TLS with certificates of the fleet, not SSH; a host that gets no daemon is polled "
    "over SSH by a node that names it in [[agentless]]";
constexpr const char* kJobs = "about running jobs, not about data";

constexpr KnownKey kNoPlace[] = {
    {"ssh_user", kSsh},
    {"ssh_port", kSsh},
    {"ssh_key", kSsh},
    {"ssh_key_path", kSsh},
    {"ssh_options", kSsh},
    {"ssh_transport", kSsh},
    {"cpus", kJobs},
    {"gpu", kJobs},
    {"gpus", kJobs},
    {"gpu_count", kJobs},
    {"gpu_vram_gb", kJobs},
    {"gpu_model", kJobs},
    {"gpu_enabled", kJobs},
    {"memory_gb", kJobs},
    {"max_parallel_jobs", kJobs},
    {"max_selfplay", kJobs},
    {"max_training", kJobs},
    {"selfplay_enabled", kJobs},
    {"training_enabled", kJobs},
    {"cmaes_enabled", kJobs},
    {"gauntlet_enabled", kJobs},
    {"venv_activate", kJobs},
    {"venv_path", kJobs},
    {"python", kJobs},
    {"python_path", kJobs},
    {"worker_port", kJobs},
    {"worker_url", kJobs},
    {"p2p_port", "the peer port is 8750 on every node; change node.peer_listen if it is taken"},
    {"p2p_enabled", "every node is a peer"},
    {"data_server_port", "objects are served by the API's listeners"},
    {"data_server_url", "objects are served by the API's listeners"},
    {"vast_instance_id", "the provider's number of the machine; not needed"},
    {"instance_id", "the provider's number of the machine; not needed"},
    {"instance_type", "not needed"},
    {"cost_per_hour", "not needed"},
    {"sync_priority", "give the collection a priority, or the request"},
    {"notes", "a comment"},
    {"note", "a comment"},
    {"comment", "a comment"},
    {"description", "a comment"},
    {"tags", "a comment"},
};

// What the older system called a host's job -> what it is for.
struct OldRole {
  const char* name;
  std::vector<std::string> roles;
};
const std::vector<OldRole>& old_roles() {
  static const std::vector<OldRole> roles = {
      {"selfplay", {"selfplay"}},
      {"gpu_selfplay", {"selfplay"}},
      {"cpu_selfplay", {"selfplay"}},
      {"ephemeral", {"selfplay"}},
      {"mixed", {"selfplay", "training"}},
      {"training", {"training"}},
      {"nn_training", {"training"}},
      {"nn_training_primary", {"training"}},
      {"training_backbone", {"training"}},
      {"coordinator", {"coordinator"}},
      {"backup", {"backup"}},
      {"storage", {"backup"}},
      {"voter", {"voter"}},
  };
  return roles;
}

std::vector<std::string> scalars_of(const Tree* value) {
  std::vector<std::string> out;
  if (value == nullptr) return out;
  if (value->kind == Tree::Kind::kScalar) out.push_back(value->scalar);
  for (const Tree& item : value->items) out.push_back(item.scalar);
  return out;
}

void read_roles(Section& section, OldHost& host) {
  for (const char* key : {"role", "roles"}) {
    bool is_all_known = true;
    for (const std::string& role : scalars_of(section.tree(key))) {
      const auto& known = old_roles();
      const auto found = std::find_if(known.begin(), known.end(),
                                      [&role](const OldRole& r) { return role == r.name; });
      if (found == known.end()) {
        section.not_understood(key, "'" + role + "' is no role that is known here; set node.roles");
        is_all_known = false;
        continue;
      }
      if (role == "ephemeral") host.is_ephemeral = true;
      host.roles.insert(host.roles.end(), found->roles.begin(), found->roles.end());
    }
    if (is_all_known) section.translated(key, "node.roles");
  }
  for (const char* key : {"p2p_voter", "is_voter"}) {
    if (section.flag(key, "role voter").value_or(false)) host.roles.push_back("voter");
  }
}

bool is_one_of(const std::string& text, const std::vector<const char*>& words) {
  return std::any_of(words.begin(), words.end(), [&text](const char* w) { return text == w; });
}

void read_state(Section& section, OldHost& host) {
  if (const auto status = section.text("status", "a file is written for hosts that are in use")) {
    host.is_in_use = is_one_of(*status, {"", "ready", "active", "online", "enabled", "setup"});
    if (!host.is_in_use) host.why_not = "the host's status is " + *status;
  }
  if (const auto enabled = section.flag("enabled", "a file is written for hosts that are in use")) {
    if (!*enabled) {
      host.is_in_use = false;
      host.why_not = "the host is not enabled";
    }
  }
}

// "user@host" or "host"; the name after the last @.
std::string host_part(const std::string& text) {
  return text.substr(text.rfind('@') == std::string::npos ? 0 : text.rfind('@') + 1);
}

std::string with_port(const std::string& host) {
  if (host.empty()) return "";
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + kPeerPort;
}

void read_address(Section& section, OldHost& host) {
  const bool is_behind_nat =
      section.flag("nat_blocked", "no node.peer_advertise: it dials, nobody dials it")
          .value_or(false);
  const Tree* ssh_port = section.tree("ssh_port");
  const bool is_forwarded = ssh_port != nullptr && ssh_port->scalar != "22";
  for (const char* key : {"ssh_host", "ip", "public_ip", "tailscale_ip"}) {
    if (is_behind_nat) {
      section.not_applicable(key, "it is behind NAT: it dials the others");
    } else if (is_forwarded && key == std::string("ssh_host")) {
      // As spot providers give it: the machine behind it has no address of its own.
      section.not_applicable(key, "it is reached through a forwarded port: it dials the others");
    } else if (const auto value = section.text(key, "node.peer_advertise")) {
      if (!value->empty()) host.address = with_port(host_part(*value));
    }
  }
}

// What those keys become for a node that polls it; for its own daemon they mean nothing.
void read_login(Section& section, OldHost& host) {
  const auto scalar = [&section](const char* key) {
    const Tree* tree = section.tree(key);
    return tree == nullptr ? std::string() : tree->scalar;
  };
  host.ssh_host = scalar("ssh_host");
  for (const char* key : {"ip", "public_ip", "tailscale_ip"}) {
    if (host.ssh_host.empty()) host.ssh_host = scalar(key);
  }
  host.ssh_user = scalar("ssh_user");
  const std::size_t at = host.ssh_host.rfind('@');
  if (at != std::string::npos) {
    if (host.ssh_user.empty()) host.ssh_user = host.ssh_host.substr(0, at);
    host.ssh_host = host_part(host.ssh_host);
  }
  for (const char* key : {"ssh_key_path", "ssh_key"}) {
    if (const std::string path = scalar(key); !path.empty()) host.ssh_key = path;
  }
  const std::string port = scalar("ssh_port");
  std::from_chars(port.data(), port.data() + port.size(), host.ssh_port);
}

void read_storage(Section& section, OldHost& host, Ledger& ledger) {
  for (const char* key : {"ringrift_path", "project_path", "work_dir"}) {
    const auto folder = section.text(key, "put the file there: its relative paths begin there");
    if (folder) host.folder = *folder;
  }
  if (const Tree* paths = section.tree("storage_paths")) {
    Section inside(*paths, section.path_of("storage_paths"), ledger);
    for (const auto& [name, unused] : paths->fields) {
      const std::string collection = collection_called(name);
      if (collection.empty()) {
        inside.not_applicable(name, kNoCollection);
        continue;
      }
      host.roots[collection] = inside.text(name, "root of " + collection).value_or("");
    }
  }
  for (const char* key : {"nfs_group", "nfs_server", "shared_storage", "storage_group"}) {
    if (const auto domain = section.text(key, "node.storage_domain")) host.storage_domain = *domain;
  }
  host.is_refusing_data =
      section.flag("skip_sync_receive", "placement.exclude_nodes of every collection on every node")
          .value_or(false);
  host.uses_external_storage =
      section.flag("use_external_storage", "roots on the external storage of sync_routing")
          .value_or(false);
}

std::string guessed_provider(const std::string& name) {
  for (const char* provider : {"vast", "runpod", "lambda", "nebius", "vultr", "hetzner"}) {
    if (name.starts_with(provider)) return provider;
  }
  return "";
}

void read_machine(Section& section, OldHost& host) {
  for (const char* key : {"provider", "cloud_provider"}) {
    if (const auto provider = section.text(key, "node.provider")) host.provider = *provider;
  }
  if (host.provider.empty()) host.provider = guessed_provider(host.name);
  for (const char* key : {"region", "zone"}) {
    if (const auto zone = section.text(key, "node.zone")) host.zone = *zone;
  }
  for (const char* key : {"ephemeral", "is_ephemeral", "spot", "is_spot"}) {
    if (const auto is_spot = section.flag(key, "node.ephemeral")) host.is_ephemeral = is_spot;
  }
  for (const char* key : {"bandwidth_limit_mbps", "bandwidth_mbps"}) {
    const auto limit = section.number(key, "transport.bandwidth_total_mbps");
    if (limit) host.bandwidth_mbps = limit;
  }
}

}  // namespace

OldHost read_host(const std::string& name, const Tree& map, Ledger& ledger) {
  OldHost host;
  host.name = name;
  Section section(map, "hosts." + name, ledger);
  read_state(section, host);
  if (!host.is_in_use) {
    // One reason for all of it; the status itself is what was understood.
    ledger.note("hosts." + name, Fate::kNotApplicable, host.why_not);
    return host;
  }
  read_roles(section, host);
  read_address(section, host);
  read_login(section, host);
  read_storage(section, host, ledger);
  read_machine(section, host);
  for (const KnownKey& known : kNoPlace) section.not_applicable(known.key, known.why);
  return host;
}

}  // namespace syncline::cli
