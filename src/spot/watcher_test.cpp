// The watcher against a real HTTP server that answers as the providers' documents say.
#include "spot/watcher.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "spot/metadata.hpp"

namespace syncline::spot {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);

// A metadata service on loopback: paths and what they answer now.
class Service {
 public:
  using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;

  Service() {
    server_.set_keep_alive_max_count(1);
    auto answer = [this](const httplib::Request& request, httplib::Response& response) {
      Handler handler;
      {
        std::lock_guard lock(mutex_);
        ++asked_;
        const auto it = handlers_.find(request.method + " " + request.path);
        if (it != handlers_.end()) handler = it->second;
      }
      response.status = 404;
      if (handler) handler(request, response);
      changed_.notify_all();
    };
    server_.Get(".*", answer);
    server_.Put(".*", answer);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~Service() {
    server_.stop();
    thread_.join();
  }

  void on(const std::string& what, Handler handler) {
    std::lock_guard lock(mutex_);
    handlers_[what] = std::move(handler);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  bool wait_asked(int times) {
    std::unique_lock lock(mutex_);
    const int wanted = asked_ + times;
    return changed_.wait_for(lock, kPatience, [&] { return asked_ >= wanted; });
  }

 private:
  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Handler> handlers_;
  int asked_ = 0;
};

Service::Handler text(std::string body) {
  return [body = std::move(body)](const httplib::Request&, httplib::Response& response) {
    response.status = 200;
    response.set_content(body, "text/plain");
  };
}

// AWS with IMDSv2: no data without a token, and a token is good for so many questions.
struct Aws {
  explicit Aws(Service& service, int uses_max = 1000) : service_(service), uses_max_(uses_max) {
    service_.on("PUT /latest/api/token", [this](const auto& request, auto& response) {
      if (!request.has_header("X-aws-ec2-metadata-token-ttl-seconds")) {
        response.status = 400;
        return;
      }
      uses_ = 0;
      response.status = 200;
      response.set_content("token-" + std::to_string(++tokens), "text/plain");
    });
  }
  void set(const std::string& path, const std::string& body) {
    service_.on("GET /latest/meta-data/" + path, [this, body](const auto& request, auto& response) {
      const std::string token = "token-" + std::to_string(tokens.load());
      const bool is_good = request.get_header_value("X-aws-ec2-metadata-token") == token;
      if (!is_good || ++uses_ > uses_max_) {
        response.status = 401;
        return;
      }
      response.status = 200;
      response.set_content(body, "text/plain");
    });
  }
  std::atomic<int> tokens{0};

 private:
  Service& service_;
  const int uses_max_;
  std::atomic<int> uses_{0};
};

// What the watcher has called back with.
struct Heard {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Found> found;
  std::vector<Notice> notices;
  std::vector<core::Instant> deadlines;
  std::vector<std::string> advice;
  std::vector<std::string> problems;

  template <typename F>
  void note(F add) {
    {
      std::lock_guard lock(mutex);
      add();
    }
    changed.notify_all();
  }
  WatcherCallbacks callbacks() {
    return {[this](const Found& f) { note([&] { found.push_back(f); }); },
            [this](const Notice& n, core::Instant at) {
              note([&] {
                notices.push_back(n);
                deadlines.push_back(at);
              });
            },
            [this](const std::string& s) { note([&] { advice.push_back(s); }); },
            [this](const std::string& s) { note([&] { problems.push_back(s); }); }};
  }
  template <typename F>
  bool wait(F is_true) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kPatience, is_true);
  }
};

class WatcherTest : public testing::Test {
 protected:
  // Nobody listens at port 1 of loopback: refused at once.
  WatcherSettings settings() {
    WatcherSettings out;
    out.base_aws = out.base_gcp = out.base_azure = "http://127.0.0.1:1";
    out.poll_interval = core::milliseconds(10);
    out.detect_pause_max = core::milliseconds(20);
    return out;
  }
  void start(WatcherSettings settings) {
    auto started = Watcher::start(std::move(settings), clock_, heard_.callbacks());
    ASSERT_TRUE(started.ok()) << core::to_string(started.error());
    watcher_ = std::move(*started);
  }

  env::SystemClock clock_;
  Service service_;
  Heard heard_;
  std::unique_ptr<Watcher> watcher_;  // last: it must go first
};

TEST_F(WatcherTest, tells_an_aws_interruption_that_appears_later_once_and_with_its_deadline) {
  Aws aws(service_);
  aws.set("instance-life-cycle", "spot");
  WatcherSettings used = settings();
  used.base_aws = service_.url();
  start(used);
  ASSERT_TRUE(heard_.wait([&] { return !heard_.found.empty(); }));
  EXPECT_EQ(heard_.found[0].provider, "aws");
  EXPECT_TRUE(heard_.found[0].is_spot);
  ASSERT_TRUE(service_.wait_asked(6));  // several polls without a notice
  EXPECT_TRUE(heard_.notices.empty());

  const core::Instant before = clock_.now();
  service_.on("GET /latest/meta-data/spot/instance-action", [](const auto&, auto& response) {
    response.status = 200;
    response.set_header("Date", "Mon, 18 Sep 2017 08:20:00 GMT");
    response.set_content(R"({"action": "terminate", "time": "2017-09-18T08:22:00Z"})",
                         "application/json");
  });
  ASSERT_TRUE(heard_.wait([&] { return !heard_.notices.empty(); }));
  EXPECT_DOUBLE_EQ(heard_.notices[0].seconds_left, 120);
  EXPECT_GE(heard_.deadlines[0], before + core::seconds(120));
  EXPECT_LE(heard_.deadlines[0], clock_.now() + core::seconds(120));
  watcher_.reset();
  EXPECT_EQ(heard_.notices.size(), 1u);
  EXPECT_TRUE(heard_.problems.empty());
}

TEST_F(WatcherTest, fetches_a_new_token_when_the_old_one_has_run_out) {
  Aws aws(service_, /*uses_max=*/3);
  aws.set("instance-life-cycle", "spot");
  aws.set("events/recommendations/rebalance", R"({"noticeTime": "2020-10-27T08:22:00Z"})");
  WatcherSettings used = settings();
  used.base_aws = service_.url();
  start(used);
  ASSERT_TRUE(heard_.wait([&] { return !heard_.advice.empty(); }));
  while (aws.tokens < 3) ASSERT_TRUE(service_.wait_asked(1));
  watcher_.reset();
  EXPECT_EQ(heard_.advice.size(), 1u);  // said once, though each poll says it
  EXPECT_TRUE(heard_.problems.empty());
}

TEST_F(WatcherTest, tells_a_preemption_by_gcp) {
  std::atomic<bool> is_preempted{false};
  auto marked = [](std::function<std::string()> body) {
    return [body](const httplib::Request& request, httplib::Response& response) {
      response.status = request.get_header_value("Metadata-Flavor") == "Google" ? 200 : 403;
      response.set_header("Metadata-Flavor", "Google");
      response.set_content(body(), "application/text");
    };
  };
  service_.on("GET /computeMetadata/v1/instance/scheduling/preemptible",
              marked([] { return "TRUE"; }));
  service_.on("GET /computeMetadata/v1/instance/preempted",
              marked([&] { return is_preempted ? "TRUE" : "FALSE"; }));
  WatcherSettings used = settings();
  used.base_gcp = service_.url();
  start(used);
  ASSERT_TRUE(heard_.wait([&] { return !heard_.found.empty(); }));
  EXPECT_EQ(heard_.found[0].provider, "gcp");
  ASSERT_TRUE(service_.wait_asked(3));
  is_preempted = true;
  ASSERT_TRUE(heard_.wait([&] { return !heard_.notices.empty(); }));
  EXPECT_DOUBLE_EQ(heard_.notices[0].seconds_left, 30);
}

TEST_F(WatcherTest, tells_an_azure_preemption_of_this_machine_only) {
  std::atomic<const char*> target{"gpu-8"};
  auto guarded = [](std::function<std::string()> body) {
    return [body](const httplib::Request& request, httplib::Response& response) {
      response.status =
          request.get_header_value("Metadata") == "true" && request.has_param("api-version") ? 200
                                                                                             : 400;
      response.set_content(body(), "application/json");
    };
  };
  service_.on("GET /metadata/instance/compute",
              guarded([] { return R"({"name":"gpu-7","priority":"Spot","vmId":"02aab8a4"})"; }));
  service_.on(
      "GET /metadata/scheduledevents", guarded([&] {
        return std::string(
                   R"({"DocumentIncarnation":1,"Events":[{"EventId":"1","EventType":"Preempt",)") +
               R"("ResourceType":"VirtualMachine","Resources":[")" + target.load() +
               R"("],"EventStatus":"Scheduled","NotBefore":""}]})";
      }));
  WatcherSettings used = settings();
  used.base_azure = service_.url();
  start(used);
  ASSERT_TRUE(heard_.wait([&] { return !heard_.found.empty(); }));
  ASSERT_TRUE(service_.wait_asked(3));
  EXPECT_TRUE(heard_.notices.empty());
  target = "gpu-7";
  ASSERT_TRUE(heard_.wait([&] { return !heard_.notices.empty(); }));
  EXPECT_DOUBLE_EQ(heard_.notices[0].seconds_left, kAzureNoticeS);
}

TEST_F(WatcherTest, stops_asking_where_the_machine_is_no_spot_instance) {
  Aws aws(service_);
  aws.set("instance-life-cycle", "on-demand");
  std::atomic<int> polls{0};
  service_.on("GET /latest/meta-data/spot/instance-action", [&](const auto&, auto&) { ++polls; });
  WatcherSettings used = settings();
  used.base_aws = service_.url();
  start(used);
  ASSERT_TRUE(heard_.wait([&] { return !heard_.found.empty(); }));
  watcher_.reset();
  EXPECT_FALSE(heard_.found[0].is_spot);
  EXPECT_EQ(polls, 0);
}

TEST_F(WatcherTest, keeps_asking_where_the_configuration_says_ephemeral) {
  Aws aws(service_);
  aws.set("instance-life-cycle", "on-demand");
  aws.set("spot/instance-action", R"({"action": "terminate", "time": "2017-09-18T08:22:00Z"})");
  WatcherSettings used = settings();
  used.base_aws = service_.url();
  used.is_ephemeral_for_certain = true;
  start(used);
  EXPECT_TRUE(heard_.wait([&] { return !heard_.notices.empty(); }));
}

TEST_F(WatcherTest, finds_a_service_that_comes_up_after_it) {
  WatcherSettings used = settings();
  used.base_aws = service_.url();
  used.is_ephemeral_for_certain = true;
  start(used);
  ASSERT_TRUE(service_.wait_asked(8));  // asked in vain more than detect_tries_max times
  Aws aws(service_);
  aws.set("instance-life-cycle", "spot");
  EXPECT_TRUE(heard_.wait([&] { return !heard_.found.empty(); }));
}

TEST_F(WatcherTest, is_not_taken_in_by_a_server_that_says_yes_to_everything) {
  for (const char* path : {"PUT /latest/api/token", "GET /latest/meta-data/instance-life-cycle",
                           "GET /computeMetadata/v1/instance/scheduling/preemptible",
                           "GET /metadata/instance/compute"}) {
    service_.on(path, text("<html>terminate TRUE Preempt {\"Events\":[</html>"));
  }
  WatcherSettings used = settings();
  used.base_aws = used.base_gcp = used.base_azure = service_.url();
  used.is_ephemeral_for_certain = true;
  start(used);
  ASSERT_TRUE(service_.wait_asked(30));
  watcher_.reset();
  EXPECT_TRUE(heard_.found.empty());
  EXPECT_TRUE(heard_.notices.empty());
}

TEST_F(WatcherTest, says_once_that_polls_go_unanswered) {
  Aws aws(service_);
  aws.set("instance-life-cycle", "spot");
  std::atomic<bool> is_broken{true};
  service_.on("GET /latest/meta-data/spot/instance-action",
              [&](const auto&, auto& response) { response.status = is_broken ? 500 : 404; });
  WatcherSettings used = settings();
  used.base_aws = service_.url();
  start(used);
  ASSERT_TRUE(heard_.wait([&] { return !heard_.problems.empty(); }));
  ASSERT_TRUE(service_.wait_asked(10));
  watcher_.reset();
  EXPECT_EQ(heard_.problems.size(), 1u);
  EXPECT_NE(heard_.problems[0].find("status 500"), std::string::npos) << heard_.problems[0];
}

TEST_F(WatcherTest, refuses_an_answer_that_has_no_end) {
  Aws aws(service_);
  aws.set("instance-life-cycle", "spot");
  service_.on(
      "GET /latest/meta-data/spot/instance-action",
      text(std::string(200'000, ' ') + R"({"action":"terminate","time":"2017-09-18T08:22:00Z"})"));
  WatcherSettings used = settings();
  used.base_aws = service_.url();
  start(used);
  ASSERT_TRUE(heard_.wait([&] { return !heard_.problems.empty(); }));
  EXPECT_NE(heard_.problems[0].find("larger than it may be"), std::string::npos)
      << heard_.problems[0];
  EXPECT_TRUE(heard_.notices.empty());
}

// A server that takes the connection and says nothing: told to stop, the watcher does not wait for
// it. The time allowed for an answer is far beyond the test's own.
TEST_F(WatcherTest, ends_at_once_while_a_silent_server_holds_its_question) {
  struct Door {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_held = false, may_go = false;
  };
  // Shared with the server's thread, which may wake from its wait after this body has ended.
  const auto door = std::make_shared<Door>();
  service_.on("PUT /latest/api/token", [door](const auto&, auto&) {
    std::unique_lock lock(door->mutex);
    door->is_held = true;
    door->changed.notify_all();
    door->changed.wait(lock, [&] { return door->may_go; });
  });
  WatcherSettings used = settings();
  used.base_aws = service_.url();
  used.http.answer_max = core::seconds(3600);
  start(used);
  {
    std::unique_lock lock(door->mutex);
    ASSERT_TRUE(door->changed.wait_for(lock, kPatience, [&] { return door->is_held; }));
  }
  watcher_.reset();
  std::unique_lock lock(door->mutex);
  door->may_go = true;
  lock.unlock();
  door->changed.notify_all();
  EXPECT_TRUE(heard_.found.empty());
}

TEST_F(WatcherTest, goes_on_to_the_next_provider_when_one_is_too_slow) {
  std::atomic<bool> may_go{false};
  Service slow;
  slow.on("PUT /latest/api/token", [&](const auto&, auto&) {
    while (!may_go) std::this_thread::yield();
  });
  service_.on("GET /metadata/instance/compute",
              text(R"({"name":"gpu-7","priority":"Spot","vmId":"02aab8a4"})"));
  WatcherSettings used = settings();
  used.base_aws = slow.url();
  used.base_azure = service_.url();
  used.http.answer_max = core::milliseconds(50);
  start(used);
  EXPECT_TRUE(heard_.wait([&] { return !heard_.found.empty(); }));
  may_go = true;
}

}  // namespace
}  // namespace syncline::spot
