#include "engine/fleet_view.hpp"

#include <gtest/gtest.h>

namespace syncline::engine {
namespace {

using core::NodeId;

class Domains : public testing::Test {
 protected:
  void stands(const std::string& node, const std::string& host) {
    catalog::NodeSelf self;
    self.host = host;
    self.storage = "local:" + host;
    view_.apply(NodeId(node), catalog::kSelfKey, catalog::encode(self), false);
  }
  int count(std::initializer_list<const char*> nodes, const std::string& origin) {
    std::set<NodeId> ids;
    for (const char* node : nodes) ids.insert(NodeId(node));
    return view_.count_domains(ids, NodeId(origin));
  }
  FleetView view_{NodeId("home")};
};

TEST_F(Domains, a_copy_beside_its_origin_is_none) {
  stands("origin", "one");
  stands("beside", "one");
  stands("far", "two");
  EXPECT_EQ(count({"beside", "far"}, "origin"), 1);
}

TEST_F(Domains, who_has_not_told_where_it_stands_counts_for_nothing) {
  stands("origin", "one");
  EXPECT_EQ(count({"stranger"}, "origin"), 0);
}

TEST_F(Domains, while_the_origin_is_unknown_one_of_the_others_may_stand_beside_it) {
  stands("a", "one");
  stands("b", "two");
  EXPECT_EQ(count({"a", "b"}, "origin"), 1);
  EXPECT_EQ(count({}, "origin"), 0);
  stands("origin", "three");
  EXPECT_EQ(count({"a", "b"}, "origin"), 2) << "what was counted before is counted anew";
}

TEST_F(Domains, the_place_of_a_removed_origin_matters_no_more) {
  stands("origin", "one");
  stands("beside", "one");
  stands("far", "two");
  view_.removed(NodeId("origin"));
  EXPECT_EQ(count({"beside", "far"}, "origin"), 2);
}

TEST_F(Domains, absent_nodes_count_for_nothing_until_they_are_back) {
  stands("origin", "one");
  stands("far", "two");
  view_.set_absent({NodeId("far")});
  EXPECT_EQ(count({"far"}, "origin"), 0);
  view_.set_absent({});
  EXPECT_EQ(count({"far"}, "origin"), 1);
}

TEST(RemovedKey, is_read_back_and_nothing_else_is) {
  EXPECT_EQ(parse_removed_key(removed_key(NodeId("spot-17"))), NodeId("spot-17"));
  EXPECT_EQ(parse_removed_key("self"), std::nullopt);
}

}  // namespace
}  // namespace syncline::engine
