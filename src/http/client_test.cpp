// The public client against the real server, over a Unix socket and over TCP.
#include "syncline/client.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "http/client_parts.hpp"
#include "http/server_fixture.hpp"

namespace syncline {
namespace {

class ClientTest : public http::ServerTest {
 protected:
  void SetUp() override {
    http::ServerTest::SetUp();
    start();
  }
  Client local() { return *Client::connect("unix:" + socket()); }
};

TEST_F(ClientTest, asks_the_same_over_a_socket_and_over_tcp) {
  api_.status_answer.node = "home";
  api_.status_answer.peers.resize(2);
  const auto over_tcp = Client::connect(server_->addresses().at(1), token());
  ASSERT_TRUE(over_tcp);
  for (const Client* client : {&*over_tcp}) {
    const auto status = client->status();
    ASSERT_TRUE(status) << status.error().what;
    EXPECT_EQ(status->node, "home");
  }
  const auto status = local().status();
  ASSERT_TRUE(status) << status.error().what;
  EXPECT_EQ(status->node, "home");
  EXPECT_EQ(local().nodes()->size(), 2u);
  EXPECT_TRUE(local().stats());
  EXPECT_TRUE(local().freshness()->empty());
  EXPECT_TRUE(local().transfers()->empty());
  EXPECT_EQ(*local().config_toml(), "[node]\nid = \"a\"\n");
  EXPECT_TRUE(*local().is_ready());
  api_.is_ready_answer = false;
  EXPECT_FALSE(*local().is_ready());
  EXPECT_EQ(local().raw("GET", "/healthz")->body, "ok\n");
}

TEST_F(ClientTest, carries_a_request_and_its_answer) {
  facade::SyncResponse response;
  response.success = true;
  response.nodes_synced = {"a"};
  response.nodes.push_back({"a", facade::NodeOutcome::kVerified, "fsynced", 0});
  api_.sync_answer = response;
  facade::RouteReport route;
  route.verdicts.push_back({"a", true, 51.5, "training role +30", "p2p"});
  api_.route_answer = route;

  SyncRequest request;
  request.data_type = "games & co";
  request.targets = {"a", "b"};
  request.num_players = 3;
  request.priority = Priority::kCritical;
  request.is_dry_run = true;
  const auto answer = local().sync(request);
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_TRUE(answer->success);
  EXPECT_EQ(answer->nodes.at(0).outcome, "verified");
  EXPECT_EQ(api_.asked.priority, core::Priority::kCritical);
  EXPECT_TRUE(api_.asked.is_dry_run);

  api_.asked = {};
  const auto planned = local().route(request);
  ASSERT_TRUE(planned) << planned.error().what;
  EXPECT_EQ(planned->verdicts.at(0).score, 51.5);
  EXPECT_EQ(api_.asked.data_type, "games & co");
  EXPECT_EQ(api_.asked.targets, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(api_.asked.num_players, 3);
}

TEST_F(ClientTest, tells_errors_apart_by_what_to_do_next) {
  api_.sync_answer = core::Error{core::ErrorKind::kMissing, "no such collection", "gmaes"};
  SyncRequest request;
  request.data_type = "gmaes";
  const auto refused = local().sync(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kMissing);
  EXPECT_EQ(refused.error().subject, "gmaes");

  const auto stranger = Client::connect(server_->addresses().at(1), std::string(64, 'f'));
  EXPECT_EQ(stranger->status().error().kind, ErrorKind::kDenied);
  EXPECT_EQ(Client::connect("unix:" + folder_ + "/none.sock")->status().error().kind,
            ErrorKind::kUnreachable);
  EXPECT_EQ(Client::connect("unix:/nowhere/at/all.sock")->status().error().kind,
            ErrorKind::kUnreachable);
  EXPECT_EQ(Client::connect("http://127.0.0.1:1")->status().error().kind, ErrorKind::kUnreachable);
  for (const char* address : {"", "unix:", "ftp://host:1", "http://", "http://host:0", "a/b:1"}) {
    EXPECT_FALSE(Client::connect(address)) << address;
  }
}

TEST_F(ClientTest, follows_events_until_told_to_stop) {
  for (std::uint64_t id = 1; id <= 3; ++id) {
    facade::EventRow event;
    event.id = id;
    event.type = "t";
    api_.add_event(event);
  }
  EXPECT_EQ(local().events(2)->size(), 1u);
  std::vector<std::uint64_t> seen;
  const auto done = local().follow_events(1, [&](const EventRow& event) {
    seen.push_back(event.id);
    return seen.size() < 2;
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{2, 3}));

  std::thread stopper([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    server_->stop();
  });
  const auto broken = local().follow_events(3, [](const EventRow&) { return true; });
  stopper.join();
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::kUnreachable);
}

TEST_F(ClientTest, flushes_verifies_and_notifies) {
  facade::FlushReport flushed;
  flushed.is_durable = true;
  flushed.durable = 9;
  api_.flush_answer = flushed;
  api_.verify_answers["games"].checked = 4;
  EXPECT_EQ(local().flush(2, 1.5)->durable, 9u);
  EXPECT_EQ(api_.flush_deadline, core::milliseconds(1500));
  EXPECT_EQ(local().verify({"games"})->at(0).checked, 4u);
  EXPECT_EQ(local().verify({"none"}).error().kind, ErrorKind::kMissing);
  EXPECT_TRUE(local().notify("node-recovered", {{"node", "a"}}));
  EXPECT_EQ(api_.notified["node-recovered"]["node"], "a");
}

TEST(Endpoint, is_taken_apart) {
  const auto v6 = http::parse_endpoint("https://[::1]:9");
  ASSERT_TRUE(v6);
  EXPECT_TRUE(v6->is_tls);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 9);
  EXPECT_EQ(http::parse_endpoint("http://home/")->port, 8751);
  EXPECT_EQ(http::parse_endpoint("home:12")->port, 12);
  EXPECT_EQ(http::parse_endpoint("http://[::1]")->host, "::1");
}

TEST(Endpoint, explains_an_answer_without_a_reason) {
  EXPECT_EQ(http::error_from_answer(502, "<html>").kind, ErrorKind::kUnreachable);
  EXPECT_EQ(http::error_from_answer(401, "").kind, ErrorKind::kDenied);
  EXPECT_EQ(http::error_from_answer(400, R"({"error":{"kind":"conflict","what":"w"}})").kind,
            ErrorKind::kConflict);
}

}  // namespace
}  // namespace syncline
