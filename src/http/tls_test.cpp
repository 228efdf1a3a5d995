// tls: listeners, with certificates that a real fleet CA signed and one that a stranger's did.
#include <gtest/gtest.h>

#include <cstdlib>

#include "http/server_fixture.hpp"
#include "syncline/client.hpp"

namespace syncline::http {
namespace {

class TlsTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    make_authority("fleet");
    make_authority("stranger");
    make_node("home", "fleet");
    make_node("peer", "fleet");
    make_node("intruder", "stranger");
    config_.node.http_listen = {"tls:127.0.0.1:0"};
    tls_ = TlsFiles{file("home.crt"), file("home.key"), file("fleet.crt")};
  }

  std::string file(const std::string& name) const { return folder_ + "/" + name; }

  void run(const std::string& command) {
    ASSERT_EQ(std::system(("cd '" + folder_ + "' && " + command + " 2>/dev/null").c_str()), 0)
        << command;
  }

  void make_authority(const std::string& name) {
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
        name + " -keyout " + name + ".key -out " + name + ".crt");
  }

  void make_node(const std::string& name, const std::string& authority) {
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name +
        " -keyout " + name + ".key -out " + name + ".csr");
    run("openssl x509 -req -days 2 -in " + name + ".csr -CA " + authority + ".crt -CAkey " +
        authority + ".key -CAcreateserial -out " + name + ".crt");
  }

  void start_tls() {
    auto started = Server::start(config_, api_, tls_);
    ASSERT_TRUE(started.ok()) << core::to_string(started.error());
    server_ = std::move(*started);
  }

  Result<StatusReport> ask_as(const std::string& node, const std::string& authority) {
    Endpoint endpoint;
    endpoint.address = server_->addresses().at(0);
    if (!node.empty()) endpoint.certificate = file(node + ".crt");
    if (!node.empty()) endpoint.key = file(node + ".key");
    endpoint.authority = file(authority + ".crt");
    return Client::connect(endpoint)->status();
  }

  TlsFiles tls_;
};

TEST_F(TlsTest, answers_to_nodes_of_the_fleet_only) {
  api_.status_answer.node = "home";
  start_tls();
  const auto friendly = ask_as("peer", "fleet");
  ASSERT_TRUE(friendly) << friendly.error().what;
  EXPECT_EQ(friendly->node, "home");
  EXPECT_FALSE(ask_as("intruder", "fleet"));
  const auto nobody = ask_as("", "fleet");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().kind, ErrorKind::kDenied);
  const auto distrustful = ask_as("peer", "stranger");
  ASSERT_FALSE(distrustful);
  EXPECT_EQ(distrustful.error().kind, ErrorKind::kDenied);
}

TEST_F(TlsTest, says_so_when_the_certificate_cannot_be_used) {
  tls_.certificate = file("none.crt");
  const auto refused = Server::start(config_, api_, tls_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, core::ErrorKind::kInvalid);
}

}  // namespace
}  // namespace syncline::http
