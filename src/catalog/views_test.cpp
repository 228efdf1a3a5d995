#include "catalog/views.hpp"

#include <gtest/gtest.h>

namespace syncline::catalog {
namespace {

TEST(NodeSelf, comes_back_as_it_was_told) {
  NodeSelf self;
  self.roles = {"training", "backup"};
  self.provider = "vast";
  self.host = "m-1";
  self.storage = "nas:/export one";
  self.advertise = "10.0.0.1:8750";
  self.is_ephemeral = true;
  self.acks = 2;
  self.free_bytes = 1u << 30;
  self.total_bytes = 1ull << 40;
  const auto back = decode_node_self(encode(self));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, self);
}

TEST(NodeSelf, skips_what_a_newer_node_tells) {
  const auto self = decode_node_self("host h\nfuture thing\n");
  ASSERT_TRUE(self.ok());
  EXPECT_EQ(self->host, "h");
}

TEST(NodeSelf, refuses_what_no_node_tells) {
  for (const char* text : {"host", "host h", "free many\n", "free -1\n", "\n"}) {
    EXPECT_FALSE(decode_node_self(text).ok()) << text;
  }
  EXPECT_FALSE(decode_node_self(std::string(20000, 'x')).ok());
}

TEST(Keys, come_back_as_they_were_made) {
  const core::LogId log{core::CollectionName("games"), core::NodeId("spot-1"), {7}};
  EXPECT_EQ(parse_log_key(log_key(log)), log);
  const auto object = parse_object_key(object_key(core::CollectionName("models"), "a/b c.pth"));
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(object->second, "a/b c.pth");
  for (const char* key : {"log/", "log/games/x", "log/games/x/", "log/games//1", "log/g/x/1y",
                          "obj/", "obj/games", "obj//x", "obj/games/", "fp/", "fp/a/b", "self"}) {
    EXPECT_FALSE(parse_log_key(key) || parse_object_key(key) || parse_fingerprint_key(key)) << key;
  }
}

}  // namespace
}  // namespace syncline::catalog
