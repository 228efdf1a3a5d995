#include "cli/import_hosts.hpp"

#include <algorithm>

#include "cli/import_host.hpp"
#include "cli/import_policy.hpp"
#include "core/text.hpp"

namespace syncline::cli {
namespace {

constexpr std::size_t kSeedsMax = 3;

bool has_role(const OldHost& host, const std::string& role) {
  return std::find(host.roles.begin(), host.roles.end(), role) != host.roles.end();
}

void add_role(OldHost& host, const std::string& role) {
  if (!has_role(host, role)) host.roles.push_back(role);
}

core::CollectionConfig collection_named(const std::string& name) {
  core::CollectionConfig c;
  c.name = core::CollectionName(name);
  if (name == "games") {
    c.kind = core::Kind::kSqlite;
    c.root = "data/games";
    c.include = {"**/*.db"};
    c.replica = "data/replica/games.db";
    c.unit = "games";
    c.complete_when = "completed_at IS NOT NULL";
    c.config_key = {"board_type", "num_players"};
    c.priority = core::Priority::kHigh;
    c.placement.roles = {"training", "backup", "coordinator"};
  } else if (name == "models") {
    c.root = "models";
    c.include = {"**/*.pth"};
    c.priority = core::Priority::kHigh;
  } else if (name == "npz") {
    c.root = "data/training";
    c.include = {"**/*.npz"};
    c.priority = core::Priority::kLow;
    c.placement.roles = {"training", "backup", "coordinator"};
  } else if (name == "elo") {
    c.kind = core::Kind::kSqlite;
    c.root = "data";
    c.include = {"unified_elo.db"};
    c.replica = "data/replica/unified_elo.db";
    auto& matches = c.tables["match_history"];
    for (const char* side : {"a", "b"}) {
      const std::string kept = std::string("participant_") + side;
      matches.aliases[std::string("model_") + side] = kept;
      matches.aliases[std::string("model_") + side + "_id"] = kept;
    }
    c.derive.by = "elo";
    c.tables[c.derive.ratings].rule = core::MergeRule::kDerived;
    c.tables["rating_history"].rule = core::MergeRule::kDerived;
    c.freshness_target_s = 300;
  } else {
    c.kind = core::Kind::kSqlite;
    c.root = "data";
    c.include = {"model_registry.db"};
    c.replica = "data/replica/model_registry.db";
    for (const char* table : {"models", "versions"}) {
      c.tables[table].rule = core::MergeRule::kLatest;
      c.tables[table].latest_by = "updated_at";
    }
    c.announces = {"versions", "file_path", "models"};
    c.freshness_target_s = 300;
  }
  return c;
}

std::string file_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

void place(core::CollectionConfig& c, const OldHost& host, const FleetPolicy& policy) {
  const std::string& name = c.name.text;
  // The replica stays on the node's own disk: shared storage is no place for a live database.
  const auto own = host.roots.find(name);
  if (own != host.roots.end() && !own->second.empty()) c.root = own->second;
  for (const ExternalStorage& storage : policy.external) {
    if (storage.host != host.name) continue;
    const auto folder = storage.subfolders.find(name);
    if (folder != storage.subfolders.end()) c.root = storage.path + "/" + folder->second;
    // An external disk is there because the node's own is small.
    if (!c.replica.empty()) c.replica = storage.path + "/replica/" + file_part(c.replica);
  }
  const auto excluded = policy.excluded.find(name);
  if (excluded != policy.excluded.end()) {
    c.placement.exclude_nodes.assign(excluded->second.begin(), excluded->second.end());
  }
  if (policy.copies) c.copies = std::max(1, static_cast<int>(*policy.copies));
  if (policy.poll_s && c.kind == core::Kind::kSqlite) {
    c.poll_ms = static_cast<std::int64_t>(*policy.poll_s * 1000);
  }
  if (name == "games" && policy.strategy) c.strategy = *policy.strategy;
  if (name == "elo" && policy.elo_target_s) {
    c.freshness_target_s = static_cast<std::int64_t>(*policy.elo_target_s);
  }
}

std::string domain_of(const OldHost& host, const FleetPolicy& policy) {
  if (!host.storage_domain.empty()) return host.storage_domain;
  for (const auto& group : policy.storage_groups) {
    if (core::any_glob_matches(group, host.name)) return "nfs-" + group.front();
  }
  return "";
}

void set_limits(core::Config& config, const OldHost& host, const FleetPolicy& policy) {
  const auto set = [](auto& into, const std::optional<double>& value, double scale = 1) {
    if (value) into = static_cast<std::decay_t<decltype(into)>>(*value * scale);
  };
  set(config.disk.used_max_percent, policy.disk_used_max_percent);
  set(config.disk.used_target_percent, policy.disk_used_target_percent);
  set(config.disk.free_min_percent, policy.disk_free_min_percent);
  set(config.gossip.interval_ms, policy.gossip_interval_s, 1000);
  set(config.transport.jobs_max, policy.jobs_max);
  set(config.transport.bandwidth_total_mbps, policy.bandwidth_mbps);
  for (const auto& [glob, limit] : policy.bandwidth_globs) {
    if (!core::glob_matches(glob, host.name)) continue;
    config.transport.bandwidth_total_mbps = limit;
    break;
  }
  set(config.transport.bandwidth_total_mbps, host.bandwidth_mbps);
  // As many other domains as there shall be copies beside the first.
  if (policy.copies) config.durability.acks = std::max(1, static_cast<int>(*policy.copies) - 1);
}

core::Config config_of(const OldHost& host, const FleetPolicy& policy,
                       const std::vector<std::string>& seeds) {
  core::Config config;
  config.node.id = core::NodeId(host.name);
  config.node.roles = host.roles;
  config.node.provider = host.provider;
  config.node.zone = host.zone;
  config.node.peer_advertise = host.address;
  config.node.storage_domain = domain_of(host, policy);
  for (const std::string& seed : seeds) {
    if (seed != host.address && config.node.seeds.size() < kSeedsMax) {
      config.node.seeds.push_back(seed);
    }
  }
  const bool matches_glob = core::any_glob_matches(policy.ephemeral_globs, host.name);
  if (host.is_ephemeral.value_or(matches_glob)) config.node.ephemeral = core::Tristate::kTrue;
  if (host.is_ephemeral && !*host.is_ephemeral) config.node.ephemeral = core::Tristate::kFalse;
  set_limits(config, host, policy);
  for (const std::string& name : old_collections()) {
    auto c = collection_named(name);
    place(c, host, policy);
    config.collections.push_back(std::move(c));
  }
  return config;
}

// Those that others can reach and that stay, voters and coordinators first.
std::vector<std::string> seeds_of(const std::vector<OldHost>& hosts, const FleetPolicy& policy) {
  std::vector<const OldHost*> candidates;
  for (const OldHost& host : hosts) {
    const bool is_spot =
        host.is_ephemeral.value_or(core::any_glob_matches(policy.ephemeral_globs, host.name));
    if (!host.address.empty() && !is_spot) candidates.push_back(&host);
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const OldHost* a, const OldHost* b) {
    const auto rank = [](const OldHost* h) {
      return has_role(*h, "coordinator") || has_role(*h, "voter") ? 0 : 1;
    };
    return rank(a) < rank(b);
  });
  std::vector<std::string> seeds;
  for (const OldHost* host : candidates) {
    if (seeds.size() <= kSeedsMax) seeds.push_back(host->address);
  }
  return seeds;
}

bool is_node_name(const std::string& name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), is_plain);
}

// "~/x" of a user there; empty where nobody knows whose home that is.
std::string absolute_there(const std::string& path, const std::string& user) {
  if (!path.starts_with("~/")) return path.starts_with("/") ? path : "";
  if (user.empty()) return "";
  return (user == "root" ? "/root" : "/home/" + user) + path.substr(1);
}

std::string folder_there(const OldHost& host, const core::CollectionConfig& collection) {
  const auto own = host.roots.find(collection.name.text);
  std::string root = own != host.roots.end() && !own->second.empty() ? own->second : "";
  if (root.empty() && !host.folder.empty()) {
    root = host.folder + "/" + collection_named(collection.name.text).root;
  }
  return absolute_there(root, host.ssh_user);
}

// What lies on the other hosts is polled; nothing is given to them.
void poll_others(core::Config& config, const std::vector<OldHost>& hosts,
                 const ImportOptions& options, std::vector<std::string>& unpolled) {
  config.node.seeds.clear();
  config.ssh.known_hosts_file = "known_hosts";
  for (const OldHost& host : hosts) {
    if (host.name == config.node.id.text) continue;
    core::AgentlessConfig one;
    one.name = core::NodeId(host.name);
    one.host = host.ssh_host;
    one.user = host.ssh_user;
    one.port = host.ssh_port;
    one.key_file =
        host.ssh_key.starts_with("~/") ? options.home + host.ssh_key.substr(1) : host.ssh_key;
    for (const core::CollectionConfig& collection : config.collections) {
      const std::string folder = folder_there(host, collection);
      if (!folder.empty()) one.collect[collection.name.text] = folder;
    }
    if (one.host.empty() || one.collect.empty() || one.key_file.empty()) {
      unpolled.push_back(host.name + ": " +
                         (one.host.empty()       ? "it has no ssh_host"
                          : one.key_file.empty() ? "it has no ssh_key"
                                                 : "its folders are not known: give it "
                                                   "ringrift_path or storage_paths, absolute, or "
                                                   "ssh_user"));
      continue;
    }
    config.agentless.push_back(std::move(one));
  }
}

}  // namespace

std::size_t Import::count(Fate fate) const {
  return static_cast<std::size_t>(
      std::count_if(notes.begin(), notes.end(), [fate](const Note& n) { return n.fate == fate; }));
}

core::Result<Import> import_hosts(const Tree& document, const ImportOptions& options) {
  const Tree* map = document.find("hosts");
  if (map == nullptr || map->kind != Tree::Kind::kMap) {
    return core::Error{core::ErrorKind::kInvalid,
                       "there is no section 'hosts'; is this a distributed_hosts.yaml?", ""};
  }
  Ledger ledger(document);
  FleetPolicy policy = read_policy(document, ledger);
  std::vector<OldHost> hosts;
  for (const auto& [name, tree] : map->fields) {
    if (!is_node_name(name)) {
      return core::Error{core::ErrorKind::kInvalid,
                         "a host's name must be 1 to 64 letters, digits, '.', '_' or '-'", name};
    }
    OldHost host = read_host(name, tree, ledger);
    if (!host.is_in_use) continue;
    const bool has_other_disk = host.uses_external_storage && policy.has_external_storage(name);
    if (host.is_refusing_data && !has_other_disk) {
      for (const std::string& c : old_collections()) policy.excluded[c].insert(name);
    }
    const auto& voters = policy.voters;
    if (std::find(voters.begin(), voters.end(), name) != voters.end()) add_role(host, "voter");
    if (policy.elo_coordinator == name) add_role(host, "coordinator");
    std::sort(host.roles.begin(), host.roles.end());
    host.roles.erase(std::unique(host.roles.begin(), host.roles.end()), host.roles.end());
    hosts.push_back(std::move(host));
  }
  Import out;
  const auto seeds = seeds_of(hosts, policy);
  for (const OldHost& host : hosts) {
    if (!options.poll_by.empty() && host.name != options.poll_by) continue;
    out.hosts.push_back({host.name, config_of(host, policy, seeds), host.folder});
  }
  if (!options.poll_by.empty()) {
    if (out.hosts.empty()) {
      return core::Error{core::ErrorKind::kInvalid, "there is no such host in use to poll by",
                         options.poll_by};
    }
    poll_others(out.hosts.front().config, hosts, options, out.unpolled);
  }
  out.notes = ledger.notes();
  return out;
}

std::string report_of(const Import& import) {
  const std::pair<Fate, const char*> groups[] = {
      {Fate::kNotUnderstood, "Not understood: nothing was made of these; look at each"},
      {Fate::kNotApplicable, "Not applicable: Syncline needs nothing in their place"},
      {Fate::kTranslated, "Translated"}};
  std::string out = core::say_count(import.hosts.size(), "host") + ", " +
                    core::say_count(import.notes.size(), "setting") + ": " +
                    std::to_string(import.count(Fate::kTranslated)) + " translated, " +
                    std::to_string(import.count(Fate::kNotApplicable)) + " not applicable, " +
                    std::to_string(import.count(Fate::kNotUnderstood)) + " not understood.\n";
  for (const auto& [fate, title] : groups) {
    if (import.count(fate) == 0) continue;
    out += "\n" + std::string(title) + "\n";
    for (const Note& note : import.notes) {
      if (note.fate == fate)
        out += "  " + note.path + " = " + note.value + "  → " + note.text + "\n";
    }
  }
  if (!import.unpolled.empty()) out += "\nHosts that are not polled\n";
  for (const std::string& line : import.unpolled) out += "  " + line + "\n";
  out += "\nWhere each file goes\n";
  for (const ImportedHost& host : import.hosts) {
    out += "  " + host.name + ".toml  → " +
           (host.folder.empty() ? "a folder of your choice" : host.folder) + "/syncline.toml on " +
           host.name + "\n";
  }
  return out;
}

}  // namespace syncline::cli
