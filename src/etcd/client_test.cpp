// Against a real etcd: a member on loopback, started for the test.
#include "etcd/client.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "env/subprocess.hpp"

namespace syncline::etcd {
namespace {

using core::ErrorKind;

class EtcdTest : public testing::Test {
 protected:
  EtcdTest() {
    std::string pattern = testing::TempDir() + "etcd_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    start();
  }
  ~EtcdTest() override {
    stop();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    const std::string client = "http://127.0.0.1:" + std::to_string(port_);
    const std::string peer = "http://127.0.0.1:" + std::to_string(port_ + 1);
    auto started = env::Subprocess::start(
        {{"etcd", "--data-dir", folder_, "--listen-client-urls", client, "--advertise-client-urls",
          client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
          "--initial-cluster", "default=" + peer, "--log-level", "error"},
         {"ETCD_UNSUPPORTED_ARCH=arm64"},
         "/"});
    ASSERT_TRUE(started.ok()) << core::to_string(started.error());
    process_.emplace(std::move(*started));
    for (int i = 0; i < 200 && !client_.get("any").ok(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ASSERT_TRUE(client_.get("any").ok()) << core::to_string(client_.get("any").error());
  }
  void stop() {
    if (process_) process_->end(core::seconds(2));
    process_.reset();
  }
  static core::EtcdConfig config(int port) {
    core::EtcdConfig config;
    // The first endpoint never answers: the next is tried.
    config.endpoints = {"http://127.0.0.1:1", "http://127.0.0.1:" + std::to_string(port)};
    config.timeout_ms = 1000;
    return config;
  }

  const int port_ = 21000 + static_cast<int>(::getpid() % 4000) * 2;
  std::string folder_;
  std::optional<env::Subprocess> process_;
  Client client_{config(port_)};
};

TEST_F(EtcdTest, the_first_to_put_its_name_has_the_key_until_its_lease_ends) {
  const auto lease = client_.grant(10);
  ASSERT_TRUE(lease.ok()) << core::to_string(lease.error());
  EXPECT_GT(lease->id, 0);
  const auto first = client_.put_if_absent("k", "node-a", lease->id);
  ASSERT_TRUE(first.ok()) << core::to_string(first.error());
  EXPECT_EQ(first->text, "node-a");
  EXPECT_EQ(first->lease, lease->id);
  const auto other = client_.grant(10);
  const auto second = client_.put_if_absent("k", "node-b", other->id);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->text, "node-a") << "it was there";
  EXPECT_EQ(second->create_revision, first->create_revision);

  const auto kept = client_.keep_alive(lease->id);
  ASSERT_TRUE(kept.ok()) << core::to_string(kept.error());
  EXPECT_EQ(kept->ttl_s, 10);

  ASSERT_TRUE(client_.revoke(lease->id).ok());
  EXPECT_EQ(client_.get("k")->text, "") << "the name goes with its lease";
  const auto third = client_.put_if_absent("k", "node-b", other->id);
  EXPECT_EQ(third->text, "node-b");
  EXPECT_GT(third->create_revision, first->create_revision);
}

TEST_F(EtcdTest, a_lease_that_has_ended_is_told_of) {
  const auto lease = client_.grant(10);
  ASSERT_TRUE(client_.revoke(lease->id).ok());
  const auto kept = client_.keep_alive(lease->id);
  ASSERT_TRUE(kept.ok()) << core::to_string(kept.error());
  EXPECT_EQ(kept->ttl_s, 0);
  const auto put = client_.put_if_absent("k", "node-a", lease->id);
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().kind, ErrorKind::kMissing) << core::to_string(put.error());
}

TEST_F(EtcdTest, one_that_is_gone_is_an_error_with_its_address) {
  stop();
  const auto gone = client_.get("k");
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().kind, ErrorKind::kUnreachable);
  EXPECT_NE(core::to_string(gone.error()).find("127.0.0.1"), std::string::npos);
}

}  // namespace
}  // namespace syncline::etcd
