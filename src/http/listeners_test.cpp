// Where the server listens, and to whom it answers there.
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "http/json.hpp"
#include "http/server_fixture.hpp"

namespace syncline::http {
namespace {

constexpr const char* kRoot = "00000000000000000000000000000000000000000000000000000000000000aa";

class ListenersTest : public ServerTest {
 protected:
  httplib::Client local() const {
    httplib::Client client(socket(), 80);
    client.set_address_family(AF_UNIX);
    client.set_read_timeout(20);
    return client;
  }
  httplib::Client remote(const std::string& token) const {
    httplib::Client client(server_->addresses().at(1));
    client.set_read_timeout(20);
    if (!token.empty()) client.set_bearer_token_auth(token.c_str());
    return client;
  }
};

std::string error_of(const httplib::Result& answer) {
  if (!answer) return "no answer";
  const auto error = from_json<ErrorAnswer>(answer->body, Strictness::kStrict);
  return error.ok() ? error->error.what : "no error body: " + answer->body;
}

TEST_F(ListenersTest, wants_the_token_over_tcp) {
  start();
  ASSERT_EQ(token().size(), 64u);
  auto nobody = remote("");
  EXPECT_EQ(nobody.Get("/v1/status")->status, 401);
  EXPECT_EQ(nobody.Get("/metrics")->status, 401);
  EXPECT_EQ(nobody.Get("/v1/events")->status, 401);
  EXPECT_EQ(nobody.Post("/v1/sync", "{}", "application/json")->status, 401);
  const std::string long_body = R"({"data_type":")" + std::string(500'000, 'x') + "\"}";
  EXPECT_EQ(error_of(nobody.Post("/v1/sync", long_body, "application/json")),
            "send the token of api.token_file as 'Authorization: Bearer <token>'");
  EXPECT_EQ(api_.asked.data_type, "");
  EXPECT_EQ(nobody.Get(std::string("/objects/") + kRoot)->status, 401);
  EXPECT_EQ(nobody.Get("/v1/status")->get_header_value("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(nobody.Get("/healthz")->status, 200);
  EXPECT_EQ(nobody.Get("/readyz")->status, 200);
  EXPECT_EQ(nobody.Get("/")->status, 200);
  auto stranger = remote(std::string(64, 'f'));
  EXPECT_EQ(error_of(stranger.Get("/v1/status")),
            "the token is not the one in this daemon's api.token_file");
  auto friendly = remote(token());
  EXPECT_EQ(friendly.Get("/v1/status")->status, 200);
}

TEST_F(ListenersTest, does_not_listen_to_other_machines_without_a_token) {
  config_.node.http_listen = {"0.0.0.0:0"};
  const auto refused = Server::start(config_, api_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, core::ErrorKind::kInvalid);
  EXPECT_NE(refused.error().what.find("api.token_file"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/api.token"));

  config_.api.token_file = folder_ + "/mine";
  std::ofstream(config_.api.token_file) << "0123456789abcdef\n";
  chmod(config_.api.token_file.c_str(), 0600);
  EXPECT_TRUE(Server::start(config_, api_).ok());

  config_.api.token_file = folder_ + "/new";
  EXPECT_TRUE(Server::start(config_, api_).ok());
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/new"));
  config_.api.token_file = folder_ + "/no/such/folder/token";
  EXPECT_FALSE(Server::start(config_, api_).ok());
}

TEST_F(ListenersTest, listens_once_where_an_address_is_written_twice) {
  config_.node.http_listen = {"unix:" + socket(), "unix:" + socket()};
  start();
  EXPECT_EQ(server_->addresses().size(), 1u);
}

TEST_F(ListenersTest, serves_an_open_listener_without_token_but_to_no_foreign_page) {
  config_.node.http_listen = {"unix:" + socket(), "open:127.0.0.1:0"};
  start();
  auto client = remote("");
  EXPECT_EQ(client.Get("/v1/status")->status, 200);
  EXPECT_EQ(client.Get("/v1/status", {{"Host", "evil.example"}})->status, 403);
  EXPECT_EQ(client.Get("/v1/status", {{"Origin", "http://evil.example"}})->status, 403);
}

TEST_F(ListenersTest, takes_over_the_socket_of_a_daemon_that_died_but_not_of_one_that_serves) {
  {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket().copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    close(fd);
  }
  start();
  EXPECT_EQ(local().Get("/healthz")->status, 200);
  const auto second = Server::start(config_, api_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, core::ErrorKind::kConflict);
  EXPECT_EQ(local().Get("/healthz")->status, 200);
  server_->stop();
  EXPECT_FALSE(std::filesystem::exists(socket()));

  std::ofstream(socket()) << "precious";
  EXPECT_FALSE(Server::start(config_, api_).ok());
  EXPECT_TRUE(std::filesystem::exists(socket()));
}

TEST_F(ListenersTest, listens_below_a_path_longer_than_a_socket_address) {
  const std::string deep = folder_ + "/" + std::string(120, 'd');
  config_.node.http_listen = {"unix:" + deep + "/api.sock"};
  start();
  EXPECT_TRUE(std::filesystem::is_socket(deep + "/api.sock"));
}

TEST_F(ListenersTest, says_so_when_the_port_is_taken) {
  start();
  const std::string address = server_->addresses().at(1);
  config_.node.http_listen = {address.substr(std::string("http://").size())};
  const auto second = Server::start(config_, api_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, core::ErrorKind::kConflict);
  EXPECT_NE(second.error().what.find("in use"), std::string::npos) << second.error().what;
}

}  // namespace
}  // namespace syncline::http
