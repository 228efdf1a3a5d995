// Real programs, and a real web server on loopback.
#include "hooks/hooks.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "env/files.hpp"
#include "hooks/deliver.hpp"

namespace syncline::hooks {
namespace {

class HooksTest : public testing::Test {
 protected:
  HooksTest() {
    char name[] = "/tmp/syncline-hooks-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~HooksTest() override { std::filesystem::remove_all(folder_); }

  std::string script(const std::string& body) {
    const std::string path = folder_ + "/hook.sh";
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  core::HookConfig running(const std::string& program) {
    core::HookConfig config;
    config.name = "script";
    config.on = {"*"};
    config.run = {program, "one argument"};
    config.pause_s = 0;
    return config;
  }
  std::unique_ptr<Hooks> start(const core::HookConfig& config) {
    auto hooks = Hooks::start({config}, "home", clock_,
                              [this](const std::string& s) { problems_.push_back(s); });
    EXPECT_TRUE(hooks.ok());
    return std::move(hooks).value();
  }
  template <typename Done>
  bool comes(Done done) {
    for (int i = 0; i < 2000 && !done(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return done();
  }
  std::string written() {
    const auto text = env::read_file(folder_ + "/out", 10'000);
    return text.ok() ? *text : "";
  }

  std::string folder_;
  env::SystemClock clock_;
  std::vector<std::string> problems_;  // read only after close()
};

TEST_F(HooksTest, a_program_gets_the_event_on_its_input_and_in_its_environment) {
  const std::string out = folder_ + "/out";
  const std::string body = "read line; echo $SYNCLINE_EVENT $SYNCLINE_NODE $1 $line >> " + out;
  const auto hooks = start(running(script(body)));
  EXPECT_TRUE(hooks->wants("node_dead"));
  hooks->offer({"node_dead", "{'message':'$(touch /tmp/never)'}"});
  ASSERT_TRUE(comes([&] { return hooks->states()[0].delivered == 1; }));
  EXPECT_EQ(written(), "node_dead home one argument {'message':'$(touch /tmp/never)'}\n");
}

TEST_F(HooksTest, a_program_that_fails_is_tried_again_and_its_last_words_are_kept) {
  core::HookConfig config = running(script("echo 'disk of pager full' >&2; exit 7"));
  config.tries = 2;
  const auto hooks = start(config);
  hooks->offer({"node_dead", "{}"});
  ASSERT_TRUE(comes([&] { return hooks->states()[0].given_up == 1; }));
  EXPECT_EQ(hooks->states()[0].last_error, "it ended with 7: disk of pager full");
  hooks->close(core::seconds(1));
  EXPECT_EQ(problems_.size(), 1u) << "said once, not with every try";
}

TEST_F(HooksTest, a_program_that_hangs_is_ended_and_the_daemon_need_not_wait_for_it) {
  core::HookConfig config = running(script("sleep 60"));
  config.timeout_s = 50;
  const auto hooks = start(config);
  hooks->offer({"node_dead", "{}"});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const core::Instant begun = clock_.now();
  hooks->close(core::milliseconds(100));
  EXPECT_LT(clock_.now() - begun, core::seconds(10));
}

TEST_F(HooksTest, what_waits_is_told_before_the_daemon_ends) {
  const auto hooks = start(running(script("cat >> " + folder_ + "/out")));
  for (const char* json : {"1", "2", "3"}) hooks->offer({"node_dead", json});
  hooks->close(core::seconds(20));
  EXPECT_EQ(written(), "1\n2\n3\n");
}

TEST_F(HooksTest, a_post_is_signed_and_tried_again_until_it_is_taken) {
  httplib::Server server;
  std::mutex mutex;
  std::vector<httplib::Request> got;
  server.Post("/hook", [&](const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(mutex);
    got.push_back(request);
    response.status = got.size() < 3 ? 503 : 204;
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread serving([&] { server.listen_after_bind(); });
  std::ofstream(folder_ + "/secret") << "s3cret\n";
  core::HookConfig config;
  config.name = "web";
  config.on = {"node_*"};
  config.post = "http://127.0.0.1:" + std::to_string(port) + "/hook";
  config.secret_file = folder_ + "/secret";
  config.pause_s = 0;
  const auto hooks = start(config);
  hooks->offer({"data_sync_completed", "{}"});  // not asked for
  const std::string event = R"({"node":"spot-1"})";
  hooks->offer({"node_dead", event});
  EXPECT_TRUE(comes([&] { return hooks->states()[0].delivered == 1; }));
  hooks->close(core::seconds(1));
  server.stop();
  serving.join();
  ASSERT_EQ(got.size(), 3u);
  for (const httplib::Request& request : got) {
    EXPECT_EQ(request.body, event);
    EXPECT_EQ(request.get_header_value("X-Syncline-Event"), "node_dead");
    EXPECT_EQ(request.get_header_value("X-Syncline-Signature"), signature("s3cret", request.body));
  }
}

TEST(Signature, is_hmac_sha256_as_rfc_4231_has_it) {
  EXPECT_EQ(signature("Jefe", "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_F(HooksTest, a_secret_that_cannot_be_read_is_refused) {
  core::HookConfig config = running("/bin/true");
  config.secret_file = folder_ + "/nothing";
  EXPECT_FALSE(Hooks::start({config}, "home", clock_, {}).ok());
}

}  // namespace
}  // namespace syncline::hooks
