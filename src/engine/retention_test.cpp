#include "engine/retention.hpp"

#include <gtest/gtest.h>

#include "catalog/views.hpp"
#include "core/sha256.hpp"

namespace syncline::engine {
namespace {

using core::CollectionName;
using core::NodeId;
using core::seconds;

const NodeId kSelf("spot");
const CollectionName kNpz("npz");
constexpr std::int64_t kMadeMs = 1'700'000'000'000;

class RetentionTest : public testing::Test {
 protected:
  RetentionTest() {
    config_.node.id = kSelf;
    config_.durability.acks = 1;
    core::CollectionConfig npz;
    npz.name = kNpz;
    npz.root = "/npz";
    npz.retain_s = 3600;
    npz.copies = 2;
    config_.collections = {npz};
    for (const char* name : {"spot", "a", "b", "c"})
      live(NodeId(name), std::string("host-") + name);
  }
  void live(const NodeId& node, const std::string& host) {
    catalog::NodeSelf self;
    self.host = host;
    self.storage = "disk-" + host;
    view_.apply(node, catalog::kSelfKey, encode(self), false);
  }
  void holds(const NodeId& node, const std::string& content = "x") {
    core::ObjectVersion version;
    version.root = core::sha256(content);
    version.hlc = static_cast<std::uint64_t>(kMadeMs) << 16;
    version.origin = kSelf;
    version.version.counters[kSelf] = 1;
    view_.apply(node, catalog::object_key(kNpz, "t.npz"), core::encode(version), false);
  }
  std::vector<RemoveFile> removed(std::int64_t age_s = 7200) {
    Retention retention(config_, view_, {[this](const CollectionName&) -> const std::set<NodeId>& {
                          return wanted_;
                        }});
    Actions out;
    retention.plan({}, out);
    EXPECT_TRUE(out.empty()) << "without a clock nothing is old";
    retention.clock_told({kMadeMs + age_s * 1000});
    retention.plan({}, out);
    std::vector<RemoveFile> all;
    for (const Action& action : out) {
      if (const auto* one = std::get_if<RemoveFile>(&action)) all.push_back(*one);
    }
    return all;
  }
  core::Config config_;
  FleetView view_{kSelf};
  std::set<NodeId> wanted_{NodeId("a"), NodeId("b")};
};

TEST_F(RetentionTest, an_old_file_that_enough_of_those_who_want_it_hold_goes) {
  holds(kSelf);
  holds(NodeId("a"));
  holds(NodeId("b"));
  ASSERT_EQ(removed().size(), 1u);
  EXPECT_EQ(removed()[0].expected, core::sha256("x"));
}

TEST_F(RetentionTest, everything_else_stays) {
  struct Case {
    const char* what;
    std::function<void()> change;
    std::int64_t age_s = 7200;
  };
  const Case cases[] = {
      {"it is young", [] {}, 60},
      {"one copy too few",
       [&] { view_.apply(NodeId("b"), catalog::object_key(kNpz, "t.npz"), "", true); }},
      {"another version there", [&] { holds(NodeId("b"), "y"); }},
      {"a holder is gone", [&] { view_.set_absent({NodeId("b")}); }},
      {"two holders share a machine", [&] { live(NodeId("b"), "host-a"); }},
      {"a holder shares this one's", [&] { live(NodeId("b"), "host-spot"); }},
      {"a holder does not want it",
       [&] {
         wanted_ = {NodeId("a"), NodeId("c")};
       }},
      {"this node wants it", [&] { wanted_.insert(kSelf); }},
      {"it is kept for ever", [&] { config_.collections[0].retain_s = 0; }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    view_ = FleetView(kSelf);
    wanted_ = {NodeId("a"), NodeId("b")};
    config_.collections[0].retain_s = 3600;
    for (const char* name : {"spot", "a", "b", "c"})
      live(NodeId(name), std::string("host-") + name);
    holds(kSelf);
    holds(NodeId("a"));
    holds(NodeId("b"));
    c.change();
    EXPECT_TRUE(removed(c.age_s).empty());
  }
}

}  // namespace
}  // namespace syncline::engine
