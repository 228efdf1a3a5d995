#include "transports/nfs/nfs_transport.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/conformance/transport_conformance.hpp"

namespace syncline::transports {
namespace {

using nfs::NfsTransport;

class NfsRig final : public Rig {
 public:
  NfsRig() {
    char name[] = "/tmp/syncline-nfs-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~NfsRig() override { std::filesystem::remove_all(folder_); }
  Transport& transport() override { return transport_; }
  Source serve(const std::string& path, const TestObject&, const std::string& bytes) override {
    const std::filesystem::path file = root() + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return at(root());
  }
  Source serve_nothing() override { return at(root()); }
  Source unreachable() override { return at(folder_ + "/not there"); }
  bool is_local() const override { return true; }
  std::string root() const { return folder_ + "/root"; }
  static Source at(const std::string& root) {
    Source source;
    source.node = core::NodeId("beside");
    source.local_root = root;
    return source;
  }

 private:
  std::string folder_;
  NfsTransport transport_;
};

std::unique_ptr<Rig> make_nfs_rig() {
  return std::make_unique<NfsRig>();
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Nfs, TransportConformance, testing::Values(&make_nfs_rig));

namespace {

class NfsTransportTest : public TransportConformance {
 protected:
  NfsRig& rig() { return static_cast<NfsRig&>(*rig_); }
};
INSTANTIATE_TEST_SUITE_P(Nfs, NfsTransportTest, testing::Values(&make_nfs_rig));

TEST_P(NfsTransportTest, moves_nothing_over_the_wire) {
  const TestObject object = test_object(test_bytes(3u << 20));
  Fetching fetching(rig().transport());
  fetching.start(request("m.pth", object, {rig().serve("m.pth", object, object.content)}));
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_TRUE(outcome.status.ok()) << core::to_string(outcome.status.error());
  EXPECT_EQ(outcome.bytes, 0u);
}

TEST_P(NfsTransportTest, does_not_follow_a_link_out_of_the_other_nodes_root) {
  const TestObject object = test_object("secret");
  const Source source = rig().serve("inside.txt", object, object.content);
  std::filesystem::create_symlink(rig().root() + "/inside.txt", rig().root() + "/link.txt");
  Fetching fetching(rig().transport());
  fetching.start(request("link.txt", object, {source}));
  const FetchOutcome outcome = fetching.outcome();
  ASSERT_FALSE(outcome.status.ok());
  EXPECT_EQ(outcome.status.error().kind, core::ErrorKind::kUnreachable);
}

TEST_P(NfsTransportTest, takes_the_second_source_when_the_first_cannot_be_read) {
  const TestObject object = test_object(test_bytes(1000));
  Fetching fetching(rig().transport());
  fetching.start(request("m.pth", object,
                         {rig().unreachable(), rig().serve("m.pth", object, object.content)}));
  EXPECT_TRUE(fetching.outcome().status.ok());
}

}  // namespace
}  // namespace syncline::transports
