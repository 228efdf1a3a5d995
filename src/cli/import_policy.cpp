#include "cli/import_policy.hpp"

#include <algorithm>

namespace syncline::cli {
namespace {

constexpr const char* kExcluded = "placement.exclude_nodes of the collections";

struct KnownKey {
  const char* key;
  const char* why;
};

void exclude_everywhere(FleetPolicy& policy, const std::vector<std::string>& hosts) {
  for (const std::string& collection : old_collections()) {
    policy.excluded[collection].insert(hosts.begin(), hosts.end());
  }
}

// Either a name, or {name: …, receive_games: false, receive_npz: …, receive_models: …}.
void read_excluded_hosts(Section& section, const std::string& key, FleetPolicy& policy,
                         Ledger& ledger) {
  const Tree* value = section.tree(key);
  if (value == nullptr) return;
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const Tree& item = value->items[i];
    const std::string path = section.path_of(key) + "[" + std::to_string(i) + "]";
    if (item.kind == Tree::Kind::kScalar) {
      exclude_everywhere(policy, {item.scalar});
      continue;
    }
    Section entry(item, path, ledger);
    const char* name_key = entry.has("name") ? "name" : "host";
    const auto name = entry.text(name_key, kExcluded);
    if (!name) continue;
    if (entry.has("reason")) entry.not_applicable("reason", "a comment");
    bool names_a_type = false;
    for (const char* type : {"games", "npz", "models"}) {
      const std::string receive = std::string("receive_") + type;
      if (!entry.has(receive)) continue;
      names_a_type = true;
      if (!entry.flag(receive, kExcluded).value_or(true)) policy.excluded[type].insert(*name);
    }
    if (!names_a_type) exclude_everywhere(policy, {*name});
  }
  section.translated(key, kExcluded);
}

void read_external_storage(Section& section, FleetPolicy& policy, Ledger& ledger) {
  const Tree* value = section.tree("allowed_external_storage");
  if (value == nullptr) return;
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const std::string path =
        section.path_of("allowed_external_storage") + "[" + std::to_string(i) + "]";
    Section entry(value->items[i], path, ledger);
    ExternalStorage storage;
    storage.host = entry.text("host", "the host whose collections lie there").value_or("");
    storage.path = entry.text("path", "root and replica of that host's collections").value_or("");
    if (const Tree* folders = entry.tree("subdirs")) {
      Section inside(*folders, entry.path_of("subdirs"), ledger);
      for (const auto& [name, unused] : folders->fields) {
        const std::string collection = collection_called(name);
        if (collection.empty()) {
          inside.not_applicable(name, kNoCollection);
          continue;
        }
        const auto folder = inside.text(name, "root of " + collection + " there");
        storage.subfolders[collection] = folder.value_or("");
      }
    }
    for (const char* type : {"games", "npz", "models"}) {
      const auto receives = entry.flag(std::string("receive_") + type, kExcluded);
      if (receives && !*receives) policy.excluded[type].insert(storage.host);
    }
    if (entry.has("schedule")) {
      entry.not_applicable("schedule", "data goes there when it appears, not on a schedule");
    }
    policy.external.push_back(storage);
  }
}

void read_groups(Section& section, FleetPolicy& policy) {
  const Tree* value = section.tree("nfs_sharing_groups");
  if (value == nullptr) return;
  for (const Tree& group : value->items) {
    std::vector<std::string> hosts;
    for (const Tree& host : group.items) hosts.push_back(host.scalar);
    policy.storage_groups.push_back(hosts);
  }
  for (const auto& [name, group] : value->fields) {
    std::vector<std::string> hosts;
    for (const Tree& host : group.items) hosts.push_back(host.scalar);
    policy.storage_groups.push_back(hosts);
  }
  section.translated("nfs_sharing_groups", "node.storage_domain: one export counts as one copy");
}

void read_routing(Section& section, FleetPolicy& policy, Ledger& ledger) {
  policy.disk_used_max_percent = section.number("max_disk_usage_percent", "disk.used_max_percent");
  policy.disk_used_target_percent =
      section.number("target_disk_usage_percent", "disk.used_target_percent");
  policy.disk_free_min_percent = section.number("min_free_disk_percent", "disk.free_min_percent");
  policy.copies = section.number("replication_target", "copies of every collection");
  read_excluded_hosts(section, "excluded_hosts", policy, ledger);
  exclude_everywhere(policy, section.list("exclude_from_sync", kExcluded));
  policy.ephemeral_globs =
      section.list("ephemeral_hosts", "node.ephemeral of the hosts that match");
  read_external_storage(section, policy, ledger);
  read_groups(section, policy);
  constexpr KnownKey kNoPlace[] = {
      {"priority_hosts",
       "the router prefers hosts by what they need and have; see 'syncline route'"},
      {"underserved_configs", "freshness per config key decides; see 'syncline freshness'"},
  };
  for (const KnownKey& known : kNoPlace) section.not_applicable(known.key, known.why);
}

void read_strategy(Section& section, FleetPolicy& policy) {
  const auto text = section.text("strategy", "strategy of games");
  if (!text) return;
  policy.strategy = core::parse_strategy(*text);
  if (!policy.strategy) {
    section.not_understood("strategy",
                           "'" + *text + "' is none of auto, hybrid, broadcast, ephemeral, pull");
  }
}

// These stood in auto_sync, and in sync_routing in some versions of the file.
void read_pace(Section& section, FleetPolicy& policy, Ledger&) {
  const auto take = [&section](std::optional<double>& into, const char* key, const char* becomes) {
    if (const auto number = section.number(key, becomes)) into = number;
  };
  take(policy.poll_s, "interval_seconds", "poll_ms of the sqlite collections");
  take(policy.poll_s, "auto_sync_interval_seconds", "poll_ms of the sqlite collections");
  take(policy.gossip_interval_s, "gossip_interval_seconds", "gossip.interval_ms");
  take(policy.jobs_max, "max_concurrent_syncs", "transport.jobs_max");
  take(policy.bandwidth_mbps, "bandwidth_limit_mbps", "transport.bandwidth_total_mbps");
  exclude_everywhere(policy, section.list("exclude_hosts", kExcluded));
  const auto overrides = section.numbers("host_bandwidth_overrides",
                                         "transport.bandwidth_total_mbps of the hosts that match");
  policy.bandwidth_globs.insert(policy.bandwidth_globs.end(), overrides.begin(), overrides.end());
  read_strategy(section, policy);
  constexpr KnownKey kNoPlace[] = {
      {"enabled", "a daemon that runs syncs; leave a collection out of the file to stop it"},
      {"skip_nfs_sync",
       "shared exports are recognised; nothing moves between hosts that share one"},
      {"min_games_to_sync", "every game travels as soon as it is complete"},
  };
  for (const KnownKey& known : kNoPlace) section.not_applicable(known.key, known.why);
}

void read_elo(Section& section, FleetPolicy& policy) {
  policy.elo_coordinator =
      section.text("coordinator", "role coordinator of that host").value_or("");
  policy.elo_target_s = section.number("sync_interval", "freshness_target_s of elo");
  constexpr KnownKey kNoPlace[] = {
      {"sync_port", "everything goes over the one peer port"},
      {"divergence_threshold", "fingerprints show any difference; see 'syncline verify elo'"},
      {"transports", "the transport is chosen per transfer; see 'syncline route elo --explain'"},
      {"enabled", "elo is a collection like the others"},
  };
  for (const KnownKey& known : kNoPlace) section.not_applicable(known.key, known.why);
}

std::optional<Section> section_of(const Tree& document, const std::string& name, Ledger& ledger) {
  const Tree* tree = document.find(name);
  if (tree == nullptr || tree->kind != Tree::Kind::kMap) return std::nullopt;
  return Section(*tree, name, ledger);
}

}  // namespace

const std::vector<std::string>& old_collections() {
  static const std::vector<std::string> names = {"games", "models", "npz", "elo", "registry"};
  return names;
}

std::string collection_called(const std::string& name) {
  static const std::map<std::string, std::string> kNames = {
      {"games", "games"},       {"selfplay", "games"},
      {"models", "models"},     {"npz", "npz"},
      {"training", "npz"},      {"training_data", "npz"},
      {"elo", "elo"},           {"elo_db", "elo"},
      {"registry", "registry"}, {"model_registry", "registry"}};
  const auto found = kNames.find(name);
  return found == kNames.end() ? "" : found->second;
}

bool FleetPolicy::has_external_storage(const std::string& host) const {
  return std::any_of(external.begin(), external.end(),
                     [&host](const ExternalStorage& storage) { return storage.host == host; });
}

FleetPolicy read_policy(const Tree& document, Ledger& ledger) {
  FleetPolicy policy;
  if (auto section = section_of(document, "sync_routing", ledger)) {
    read_routing(*section, policy, ledger);
    read_pace(*section, policy, ledger);
  }
  if (auto section = section_of(document, "auto_sync", ledger)) read_pace(*section, policy, ledger);
  if (auto section = section_of(document, "elo_sync", ledger)) read_elo(*section, policy);
  if (const Tree* voters = document.find("p2p_voters")) {
    for (const Tree& voter : voters->items) policy.voters.push_back(voter.scalar);
    ledger.note("p2p_voters", Fate::kTranslated, "role voter of these hosts, and node.seeds");
  }
  ledger.note("board_configs", Fate::kNotApplicable, "rules of games, not of their data");
  return policy;
}

}  // namespace syncline::cli
