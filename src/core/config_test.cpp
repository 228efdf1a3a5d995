#include "core/config.hpp"

#include <gtest/gtest.h>

namespace syncline::core {
namespace {

// The text of the design's contract, word for word.
constexpr const char* kDesign = R"([node]
id = "spot-1"                                  # default: host name
roles = ["selfplay"]                           # selfplay, training, coordinator, backup, voter
provider = "vast"                              # bandwidth default, failure domain
ephemeral = "auto"                             # auto | true | false
peer_listen = "0.0.0.0:8750"
http_listen = ["unix:state/api.sock", "127.0.0.1:8751"]
state_dir = "state"                            # relative paths: from this file's folder
seeds = ["10.0.0.1:8750"]

[durability]
acks = 2                                       # peers that must have fsynced

[[collection]]
name = "games"
kind = "sqlite"                                # or "files"
root = "data/games"                            # what local programs write
include = ["**/*.db"]
replica = "data/replica/games.db"              # Syncline's own union
unit = "games"                                 # root table
complete_when = "completed_at IS NOT NULL"
config_key = ["board_type", "num_players"]
copies = 3
priority = "high"
placement = { roles = ["training", "backup"], nodes = ["*"], config_keys = ["*"] }
strategy = "auto"
freshness_target_s = 60
)";

Result<Config> parse(const std::string& text) {
  return parse_config(text, "/etc/syncline/syncline.toml", {"this-host", "machine-1", ""});
}

TEST(Config, loads_the_text_of_the_design) {
  const auto config = parse(kDesign);
  ASSERT_TRUE(config.ok()) << to_string(config.error());
  EXPECT_EQ(config->node.id, NodeId("spot-1"));
  EXPECT_EQ(config->node.state_dir, "/etc/syncline/state");
  EXPECT_EQ(config->node.http_listen[0], "unix:/etc/syncline/state/api.sock");
  ASSERT_EQ(config->collections.size(), 1u);
  const CollectionConfig& games = config->collections[0];
  EXPECT_EQ(games.kind, Kind::kSqlite);
  EXPECT_EQ(games.root, "/etc/syncline/data/games");
  EXPECT_EQ(games.priority, Priority::kHigh);
  EXPECT_EQ(games.placement.roles, (std::vector<std::string>{"training", "backup"}));
}

TEST(Config, says_in_one_line_what_is_wrong_and_where) {
  struct Row {
    const char* text;
    const char* expected;
  };
  const Row rows[] = {
      {"[node]\nidd = \"x\"", "syncline.toml:2: unknown key 'idd'; did you mean 'id'?"},
      {"[nodes]\nid = \"x\"", "unknown key 'nodes'; did you mean 'node'?"},
      {"[[collection]]\nname = \"g\"\nkind = \"files\"\nroot = \"r\"\ncopys = 3",
       "unknown key 'copys'; did you mean 'copies'?"},
      {"[node]\nid = ", "syncline.toml:2: "},
      {"[node]\n[\x19", "syncline.toml:2: "},
      {"[\u00e9]", "syncline.toml:1: "},
      {"\u02bf = 1", "syncline.toml:1: "},
      {"[node]\nroles = [\"trainig\"]", "unknown role 'trainig'; did you mean 'training'?"},
      {"[node]\nroles = \"training\"", "roles must be a list"},
      {"[node]\nid = \"a b\"", "id must be 1 to 64 characters"},
      {"[durability]\nacks = 0", "acks must be from 1 to 16 nodes"},
      {"[durability]\nacks = \"two\"", "acks must be a whole number"},
      {"[durability]\nacks = 1.5", "acks must be a whole number"},
      {"coordination = \"zookeeper\"", "coordination must be embedded or etcd"},
      {"coordination = \"etcd\"\n[etcd]\nendpoints = [\"10.0.0.1:2379\"]", "http:// or https://"},
      {"coordination = \"etcd\"\n[etcd]\nendpoints = [\"https://e:2379\"]", "etcd.ca_file"},
      {"coordination = \"etcd\"", "needs etcd.endpoints"},
      {"[[collection]]\nkind = \"files\"\nroot = \"r\"", "needs a name"},
      {"[[collection]]\nname = \"x\"\nroot = \"r\"", "needs a kind"},
      {"[[collection]]\nname = \"x\"\nkind = \"files\"", "needs a root"},
      {"[[collection]]\nname = \"x\"\nkind = \"file\"\nroot = \"r\"", "kind must be one of"},
      {"[[collection]]\nname = \"all\"\nkind = \"files\"\nroot = \"r\"", "'all' names every"},
      {"[[collection]]\nname = \"x\"\nkind = \"files\"\nroot = \"r\"\nunit = \"t\"",
       "unit is for collections of kind sqlite only"},
      {"[[collection]]\nname = \"x\"\nkind = \"files\"\nroot = \"r\"\n[[collection]]\nname = "
       "\"x\"\nkind = \"files\"\nroot = \"r\"",
       "stands twice"},
      {"[[collection]]\nname = \"x\"\nkind = \"files\"\nroot = \"r\"\nderive = { by = \"elo\" }",
       "derive is for collections of kind sqlite"},
      {"[[collection]]\nname = \"x\"\nkind = \"sqlite\"\nreplica = \"r\"\nderive = { by = "
       "\"glicko\" }",
       "by must be elo or sql"},
      {"[[collection]]\nname = \"x\"\nkind = \"sqlite\"\nreplica = \"r\"\nderive = { by = \"elo\", "
       "kk = 3 }",
       "unknown key 'kk'; did you mean 'k'?"},
      {"[[collection]]\nname = \"x\"\nkind = \"sqlite\"\nreplica = \"r\"\nderive = { by = \"elo\", "
       "k = -1 }",
       "k must be from 0 to 1000 points"},
      {"[[collection]]\nname = \"x\"\nkind = \"sqlite\"\nreplica = \"r\"\nderive = { by = \"sql\" "
       "}",
       "needs `script`"},
      {"[[collection]]\nname = \"x\"\nkind = \"sqlite\"\nreplica = \"r\"\nderive = { by = \"sql\", "
       "script = \"s\" }",
       "needs a table with rule"},
      {"[[collection]]\nname = \"x\"\nkind = \"sqlite\"\nreplica = \"r\"\nderive = { by = \"elo\" "
       "}\n"
       "[collection.tables.elo_ratings]\nrule = \"union\"",
       "must have rule = \"derived\""},
      {"[[collection]]\nname = \"x\"\nkind = \"files\"\nroot = \"r\"\nplacement = { role = [] }",
       "unknown key 'role'; did you mean 'roles'?"},
  };
  for (const Row& row : rows) {
    const auto config = parse(row.text);
    ASSERT_FALSE(config.ok()) << row.text;
    EXPECT_NE(config.error().what.find(row.expected), std::string::npos)
        << row.text << "\n-> " << config.error().what;
    EXPECT_EQ(config.error().what.find('\n'), std::string::npos);
  }
}

TEST(Config, what_init_writes_loads_and_shows_the_same_again) {
  const std::string text = initial_config_toml(
      {"node-1", "127.0.0.1:7001", "127.0.0.1:7002", {"127.0.0.1:7000"}, {"training"}});
  const auto config = parse(text);
  ASSERT_TRUE(config.ok()) << to_string(config.error());
  EXPECT_EQ(config->node.peer_listen, "127.0.0.1:7001");
  EXPECT_EQ(config->node.host, "node-1") << "a node on loopback is a domain of its own";
  const auto again = parse(config_to_toml(*config));
  ASSERT_TRUE(again.ok()) << to_string(again.error());
  EXPECT_EQ(config_to_toml(*again), config_to_toml(*config));
}

TEST(Config, the_examples_in_the_file_that_init_writes_are_right) {
  std::string text = initial_config_toml({"n", "", "", {}, {}});
  const std::size_t examples = text.find("# [[collection]]");
  std::string uncommented = text.substr(0, examples);
  std::string rest = text.substr(examples);
  for (std::size_t begin = 0; begin < rest.size();) {
    const std::size_t end = rest.find('\n', begin);
    const std::string line = rest.substr(begin, end - begin);
    const bool is_setting = line.find(" = ") != std::string::npos || line.find("# [") == 0;
    uncommented += (is_setting ? line.substr(2) : line) + "\n";
    begin = end + 1;
  }
  const auto config = parse(uncommented);
  ASSERT_TRUE(config.ok()) << to_string(config.error());
  EXPECT_EQ(config->collections.size(), 5u);
  const auto again = parse(config_to_toml(*config));
  ASSERT_TRUE(again.ok()) << to_string(again.error());
  EXPECT_EQ(config_to_toml(*again), config_to_toml(*config));
}

}  // namespace
}  // namespace syncline::core
