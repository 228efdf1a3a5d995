// The transport over a real aria2c and HTTPS servers that want a certificate of the fleet.
#include "transports/aria2/aria2_transport.hpp"

#include <gtest/gtest.h>
#include <httplib.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>

#include "tests/conformance/transport_conformance.hpp"
#include "transports/test_authority.hpp"

namespace syncline::transports {
namespace {

using aria2::Aria2Transport;

// An HTTPS server on loopback that holds objects and wants a certificate of the fleet: what a node
// is to aria2c.
class Holder {
 public:
  explicit Holder(const KeyFiles& own)
      : server_(own.certificate.c_str(), own.key.c_str(), own.authority.c_str()) {
    server_.Get(
        "/objects/(.*)", [this](const httplib::Request& request, httplib::Response& response) {
          const std::lock_guard lock(mutex_);
          const auto at = objects_.find(request.matches[1].str());
          if (at == objects_.end()) {
            response.status = 404;
            return;
          }
          ++requests_;
          const auto bytes = at->second;
          response.set_content_provider(
              bytes->size(), "application/octet-stream",
              [bytes](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                return sink.write(bytes->data() + offset, std::min<std::size_t>(length, 64u << 10));
              });
        });
    port_ = server_.bind_to_any_port("127.0.0.1");
    SYNCLINE_CHECK(port_ > 0, "no port");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~Holder() { stop(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  void stop() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }
  void hold(const core::Root& root, std::string bytes) {
    const std::lock_guard lock(mutex_);
    objects_[core::to_hex(root)] = std::make_shared<const std::string>(std::move(bytes));
  }
  int requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::string url(const std::string& host = "127.0.0.1") const {
    return "https://" + host + ":" + std::to_string(port_);
  }

 private:
  httplib::SSLServer server_;
  std::thread thread_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const std::string>> objects_;
  int requests_ = 0;
  int port_ = 0;
};

aria2::Certificates certificates(const KeyFiles& files) {
  return {files.certificate, files.key, files.authority};
}

class Aria2Rig final : public Rig {
 public:
  Aria2Rig()
      : holder_(fleet_.issue("far")),
        empty_(fleet_.issue("empty")),
        transport_(fleet_.file("state of aria2"), certificates(fleet_.issue("here"))) {}
  Transport& transport() override { return transport_; }
  Source serve(const std::string&, const TestObject& object, const std::string& bytes) override {
    holder_.hold(object.object.root, bytes);
    return source("far", holder_);
  }
  Source serve_nothing() override { return source("empty", empty_); }
  Source unreachable() override {
    Holder gone(fleet_.issue("gone"));
    return source("gone", gone);
  }
  // It asks again for what a connection had under way.
  std::uint64_t wire_bytes_max(std::uint64_t bytes) const override {
    return bytes + bytes / 10 + (4u << 20);
  }

  Source source(const std::string& name, const Holder& holder) {
    Source made;
    made.node = core::NodeId(name);
    made.objects_url = holder.url();
    return made;
  }
  Authority& fleet() { return fleet_; }
  Holder& holder() { return holder_; }
  Aria2Transport& aria2() { return transport_; }

 private:
  Authority fleet_;
  Holder holder_;
  Holder empty_;
  Aria2Transport transport_;
};

std::unique_ptr<Rig> make_aria2_rig() {
  return std::make_unique<Aria2Rig>();
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Aria2, TransportConformance, testing::Values(&make_aria2_rig));

namespace {

class Aria2TransportTest : public TransportConformance {
 protected:
  Aria2Rig& rig() { return static_cast<Aria2Rig&>(*rig_); }
};
INSTANTIATE_TEST_SUITE_P(Aria2, Aria2TransportTest, testing::Values(&make_aria2_rig));

TEST_P(Aria2TransportTest, takes_ranges_from_several_holders_at_once) {
  const TestObject object = test_object(test_bytes(40u << 20));
  Holder other(rig().fleet().issue("other"));
  other.hold(object.object.root, object.content);
  const std::vector<Source> sources = {rig().serve("model.pth", object, object.content),
                                       rig().source("other", other)};
  Fetching fetching(rig().transport());
  fetching.start(request("model.pth", object, sources));
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
  EXPECT_TRUE(destination_->content() == object.content);
  EXPECT_GT(rig().holder().requests(), 0);
  EXPECT_GT(other.requests(), 0);
}

TEST_P(Aria2TransportTest, goes_on_with_the_others_when_a_holder_goes_away) {
  const TestObject object = test_object(test_bytes(32u << 20));
  Holder other(rig().fleet().issue("other"));
  other.hold(object.object.root, object.content);
  FetchRequest asked =
      request("model.pth", object,
              {rig().source("other", other), rig().serve("model.pth", object, object.content)});
  asked.bandwidth_mbps = 16;
  Fetching fetching(rig().transport());
  fetching.start(asked);
  ASSERT_TRUE(fetching.comes_to(4u << 20));
  other.stop();
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
  EXPECT_TRUE(destination_->content() == object.content);
}

TEST_P(Aria2TransportTest, changes_its_pace_while_it_runs) {
  const TestObject object = test_object(test_bytes(32u << 20));
  expect_its_pace_can_change(
      rig().transport(),
      request("model.pth", object, {rig().serve("model.pth", object, object.content)}));
}

TEST_P(Aria2TransportTest, an_aria2c_that_was_killed_is_started_again_and_goes_on) {
  const TestObject object = test_object(test_bytes(64u << 20));
  const Source source = rig().serve("model.pth", object, object.content);
  FetchRequest slow = request("model.pth", object, {source});
  slow.bandwidth_mbps = 10;
  Fetching first(rig().transport());
  first.start(slow);
  ASSERT_TRUE(first.comes_to(36u << 20)) << "several times what it saves between";
  const int pid = rig().aria2().program().pid();
  ASSERT_GT(pid, 0);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  const FetchOutcome broken = first.outcome();
  ASSERT_FALSE(broken.status.ok());
  EXPECT_EQ(broken.status.error().kind, core::ErrorKind::kUnreachable);

  Fetching second(rig().transport());
  second.start(request("model.pth", object, {source}));
  const FetchOutcome outcome = second.outcome();
  ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
  EXPECT_TRUE(destination_->content() == object.content);
  EXPECT_NE(rig().aria2().program().pid(), pid);
  EXPECT_LT(outcome.bytes, object.content.size() - (4u << 20)) << "what was saved is kept";
}

TEST_P(Aria2TransportTest, trusts_nobody_whose_certificate_is_not_of_the_fleet_and_of_that_host) {
  const TestObject object = test_object(test_bytes(1u << 20));
  Authority strangers;
  Holder stranger(strangers.issue("stranger"));
  stranger.hold(object.object.root, object.content);
  EXPECT_EQ(error_of(object, rig().source("stranger", stranger), kImpatient).kind,
            core::ErrorKind::kUnreachable);
  Holder elsewhere(rig().fleet().issue("elsewhere", "DNS:elsewhere"));
  elsewhere.hold(object.object.root, object.content);
  EXPECT_EQ(error_of(object, rig().source("elsewhere", elsewhere), kImpatient).kind,
            core::ErrorKind::kUnreachable);
  EXPECT_EQ(stranger.requests() + elsewhere.requests(), 0);
}

TEST_P(Aria2TransportTest, after_wrong_bytes_all_of_it_is_fetched_again) {
  const TestObject object = test_object(test_bytes(12u << 20));
  std::string wrong = object.content;
  wrong[5u << 20] ^= 1;
  EXPECT_EQ(error_of(object, rig().serve("model.pth", object, wrong), kImpatient).kind,
            core::ErrorKind::kCorrupt);
  expect_fetched("model.pth", object);
}

TEST_P(Aria2TransportTest, the_secret_is_no_argument_and_its_file_is_private) {
  expect_fetched("model.pth", test_object(test_bytes(1000)));
  const int pid = rig().aria2().program().pid();
  std::ostringstream arguments;
  arguments << std::ifstream("/proc/" + std::to_string(pid) + "/cmdline").rdbuf();
  EXPECT_NE(arguments.str().find("aria2c"), std::string::npos);
  EXPECT_EQ(arguments.str().find("secret"), std::string::npos);
  const auto file = rig().fleet().file("state of aria2/aria2.conf");
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_P(Aria2TransportTest, ends_with_its_owner) {
  expect_fetched("model.pth", test_object(test_bytes(1000)));
  const int pid = rig().aria2().program().pid();
  rig().transport().close();
  EXPECT_NE(::kill(pid, 0), 0);
}

}  // namespace
}  // namespace syncline::transports
