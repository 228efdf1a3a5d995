// distributed_hosts.yaml: every setting translated, or named.
#include "cli/import_hosts.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::cli {
namespace {

constexpr const char* kHosts = R"(
sync_routing:
  max_disk_usage_percent: 80
  target_disk_usage_percent: 55
  min_free_disk_percent: 10
  replication_target: 3
  excluded_hosts:
    - dev-box
    - name: home
      receive_npz: false
      reason: small disk
  priority_hosts: [trainer-1]
  underserved_configs: [hex8_4p]
  ephemeral_hosts: ['vast-*']
  nfs_sharing_groups:
    - [lambda-a, lambda-b]
  allowed_external_storage:
    - host: home
      path: /Volumes/Data
      receive_games: true
      subdirs: {games: selfplay, models: canonical, videos: clips}
auto_sync:
  enabled: true
  interval_seconds: 90
  gossip_interval_seconds: 15
  max_concurrent_syncs: 6
  min_games_to_sync: 10
  strategy: broadcast
  bandwidth_limit_mbps: 100
  exclude_hosts: [idle-1]
  host_bandwidth_overrides:
    'vast-*': 50
    'lambda-?': 80
elo_sync:
  coordinator: home
  sync_port: 8766
  sync_interval: 300
  divergence_threshold: 50
  transports: [tailscale, aria2]
p2p_voters: [home, lambda-a]
hosts:
  home:
    ssh_host: me@192.168.1.20
    tailscale_ip: 100.64.0.1
    role: coordinator
    status: ready
    ringrift_path: ~/project/ai-service
    skip_sync_receive: true
    use_external_storage: true
    gpu: M3
  lambda-a:
    ssh_host: ubuntu@10.0.0.4
    role: nn_training_primary
    storage_paths: {games: /lambda/nfs/games, npz: /lambda/nfs/npz, logs: /var/log}
  lambda-b:
    ssh_host: 10.0.0.5
    ssh_port: 22
    role: mixed
    p2p_voter: true
    zone: us-east
  vast-77:
    ssh_host: ssh5.vast.ai
    ssh_port: 14398
    ssh_user: root
    ssh_key: ~/.ssh/vast
    role: gpu_selfplay
    nat_blocked: true
  tank:
    ssh_host: 10.0.0.9
    role: backup
    skip_sync_receive: true
  old-1:
    status: terminated
    ssh_host: 10.0.0.77
    role: whatever
)";

class ImportTest : public testing::Test {
 protected:
  void read(const std::string& text) {
    const auto document = parse_yaml(text);
    ASSERT_TRUE(document.ok()) << core::to_string(document.error());
    auto import = import_hosts(*document);
    ASSERT_TRUE(import.ok()) << core::to_string(import.error());
    import_ = std::move(*import);
  }
  const core::Config& host(const std::string& name) const {
    for (const auto& host : import_.hosts) {
      if (host.name == name) return host.config;
    }
    throw std::runtime_error("no host " + name);
  }
  static const core::CollectionConfig& collection(const core::Config& config,
                                                  const std::string& name) {
    for (const auto& c : config.collections) {
      if (c.name.text == name) return c;
    }
    throw std::runtime_error("no collection " + name);
  }
  Note note(const std::string& path) const {
    for (const Note& n : import_.notes) {
      if (n.path == path) return n;
    }
    return {"", "", Fate::kNotUnderstood, "no such path: " + path};
  }
  Import import_;
};

using Names = std::vector<std::string>;

TEST_F(ImportTest, translates_roles_addresses_and_seeds) {
  read(kHosts);
  ASSERT_EQ(import_.hosts.size(), 5u);
  EXPECT_EQ(host("home").node.roles, (Names{"coordinator", "voter"}));
  EXPECT_EQ(host("home").node.peer_advertise, "100.64.0.1:8750");
  EXPECT_EQ(host("lambda-a").node.roles, (Names{"training", "voter"}));
  EXPECT_EQ(host("lambda-a").node.peer_advertise, "10.0.0.4:8750");
  EXPECT_EQ(host("lambda-b").node.roles, (Names{"selfplay", "training", "voter"}));
  EXPECT_EQ(host("lambda-b").node.zone, "us-east");
  EXPECT_EQ(host("vast-77").node.peer_advertise, "");
  EXPECT_EQ(host("vast-77").node.provider, "vast");
  EXPECT_EQ(host("vast-77").node.ephemeral, core::Tristate::kTrue);
  EXPECT_EQ(host("vast-77").node.seeds,
            (Names{"100.64.0.1:8750", "10.0.0.4:8750", "10.0.0.5:8750"}));
  EXPECT_EQ(host("home").node.seeds, (Names{"10.0.0.4:8750", "10.0.0.5:8750", "10.0.0.9:8750"}));
}

TEST_F(ImportTest, translates_limits_copies_and_bandwidth_by_glob) {
  read(kHosts);
  const auto& home = host("home");
  EXPECT_EQ(home.disk.used_max_percent, 80);
  EXPECT_EQ(home.disk.used_target_percent, 55);
  EXPECT_EQ(home.disk.free_min_percent, 10);
  EXPECT_EQ(home.gossip.interval_ms, 15000);
  EXPECT_EQ(home.transport.jobs_max, 6);
  EXPECT_EQ(home.transport.bandwidth_total_mbps, 100);
  EXPECT_EQ(host("vast-77").transport.bandwidth_total_mbps, 50);
  EXPECT_EQ(host("lambda-a").transport.bandwidth_total_mbps, 80);
  EXPECT_EQ(home.durability.acks, 2);
  EXPECT_EQ(collection(home, "games").copies, 3);
  EXPECT_EQ(collection(home, "games").poll_ms, 90000);
  EXPECT_EQ(collection(home, "elo").freshness_target_s, 300);
}

TEST_F(ImportTest, enforces_who_must_not_receive_on_every_node) {
  read(kHosts);
  for (const auto& imported : import_.hosts) {
    EXPECT_EQ(collection(imported.config, "games").placement.exclude_nodes,
              (Names{"dev-box", "idle-1", "tank"}))
        << imported.name;
    EXPECT_EQ(collection(imported.config, "npz").placement.exclude_nodes,
              (Names{"dev-box", "home", "idle-1", "tank"}))
        << imported.name;
  }
}

TEST_F(ImportTest, translates_storage_shared_and_external) {
  read(kHosts);
  EXPECT_EQ(host("lambda-a").node.storage_domain, host("lambda-b").node.storage_domain);
  EXPECT_EQ(host("lambda-a").node.storage_domain, "nfs-lambda-a");
  EXPECT_EQ(host("home").node.storage_domain, "");
  EXPECT_EQ(collection(host("lambda-a"), "games").root, "/lambda/nfs/games");
  EXPECT_EQ(collection(host("lambda-a"), "games").replica, "data/replica/games.db");
  EXPECT_EQ(collection(host("lambda-a"), "npz").root, "/lambda/nfs/npz");
  EXPECT_EQ(collection(host("home"), "games").root, "/Volumes/Data/selfplay");
  EXPECT_EQ(collection(host("home"), "games").replica, "/Volumes/Data/replica/games.db");
  EXPECT_EQ(collection(host("home"), "models").root, "/Volumes/Data/canonical");
  EXPECT_EQ(collection(host("home"), "npz").root, "data/training");
  EXPECT_EQ(collection(host("vast-77"), "games").root, "data/games");
}

TEST_F(ImportTest, speaks_for_every_setting_of_the_file) {
  read(kHosts);
  for (const Note& note : import_.notes) {
    EXPECT_NE(note.fate, Fate::kNotUnderstood) << note.path << ": " << note.text;
    EXPECT_FALSE(note.text.empty()) << note.path;
  }
  EXPECT_EQ(note("hosts.home.gpu").fate, Fate::kNotApplicable);
  EXPECT_EQ(note("hosts.old-1.ssh_host").text, "the host's status is terminated");
  EXPECT_EQ(note("hosts.lambda-a.storage_paths.logs").fate, Fate::kNotApplicable);
  EXPECT_EQ(note("hosts.vast-77.ssh_host").fate, Fate::kNotApplicable);
  EXPECT_EQ(note("sync_routing.allowed_external_storage[0].subdirs.videos").fate,
            Fate::kNotApplicable);
  EXPECT_EQ(note("sync_routing.excluded_hosts[1].receive_npz").fate, Fate::kTranslated);
  const std::string report = report_of(import_);
  for (const Note& note : import_.notes) {
    EXPECT_NE(report.find("  " + note.path + " = "), std::string::npos) << note.path;
  }
}

TEST_F(ImportTest, keeps_out_of_the_address_what_is_behind_nat) {
  read("hosts: {a: {nat_blocked: true, ssh_host: 10.0.0.1, tailscale_ip: 100.64.0.9}}");
  EXPECT_EQ(host("a").node.peer_advertise, "");
  for (const char* key : {"ssh_host", "tailscale_ip"}) {
    EXPECT_EQ(note(std::string("hosts.a.") + key).fate, Fate::kNotApplicable) << key;
  }
  EXPECT_EQ(note("hosts.a.nat_blocked").fate, Fate::kTranslated);
}

TEST_F(ImportTest, takes_the_strategy_for_games_and_the_role_of_a_spot_host_for_what_it_is) {
  read("auto_sync: {strategy: pull}\nhosts: {a: {role: ephemeral}, b: {role: training}}");
  EXPECT_EQ(collection(host("a"), "games").strategy, core::StrategyName::kPull);
  EXPECT_EQ(collection(host("a"), "models").strategy, core::StrategyName::kAuto);
  EXPECT_EQ(host("a").node.ephemeral, core::Tristate::kTrue);
  EXPECT_EQ(host("b").node.ephemeral, core::Tristate::kAuto);
  read("auto_sync: {strategy: hope}\nhosts: {a: {}}");
  EXPECT_NE(note("auto_sync.strategy").text.find("'hope'"), std::string::npos);
}

TEST_F(ImportTest, excludes_a_host_whose_external_storage_is_nowhere_described) {
  read("hosts: {a: {skip_sync_receive: true, use_external_storage: true}, b: {}}");
  EXPECT_EQ(collection(host("b"), "games").placement.exclude_nodes, (Names{"a"}));
}

TEST_F(ImportTest, names_what_it_does_not_understand) {
  read(
      "hosts:\n  a: {role: wizard, colour: blue, gpu: x}\nmoods: {a: 1}\n"
      "auto_sync: {interval_seconds: often}\n");
  EXPECT_EQ(import_.count(Fate::kNotUnderstood), 4u);
  EXPECT_EQ(note("hosts.a.colour").fate, Fate::kNotUnderstood);
  EXPECT_EQ(note("moods.a").fate, Fate::kNotUnderstood);
  EXPECT_EQ(note("auto_sync.interval_seconds").text, "it should be a number");
  EXPECT_NE(note("hosts.a.role").text.find("'wizard'"), std::string::npos);
}

TEST_F(ImportTest, writes_files_that_load_again) {
  read(kHosts);
  for (const auto& imported : import_.hosts) {
    const auto loaded =
        core::parse_config(core::config_to_toml(imported.config), "/node/syncline.toml");
    ASSERT_TRUE(loaded.ok()) << imported.name << ": " << core::to_string(loaded.error());
    EXPECT_EQ(loaded->node.id, imported.config.node.id);
    EXPECT_EQ(loaded->collections.size(), 5u);
    EXPECT_EQ(collection(*loaded, "elo").tables.at("match_history").aliases.size(), 4u);
  }
}

TEST(ImportYaml, is_bounded_and_says_where_it_goes_wrong) {
  EXPECT_FALSE(parse_yaml("a: [1, 2").ok());
  EXPECT_NE(parse_yaml("a: 1\nb: [1, 2\nc: 3").error().what.find("line "), std::string::npos);
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j ? ", " : "") + before;
    bomb += "]\n";
  }
  EXPECT_FALSE(parse_yaml(bomb).ok());
  EXPECT_FALSE(parse_yaml(std::string(100, '[') + std::string(100, ']')).ok());
  EXPECT_FALSE(import_hosts(*parse_yaml("nodes: {}")).ok());
  EXPECT_FALSE(import_hosts(*parse_yaml("hosts: {'../x': {}}")).ok());
}

RC_GTEST_PROP(ImportYamlProperty, any_text_is_answered, (const std::string& text)) {
  const auto document = parse_yaml(text);
  if (document.ok()) {
    const auto import = import_hosts(*document);
    if (!import.ok()) RC_ASSERT(!import.error().what.empty());
  }
}

constexpr const char* kPolled = R"(
hosts:
  home: {ssh_host: 192.168.1.20, role: coordinator, ringrift_path: /srv/project}
  gpu-1: {ssh_host: root@10.0.0.4, ssh_port: 2222, ssh_key: ~/.ssh/cluster, role: selfplay,
          ringrift_path: ~/project, storage_paths: {games: /data/games}}
  gpu-2: {ssh_host: 10.0.0.5, ssh_key: /keys/k, role: selfplay, ringrift_path: ~/project}
  gpu-3: {ssh_key: /keys/k, role: selfplay, ringrift_path: /p}
  gone: {ssh_host: 10.0.0.9, status: terminated}
)";

TEST(Import, lets_one_host_poll_the_others_as_the_older_service_did) {
  const auto import = import_hosts(*parse_yaml(kPolled), {"home", "/home/me"});
  ASSERT_TRUE(import.ok()) << core::to_string(import.error());
  ASSERT_EQ(import->hosts.size(), 1u) << "nobody else gets a daemon";
  const core::Config& config = import->hosts[0].config;
  ASSERT_EQ(config.agentless.size(), 1u);
  const core::AgentlessConfig& gpu = config.agentless[0];
  EXPECT_EQ(gpu.name, core::NodeId("gpu-1"));
  EXPECT_EQ(gpu.host, "10.0.0.4");
  EXPECT_EQ(gpu.user, "root");
  EXPECT_EQ(gpu.port, 2222);
  EXPECT_EQ(gpu.key_file, "/home/me/.ssh/cluster");
  EXPECT_EQ(gpu.collect.at("games"), "/data/games");
  EXPECT_EQ(gpu.collect.at("models"), "/root/project/models");
  const auto read = core::parse_config(core::config_to_toml(config), "/srv/project/syncline.toml");
  ASSERT_TRUE(read.ok()) << core::to_string(read.error());
  EXPECT_EQ(read->agentless[0].known_hosts_file, "/srv/project/known_hosts");
  EXPECT_TRUE(read->collections[0].is_collected);
}

TEST(Import, names_each_host_that_cannot_be_polled_and_why) {
  const auto import = import_hosts(*parse_yaml(kPolled), {"home", "/home/me"});
  ASSERT_TRUE(import.ok());
  ASSERT_EQ(import->unpolled.size(), 2u);
  EXPECT_NE(import->unpolled[0].find("gpu-2: its folders"), std::string::npos) << "whose is ~?";
  EXPECT_EQ(import->unpolled[1], "gpu-3: it has no ssh_host");
  EXPECT_FALSE(import_hosts(*parse_yaml(kPolled), {"hoem", ""}).ok());
  EXPECT_FALSE(import_hosts(*parse_yaml(kPolled), {"gone", ""}).ok());
}

}  // namespace
}  // namespace syncline::cli
