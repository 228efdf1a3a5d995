// Requests and answers over a Unix socket.
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <thread>

#include "http/json.hpp"
#include "http/server_fixture.hpp"

namespace syncline::http {
namespace {

class RoutesTest : public ServerTest {
 protected:
  httplib::Client local() const {
    httplib::Client client(socket(), 80);
    client.set_address_family(AF_UNIX);
    client.set_read_timeout(20);
    return client;
  }
};

std::string error_of(const httplib::Result& answer) {
  if (!answer) return "no answer";
  const auto error = from_json<ErrorAnswer>(answer->body, Strictness::kStrict);
  return error.ok() ? error->error.what : "no error body: " + answer->body;
}

TEST_F(RoutesTest, answers_every_report_over_a_private_socket) {
  api_.status_answer.node = "home";
  api_.status_answer.peers.resize(2);
  api_.freshness_answer.resize(1);
  api_.transfers_answer.resize(3);
  start();
  struct stat info {};
  ASSERT_EQ(stat(socket().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);

  auto client = local();
  const auto status = client.Get("/v1/status");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->status, 200);
  EXPECT_EQ(status->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(from_json<facade::StatusReport>(status->body, Strictness::kStrict)->node, "home");
  EXPECT_EQ(
      from_json<NodesAnswer>(client.Get("/v1/nodes")->body, Strictness::kStrict)->nodes.size(), 2u);
  EXPECT_EQ(from_json<FreshnessAnswer>(client.Get("/v1/freshness")->body, Strictness::kStrict)
                ->freshness.size(),
            1u);
  EXPECT_EQ(from_json<TransfersAnswer>(client.Get("/v1/transfers")->body, Strictness::kStrict)
                ->transfers.size(),
            3u);
  EXPECT_TRUE(
      from_json<facade::StatsReport>(client.Get("/v1/stats")->body, Strictness::kStrict).ok());
  EXPECT_EQ(client.Get("/v1/config")->body, "[node]\nid = \"a\"\n");
  EXPECT_EQ(client.Get("/metrics")->body, "syncline_units_pending 0\n");
  EXPECT_EQ(client.Get("/healthz")->status, 200);
}

TEST_F(RoutesTest, hands_every_argument_of_a_request_to_the_daemon) {
  facade::SyncResponse response;
  response.success = true;
  response.backend_used = "router";
  api_.sync_answer = response;
  config_.api.sync_timeout_s = 77;
  start();
  auto client = local();
  const auto answer = client.Post(
      "/v1/sync", R"({"data_type":"games","targets":["a"],"priority":"high","num_players":3})",
      "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(from_json<facade::SyncResponse>(answer->body, Strictness::kStrict)->backend_used,
            "router");
  EXPECT_EQ(api_.asked.targets, std::vector<std::string>{"a"});
  EXPECT_EQ(api_.asked.priority, core::Priority::kHigh);
  EXPECT_EQ(api_.asked.num_players, 3);
  EXPECT_EQ(api_.asked.timeout_s, 77);

  EXPECT_EQ(client.Get("/v1/routes?data_type=models&targets=x&targets=y")->status, 200);
  EXPECT_EQ(api_.asked.data_type, "models");
  EXPECT_EQ(api_.asked.targets, (std::vector<std::string>{"x", "y"}));

  EXPECT_EQ(client.Post("/v1/flush", R"({"acks":1,"deadline_s":2.5})", "application/json")->status,
            200);
  EXPECT_EQ(api_.flush_acks, 1);
  EXPECT_EQ(api_.flush_deadline, core::milliseconds(2500));
  EXPECT_EQ(client
                .Post("/v1/notify", R"({"event":"model-promoted","details":{"model":"m"}})",
                      "application/json")
                ->status,
            200);
  EXPECT_EQ(api_.notified["model-promoted"]["model"], "m");
}

TEST_F(RoutesTest, verifies_every_collection_when_none_is_named) {
  for (const char* name : {"games", "models"}) {
    facade::CollectionStatus collection;
    collection.name = name;
    api_.status_answer.collections.push_back(collection);
    api_.verify_answers[name].collection = name;
  }
  start();
  auto client = local();
  const auto all = client.Post("/v1/verify");
  ASSERT_TRUE(all);
  EXPECT_EQ(from_json<VerifyAnswer>(all->body, Strictness::kStrict)->reports.size(), 2u);
  const auto missing = client.Post("/v1/verify", R"({"collections":["npz"]})", "application/json");
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ(error_of(missing), "no such collection is declared");
}

TEST_F(RoutesTest, refuses_bad_requests_with_one_line_that_helps) {
  start();
  auto client = local();
  const auto post = [&](const char* path, const std::string& body) {
    return client.Post(path, body, "application/json");
  };
  EXPECT_EQ(post("/v1/sync", R"({"data_type":"games","tragets":[]})")->status, 400);
  EXPECT_EQ(error_of(post("/v1/sync", R"({"data_type":"games","tragets":[]})")),
            "unknown field 'tragets'; did you mean 'targets'?");
  EXPECT_EQ(error_of(post("/v1/sync", "{}")), "'data_type' is missing: a collection, or 'all'");
  EXPECT_EQ(error_of(post("/v1/sync", R"({"data_type":"x","timeout_s":0})")),
            "'timeout_s' must be above 0");
  EXPECT_EQ(error_of(post("/v1/sync", "games")), "the body is not valid JSON");
  EXPECT_EQ(post("/v1/flush", R"({"deadline_s":-1})")->status, 400);
  EXPECT_EQ(client.Get("/v1/routes?data_type=games&target=a")->status, 400);
  EXPECT_EQ(client.Get("/v1/statz")->status, 404);
  EXPECT_EQ(error_of(client.Get("/v1/statz")),
            "there is nothing at /v1/statz; did you mean '/v1/stats'?");
  EXPECT_EQ(client.Get("/v1/sync")->status, 405);
  EXPECT_EQ(client.Delete("/v1/nodes/unknown")->status, 404);
  EXPECT_EQ(client.Delete("/v1/nodes/spot-17")->status, 200);
  EXPECT_EQ(error_of(client.Get("/v1/sync")), "/v1/sync is for POST, not GET");
  EXPECT_EQ(client.Get("/v1/events?after=soon")->status, 400);
}

TEST_F(RoutesTest, gives_the_daemons_own_errors_their_status) {
  start();
  auto client = local();
  const std::pair<core::ErrorKind, int> cases[] = {
      {core::ErrorKind::kInvalid, 400},     {core::ErrorKind::kMissing, 404},
      {core::ErrorKind::kConflict, 409},    {core::ErrorKind::kOverloaded, 429},
      {core::ErrorKind::kUnreachable, 503}, {core::ErrorKind::kCancelled, 504},
      {core::ErrorKind::kExhausted, 507},   {core::ErrorKind::kCorrupt, 500}};
  for (const auto& [kind, status] : cases) {
    api_.sync_answer = core::Error{kind, "as said", "node-1"};
    const auto answer = client.Post("/v1/sync", R"({"data_type":"games"})", "application/json");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status);
    const auto error = from_json<ErrorAnswer>(answer->body, Strictness::kStrict);
    EXPECT_EQ(error->error.kind, core::to_string(kind));
    EXPECT_EQ(error->error.subject, "node-1");
  }
}

TEST_F(RoutesTest, refuses_a_body_beyond_the_bound_and_goes_on) {
  config_.api.request_max_bytes = 1000;
  start();
  auto client = local();
  const std::string large = R"({"data_type":")" + std::string(5000, 'x') + "\"}";
  const auto answer = client.Post("/v1/sync", large, "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(error_of(answer), "the body is larger than api.request_max_bytes (1000 bytes)");
  const auto chunked = client.Post(
      "/v1/sync",
      [&](std::size_t offset, httplib::DataSink& sink) {
        if (offset < large.size()) return sink.write(large.data() + offset, 100);
        sink.done();
        return true;
      },
      "application/json");
  // The connection is closed on the unread rest, so the answer may not arrive.
  EXPECT_TRUE(!chunked || chunked->status == 411);
  EXPECT_EQ(api_.asked.data_type, "");
  const auto packed =
      client.Post("/v1/sync", {{"Content-Encoding", "gzip"}}, "\x1f\x8b", "application/json");
  ASSERT_TRUE(packed);
  EXPECT_EQ(packed->status, 415);
  EXPECT_EQ(client.Get("/v1/status")->status, 200);
}

TEST_F(RoutesTest, serves_many_at_once_and_stops_under_load) {
  start();
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) {
        auto client = local();
        const auto answer = client.Get("/v1/status");
        if (answer && answer->status == 200) ++answered;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(answered, 320);
}

}  // namespace
}  // namespace syncline::http
