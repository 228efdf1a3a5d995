// Objects whole, by HEAD and by ranges.
#include <gtest/gtest.h>
#include <httplib.h>

#include "http/json.hpp"
#include "http/server_fixture.hpp"

namespace syncline::http {
namespace {

constexpr const char* kRoot = "00000000000000000000000000000000000000000000000000000000000000aa";

class ObjectsTest : public ServerTest {
 protected:
  httplib::Client local() const {
    httplib::Client client(socket(), 80);
    client.set_address_family(AF_UNIX);
    client.set_read_timeout(20);
    return client;
  }
};

std::string error_of(const httplib::Result& answer) {
  if (!answer) return "no answer";
  const auto error = from_json<ErrorAnswer>(answer->body, Strictness::kStrict);
  return error.ok() ? error->error.what : "no error body: " + answer->body;
}

class ObjectTest : public ObjectsTest {
 protected:
  void SetUp() override {
    ObjectsTest::SetUp();
    for (int i = 0; i < 1'000'000; ++i) content_ += static_cast<char>('a' + i % 23);
    api_.objects[kRoot] = content_;
    api_.objects[std::string(64, '0')] = "";
    start();
  }
  httplib::Result get(const std::string& range) { return local().Get(path_, {{"Range", range}}); }
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

}  // namespace
}  // namespace syncline::http
