#include "transports/ssh/ssh_transport.hpp"

#include <gtest/gtest.h>

#include "tests/conformance/transport_conformance.hpp"
#include "transports/ssh/ssh_test_support.hpp"

namespace syncline::transports {
namespace {

using ssh::Sshd;
using ssh::SshTransport;
using ssh::write_file;

class SshRig final : public Rig {
 public:
  SshRig() : transport_(sshd_.folder() + "/state of ssh") {}
  Transport& transport() override { return transport_; }
  Source serve(const std::string& path, const TestObject&, const std::string& bytes) override {
    write_file(sshd_.root() + "/" + path, bytes);
    return {core::NodeId("far"), "", sshd_.endpoint()};
  }
  Source serve_nothing() override { return {core::NodeId("far"), "", sshd_.endpoint()}; }
  Source unreachable() override {
    Source source{core::NodeId("gone"), "", sshd_.endpoint()};
    source.ssh.port = ssh::free_port();
    return source;
  }
  // Where rsync compares, it sends the sums of the blocks that stand there.
  std::uint64_t wire_bytes_max(std::uint64_t bytes) const override {
    return bytes + bytes / 10 + (2u << 20);
  }
  Sshd& sshd() { return sshd_; }

 private:
  Sshd sshd_;
  SshTransport transport_;
};

std::unique_ptr<Rig> make_ssh_rig() {
  return std::make_unique<SshRig>();
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Ssh, TransportConformance, testing::Values(&make_ssh_rig));

namespace {

class SshTransportTest : public TransportConformance {
 protected:
  SshRig& rig() { return static_cast<SshRig&>(*rig_); }
};
INSTANTIATE_TEST_SUITE_P(Ssh, SshTransportTest, testing::Values(&make_ssh_rig));

TEST_P(SshTransportTest, goes_on_when_the_far_side_is_killed_in_mid_transfer) {
  const TestObject object = test_object(test_bytes(48u << 20));
  const Source source = rig().serve("model.pth", object, object.content);
  Fetching first(rig().transport());
  FetchRequest slow = request("model.pth", object, {source});
  slow.bandwidth_mbps = 8;
  first.start(slow);
  ASSERT_TRUE(first.comes_to(6u << 20));
  ASSERT_GT(rig().sshd().kill_sessions(), 0);
  const FetchOutcome broken = first.outcome();
  ASSERT_FALSE(broken.status.ok());
  EXPECT_EQ(broken.status.error().kind, core::ErrorKind::kUnreachable)
      << core::to_string(broken.status.error());
  EXPECT_EQ(broken.node, source.node);

  Fetching second(rig().transport());
  second.start(request("model.pth", object, {source}));
  const FetchOutcome outcome = second.outcome();
  ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
  EXPECT_TRUE(destination_->content() == object.content);
  EXPECT_LE(outcome.bytes, object.content.size() - first.seen() + (4u << 20));
}

// rsync cannot change its speed: it is begun anew on top of what has come.
TEST_P(SshTransportTest, slows_down_while_it_runs) {
  const TestObject object = test_object(test_bytes(48'000'000));
  FetchRequest fast =
      request("model.pth", object, {rig().serve("model.pth", object, object.content)});
  fast.bandwidth_mbps = 8;  // 6 s
  Fetching fetching(rig().transport());
  const auto begin = std::chrono::steady_clock::now();
  fetching.start(fast);
  ASSERT_TRUE(fetching.comes_to(4'000'000));
  rig().transport().pace(fast.job, 2);
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
  EXPECT_TRUE(destination_->content() == object.content);
  EXPECT_GT(std::chrono::steady_clock::now() - begin, core::seconds(8));
}

TEST_P(SshTransportTest, logs_in_once_for_jobs_that_follow_each_other) {
  for (int i = 0; i < 3; ++i) expect_fetched("model.pth", test_object(test_bytes(50'000)));
  EXPECT_EQ(rig().sshd().logins(), 1);
}

TEST_P(SshTransportTest, a_cancelled_job_leaves_the_shared_connection_to_the_others) {
  const TestObject object = test_object(test_bytes(48u << 20));
  expect_fetched("other", test_object(test_bytes(50'000)));
  Fetching fetching(rig().transport());
  FetchRequest slow =
      request("model.pth", object, {rig().serve("model.pth", object, object.content)});
  slow.bandwidth_mbps = 4;
  fetching.start(slow);
  ASSERT_TRUE(fetching.comes_to(1u << 20));
  rig().transport().cancel(slow.job);
  EXPECT_FALSE(fetching.outcome().status.ok());
  expect_fetched("another", test_object(test_bytes(60'000)));
  EXPECT_EQ(rig().sshd().logins(), 1);
}

TEST_P(SshTransportTest, refuses_a_host_whose_key_changed_or_is_unknown) {
  const TestObject object = test_object(test_bytes(1000));
  Source source = rig().serve("model.pth", object, object.content);
  source.ssh.known_hosts_file = rig().sshd().file("known-wrong");
  const core::Error changed = error_of(object, source);
  EXPECT_EQ(changed.kind, core::ErrorKind::kInvalid);
  EXPECT_NE(changed.what.find("another host key"), std::string::npos) << changed.what;
  source.ssh.known_hosts_file = rig().sshd().file("known-none");
  const core::Error unknown = error_of(object, source);
  EXPECT_EQ(unknown.kind, core::ErrorKind::kInvalid);
  EXPECT_NE(unknown.what.find("not in the file of known hosts"), std::string::npos) << unknown.what;
}

TEST_P(SshTransportTest, says_that_the_login_was_refused) {
  const TestObject object = test_object(test_bytes(1000));
  Source source = rig().serve("model.pth", object, object.content);
  source.ssh.key_file = rig().sshd().file("stranger");
  const core::Error error = error_of(object, source);
  EXPECT_EQ(error.kind, core::ErrorKind::kInvalid);
  EXPECT_NE(error.what.find("far refused the login"), std::string::npos) << error.what;
}

TEST_P(SshTransportTest, says_that_the_far_side_has_no_rsync) {
  Sshd bare("/nowhere");
  const TestObject object = test_object(test_bytes(1000));
  write_file(bare.root() + "/model.pth", object.content);
  const core::Error error = error_of(object, {core::NodeId("bare"), "", bare.endpoint()});
  EXPECT_EQ(error.kind, core::ErrorKind::kInvalid);
  EXPECT_EQ(error.what, "bare has no rsync: install it there");
}

TEST_P(SshTransportTest, a_file_of_another_size_is_a_conflict_and_is_not_copied) {
  const TestObject object = test_object(test_bytes(1000));
  for (const std::size_t size : {999, 5000}) {
    const core::Error error =
        error_of(object, rig().serve("model.pth", object, test_bytes(size, 2)));
    EXPECT_EQ(error.kind, core::ErrorKind::kConflict) << core::to_string(error);
    EXPECT_EQ(destination_->content().size(), 1000u);
  }
}

TEST_P(SshTransportTest, a_missing_file_is_missing) {
  const core::Error error = error_of(test_object(test_bytes(1000)), rig().serve_nothing());
  EXPECT_EQ(error.kind, core::ErrorKind::kMissing) << core::to_string(error);
}

TEST_P(SshTransportTest, refuses_paths_and_endpoints_that_are_not_plain) {
  const TestObject object = test_object(test_bytes(1000));
  const Source good = rig().serve("model.pth", object, object.content);
  for (const char* path : {"../x", "a/../../x", "/etc/passwd", "", "a//b", "."}) {
    EXPECT_NE(rig().transport().why_not(request(path, object, {good})), "") << path;
  }
  for (const char* host : {"-oProxyCommand=id", "a b", "h\nProxyCommand id", "h%h"}) {
    Source bad = good;
    bad.ssh.host = host;
    EXPECT_NE(rig().transport().why_not(request("model.pth", object, {bad})), "") << host;
  }
  Source bad = good;
  bad.ssh.key_file = "/tmp/\"key";
  EXPECT_NE(rig().transport().why_not(request("model.pth", object, {bad})), "");
}

TEST_P(SshTransportTest, keeps_its_sockets_short_and_private_in_a_long_state_folder) {
  const std::string deep = folder_ + "/" + std::string(100, 'd') + "/ssh";
  SshTransport transport(deep);
  const TestObject object = test_object(test_bytes(1000));
  Fetching fetching(transport);
  fetching.start(request("model.pth", object, {rig().serve("model.pth", object, object.content)}));
  const FetchOutcome outcome = fetching.outcome();
  EXPECT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
  EXPECT_EQ(std::filesystem::status(deep).permissions(), std::filesystem::perms::owner_all);
  transport.close();
}

}  // namespace
}  // namespace syncline::transports
