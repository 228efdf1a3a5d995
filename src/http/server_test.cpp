// The real server over real sockets, with a recorded Api behind it.
#include "http/server.hpp"

#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "http/event_stream.hpp"
#include "http/fake_api.hpp"
#include "http/json.hpp"

namespace syncline::http {
namespace {

constexpr const char* kRoot = "00000000000000000000000000000000000000000000000000000000000000aa";

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "syncline-http-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    config_.node.state_dir = folder_;
    config_.node.http_listen = {"unix:" + socket(), "127.0.0.1:0"};
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string socket() const { return folder_ + "/api.sock"; }

  void start(const ServerLimits& limits = {}) {
    auto started = Server::start(config_, api_, {}, limits);
    ASSERT_TRUE(started.ok()) << core::to_string(started.error());
    server_ = std::move(*started);
  }

  httplib::Client local() const {
    httplib::Client client(socket(), 80);
    client.set_address_family(AF_UNIX);
    client.set_read_timeout(20);
    return client;
  }

  httplib::Client remote(const std::string& token) const {
    const std::string address = server_->addresses().at(1);
    httplib::Client client(address);
    client.set_read_timeout(20);
    if (!token.empty()) client.set_bearer_token_auth(token.c_str());
    return client;
  }

  std::string token() const {
    std::ifstream file(folder_ + "/api.token");
    std::string text;
    file >> text;
    return text;
  }

  std::string folder_;
  core::Config config_;
  FakeApi api_;
  std::unique_ptr<Server> server_;
};

std::string error_of(const httplib::Result& answer) {
  if (!answer) return "no answer";
  const auto error = from_json<ErrorAnswer>(answer->body, Strictness::kStrict);
  return error.ok() ? error->error.what : "no error body: " + answer->body;
}

TEST_F(ServerTest, answers_every_report_over_a_private_socket) {
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
  EXPECT_EQ(from_json<NodesAnswer>(client.Get("/v1/nodes")->body, Strictness::kStrict)
                ->nodes.size(), 2u);
  EXPECT_EQ(from_json<FreshnessAnswer>(client.Get("/v1/freshness")->body, Strictness::kStrict)
                ->freshness.size(), 1u);
  EXPECT_EQ(from_json<TransfersAnswer>(client.Get("/v1/transfers")->body, Strictness::kStrict)
                ->transfers.size(), 3u);
  EXPECT_TRUE(
      from_json<facade::StatsReport>(client.Get("/v1/stats")->body, Strictness::kStrict).ok());
  EXPECT_EQ(client.Get("/v1/config")->body, "[node]\nid = \"a\"\n");
  EXPECT_EQ(client.Get("/metrics")->body, "syncline_units_pending 0\n");
  EXPECT_EQ(client.Get("/healthz")->status, 200);
}

TEST_F(ServerTest, hands_every_argument_of_a_request_to_the_daemon) {
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
  EXPECT_EQ(client.Post("/v1/notify", R"({"event":"model-promoted","details":{"model":"m"}})",
                        "application/json")->status, 200);
  EXPECT_EQ(api_.notified["model-promoted"]["model"], "m");
}

TEST_F(ServerTest, verifies_every_collection_when_none_is_named) {
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
  const auto missing =
      client.Post("/v1/verify", R"({"collections":["npz"]})", "application/json");
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ(error_of(missing), "no such collection is declared");
}

TEST_F(ServerTest, refuses_bad_requests_with_one_line_that_helps) {
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
  EXPECT_EQ(error_of(client.Get("/v1/sync")), "/v1/sync is for POST, not GET");
  EXPECT_EQ(client.Get("/v1/events?after=soon")->status, 400);
}

TEST_F(ServerTest, gives_the_daemons_own_errors_their_status) {
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

TEST_F(ServerTest, refuses_a_body_beyond_the_bound_and_goes_on) {
  config_.api.request_max_bytes = 1000;
  start();
  auto client = local();
  const std::string large = R"({"data_type":")" + std::string(5000, 'x') + "\"}";
  const auto answer = client.Post("/v1/sync", large, "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(error_of(answer),
            "the body is larger than api.request_max_bytes (1000 bytes)");
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
  const auto packed = client.Post("/v1/sync", {{"Content-Encoding", "gzip"}}, "\x1f\x8b",
                                  "application/json");
  ASSERT_TRUE(packed);
  EXPECT_EQ(packed->status, 415);
  EXPECT_EQ(client.Get("/v1/status")->status, 200);
}

TEST_F(ServerTest, wants_the_token_over_tcp) {
  start();
  ASSERT_EQ(token().size(), 64u);
  auto nobody = remote("");
  EXPECT_EQ(nobody.Get("/v1/status")->status, 401);
  EXPECT_EQ(nobody.Get("/metrics")->status, 401);
  EXPECT_EQ(nobody.Get("/v1/events")->status, 401);
  EXPECT_EQ(nobody.Post("/v1/sync", "{}", "application/json")->status, 401);
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

TEST_F(ServerTest, does_not_listen_to_other_machines_without_a_token) {
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
}

TEST_F(ServerTest, serves_an_open_listener_without_token_but_to_no_foreign_page) {
  config_.node.http_listen = {"unix:" + socket(), "open:127.0.0.1:0"};
  start();
  auto client = remote("");
  EXPECT_EQ(client.Get("/v1/status")->status, 200);
  EXPECT_EQ(client.Get("/v1/status", {{"Host", "evil.example"}})->status, 403);
  EXPECT_EQ(client.Get("/v1/status", {{"Origin", "http://evil.example"}})->status, 403);
}

TEST_F(ServerTest, takes_over_the_socket_of_a_daemon_that_died_but_not_of_one_that_serves) {
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

TEST_F(ServerTest, listens_below_a_path_longer_than_a_socket_address) {
  const std::string deep = folder_ + "/" + std::string(120, 'd');
  config_.node.http_listen = {"unix:" + deep + "/api.sock"};
  start();
  EXPECT_TRUE(std::filesystem::is_socket(deep + "/api.sock"));
}

TEST_F(ServerTest, says_so_when_the_port_is_taken) {
  start();
  const std::string address = server_->addresses().at(1);
  config_.node.http_listen = {address.substr(std::string("http://").size())};
  const auto second = Server::start(config_, api_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, core::ErrorKind::kConflict);
  EXPECT_NE(second.error().what.find("in use"), std::string::npos) << second.error().what;
}

facade::EventRow event_of(std::uint64_t id) {
  facade::EventRow event;
  event.id = id;
  event.type = "data_sync_completed";
  event.message = "event " + std::to_string(id);
  return event;
}

TEST_F(ServerTest, streams_events_as_they_happen_and_resumes_after_a_given_one) {
  for (std::uint64_t id = 1; id <= 3; ++id) api_.add_event(event_of(id));
  start();
  auto client = local();
  EXPECT_EQ(from_json<EventsAnswer>(client.Get("/v1/events?after=1")->body, Strictness::kStrict)
                ->events.size(), 2u);

  std::vector<std::uint64_t> seen;
  EventStreamReader reader;
  const httplib::Headers headers = {{"Accept", "text/event-stream"}, {"Last-Event-ID", "2"},
                                    {"Accept-Encoding", "gzip"}};
  auto stream = std::async(std::launch::async, [&] {
    auto follower = local();
    return follower.Get("/v1/events", headers, [&](const char* data, std::size_t size) {
      return reader.feed({data, size}, [&](const std::string& text) {
        seen.push_back(from_json<facade::EventRow>(text, Strictness::kStrict)->id);
        if (seen.size() == 1) api_.add_event(event_of(4));
        return seen.size() < 2;
      });
    });
  });
  ASSERT_EQ(stream.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{3, 4}));
}

TEST_F(ServerTest, bounds_the_followers_and_ends_them_when_it_stops) {
  ServerLimits limits;
  limits.followers_max = 1;
  start(limits);
  std::promise<void> is_open;
  auto stream = std::async(std::launch::async, [&] {
    auto follower = local();
    bool is_first = true;
    return static_cast<bool>(follower.Get(
        "/v1/events", {{"Accept", "text/event-stream"}},
        [&](const httplib::Response&) {
          if (std::exchange(is_first, false)) is_open.set_value();
          return true;
        },
        [](const char*, std::size_t) { return true; }));
  });
  is_open.get_future().wait();
  const auto second = local().Get("/v1/events", {{"Accept", "text/event-stream"}});
  EXPECT_EQ(second->status, 503);
  EXPECT_EQ(second->get_header_value("Retry-After"), "2");
  EXPECT_EQ(local().Get("/v1/status")->status, 200);
  const auto before = std::chrono::steady_clock::now();
  server_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  ASSERT_EQ(stream.wait_for(std::chrono::seconds(5)), std::future_status::ready);
}

class ObjectTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    for (int i = 0; i < 1'000'000; ++i) content_ += static_cast<char>('a' + i % 23);
    api_.objects[kRoot] = content_;
    api_.objects[std::string(64, '0')] = "";
    start();
  }
  httplib::Result get(const std::string& range) {
    return local().Get(path_, {{"Range", range}});
  }
  std::string content_;
  std::string path_ = std::string("/objects/") + kRoot;
};

TEST_F(ObjectTest, is_served_whole_and_by_head) {
  auto client = local();
  const auto whole = client.Get(path_);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->status, 200);
  EXPECT_EQ(whole->body, content_);
  EXPECT_EQ(whole->get_header_value("ETag"), "\"" + std::string(kRoot) + "\"");
  const auto head = client.Head(path_);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->get_header_value("Content-Length"), "1000000");
  EXPECT_EQ(head->get_header_value("Accept-Ranges"), "bytes");
  EXPECT_TRUE(head->body.empty());
  EXPECT_EQ(client.Get("/objects/" + std::string(64, '0'))->status, 200);
}

TEST_F(ObjectTest, is_served_by_ranges_cut_to_its_size) {
  EXPECT_EQ(get("bytes=0-9")->status, 206);
  EXPECT_EQ(get("bytes=0-9")->body, content_.substr(0, 10));
  EXPECT_EQ(get("bytes=300000-799999")->body, content_.substr(300000, 500000));
  EXPECT_EQ(get("bytes=999990-")->body, content_.substr(999990));
  EXPECT_EQ(get("bytes=999990-2000000")->body, content_.substr(999990));
  EXPECT_EQ(get("bytes=999990-2000000")->get_header_value("Content-Range"),
            "bytes 999990-999999/1000000");
  EXPECT_EQ(get("bytes=-5")->body, content_.substr(999995));
  EXPECT_EQ(get("bytes=-2000000")->body, content_);
  const auto several = get("bytes=0-1,5-6");
  EXPECT_EQ(several->status, 206);
  EXPECT_NE(several->get_header_value("Content-Type").find("multipart/byteranges"),
            std::string::npos);
}

TEST_F(ObjectTest, refuses_ranges_that_cannot_be_served) {
  const auto beyond = get("bytes=1000000-");
  EXPECT_EQ(beyond->status, 416);
  EXPECT_EQ(beyond->get_header_value("Content-Range"), "bytes */1000000");
  EXPECT_EQ(error_of(beyond), "the range is beyond the end");
  std::string many = "bytes=0-0";
  for (int i = 0; i < 50; ++i) many += ",0-0";
  EXPECT_EQ(get(many)->status, 416);
  EXPECT_EQ(local().Get(path_, {{"Range", "bytes=0-9"}, {"If-Range", "\"other\""}})->status, 200);
  EXPECT_EQ(local().Get("/v1/status", {{"Range", "bytes=0-3"}})->status, 200);
}

TEST_F(ObjectTest, is_missing_or_misnamed_with_a_clear_answer) {
  EXPECT_EQ(local().Get("/objects/" + std::string(64, 'b'))->status, 404);
  EXPECT_EQ(local().Get("/objects/xyz")->status, 400);
  EXPECT_EQ(local().Get("/objects/../state")->status, 400);
}

TEST_F(ServerTest, serves_many_at_once_and_stops_under_load) {
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
