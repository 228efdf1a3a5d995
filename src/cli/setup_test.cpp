// init, invite and join by their command lines; the call between the machines is made in memory.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/program.hpp"
#include "env/config_file.hpp"
#include "env/own_addresses.hpp"
#include "identity/fleet.hpp"
#include "identity/x509.hpp"

namespace syncline::cli {
namespace {

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

class SetupTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "syncline-setup-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Outcome run(const std::vector<std::string>& line) {
    std::ostringstream out;
    std::ostringstream err;
    Context context{out, err};
    context.working_directory = folder_;
    context.environment = [](const std::string&) { return std::string(); };
    context.join_call = join_call_;
    const int code = run_program(context, line);
    return {code, out.str(), err.str()};
  }

  std::string folder_;
  identity::JoinCall join_call_ = [](const std::string& address, const identity::KeyPair&,
                                     const core::Digest256&, const std::string&) {
    return core::Result<std::string>(
        core::Error{core::ErrorKind::kUnreachable, "nobody answers", address});
  };
};

TEST_F(SetupTest, init_makes_a_node_whose_configuration_is_in_order) {
  const auto made =
      run({"init", "--dir", "home", "--fleet", "chess", "--id", "home", "--peer-listen",
           "127.0.0.1:18750", "--http-listen", "unix:state/api.sock", "--role", "backup"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_NE(made.out.find("syncline daemon --config"), std::string::npos);
  const auto config = env::load_config(folder_ + "/home/syncline.toml");
  ASSERT_TRUE(config.ok()) << core::to_string(config.error());
  EXPECT_EQ(config->node.id.text, "home");
  EXPECT_EQ(config->node.peer_listen, "127.0.0.1:18750");
  EXPECT_EQ(config->node.roles, std::vector<std::string>{"backup"});
  EXPECT_EQ(config->node.http_listen.size(), 1u);
  const auto identity = identity::load_identity(config->node.state_dir);
  ASSERT_TRUE(identity.ok());
  EXPECT_EQ(identity->fleet, "chess");
  struct stat info {};
  ASSERT_EQ(stat((config->node.state_dir + "/identity/node-key.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(run({"config", "check", "--dir", "home"}).code, 0);
}

TEST_F(SetupTest, init_listens_on_another_socket_or_on_tcp_beside_the_usual_one) {
  ASSERT_EQ(run({"init", "--dir", "a", "--id", "a", "--http-listen", "unix:/run/a.sock"}).code, 0);
  EXPECT_EQ(env::load_config(folder_ + "/a/syncline.toml")->node.http_listen,
            std::vector<std::string>{"unix:/run/a.sock"});
  ASSERT_EQ(run({"init", "--dir", "b", "--id", "b", "--http-listen", "127.0.0.1:8751"}).code, 0);
  EXPECT_EQ(env::load_config(folder_ + "/b/syncline.toml")->node.http_listen.size(), 2u);
}

TEST_F(SetupTest, init_changes_nothing_where_a_node_is) {
  ASSERT_EQ(run({"init", "--dir", "home", "--id", "home"}).code, 0);
  std::ofstream(folder_ + "/home/syncline.toml", std::ios::app) << "# mine\n";
  const auto again = run({"init", "--dir", "home", "--id", "other"});
  EXPECT_EQ(again.code, 1);
  EXPECT_NE(again.err.find("already"), std::string::npos);
  std::filesystem::remove(folder_ + "/home/syncline.toml");
  EXPECT_EQ(run({"init", "--dir", "home", "--id", "other"}).code, 1);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/home/syncline.toml"));
}

TEST_F(SetupTest, invite_prints_the_token_alone_and_says_the_rest_beside) {
  ASSERT_EQ(run({"init", "--dir", "home", "--id", "home", "--peer-listen", "127.0.0.1:1"}).code, 0);
  const auto invited = run({"invite", "--dir", "home", "--role", "selfplay", "--valid", "60"});
  ASSERT_EQ(invited.code, 0) << invited.err;
  EXPECT_EQ(std::count(invited.out.begin(), invited.out.end(), '\n'), 1);
  const auto token = identity::decode_token(invited.out.substr(0, invited.out.size() - 1));
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(token->addresses, std::vector<std::string>{"127.0.0.1:1"});
  EXPECT_NE(invited.err.find("syncline join"), std::string::npos);
}

TEST_F(SetupTest, join_asks_the_inviting_node_and_writes_a_node_with_its_roles) {
  ASSERT_EQ(run({"init", "--dir", "home", "--id", "home", "--peer-listen", "127.0.0.1:1"}).code, 0);
  const std::string token = run({"invite", "--dir", "home", "--role", "selfplay"}).out;
  const std::string word = token.substr(0, token.size() - 1);
  EXPECT_EQ(run({"join", word, "--dir", "spot", "--id", "spot"}).code, 5);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/spot/syncline.toml"));

  join_call_ = [this](const std::string&, const identity::KeyPair& certificate,
                      const core::Digest256&, const std::string& request) {
    return identity::answer_join(folder_ + "/home/state",
                                 *identity::public_key_hash(certificate.certificate_pem), request,
                                 time(nullptr), [](const core::NodeId&) { return false; });
  };
  const auto joined = run({"join", word, "--dir", "spot", "--id", "spot", "--role", "backup"});
  ASSERT_EQ(joined.code, 0) << joined.err;
  const auto config = env::load_config(folder_ + "/spot/syncline.toml");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->node.roles, (std::vector<std::string>{"backup", "selfplay"}));
  EXPECT_EQ(config->node.seeds, std::vector<std::string>{"127.0.0.1:1"});
  EXPECT_EQ(run({"join", word, "--dir", "third", "--id", "third"}).code, 1);
}

TEST_F(SetupTest, join_refuses_what_is_no_token) {
  EXPECT_EQ(run({"join", "nonsense", "--dir", "spot"}).code, 1);
  EXPECT_EQ(run({"join"}).code, 2);
}

TEST(OwnAddresses, are_what_others_could_dial) {
  core::NodeConfig node;
  node.peer_listen = "10.0.0.4:8750";
  EXPECT_EQ(env::callable_addresses(node), std::vector<std::string>{"10.0.0.4:8750"});
  node.peer_advertise = "home.example:1";
  EXPECT_EQ(env::callable_addresses(node), std::vector<std::string>{"home.example:1"});
  node.peer_advertise = "";
  node.peer_listen = "0.0.0.0:8750";
  for (const std::string& address : env::callable_addresses(node)) {
    EXPECT_TRUE(address.ends_with(":8750")) << address;
    EXPECT_FALSE(address.starts_with("127.")) << address;
  }
}

}  // namespace
}  // namespace syncline::cli
