// The small pure parts: addresses, access, tokens, ranges, queries, event streams.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "http/access.hpp"
#include "http/event_stream.hpp"
#include "http/gate.hpp"
#include "http/json.hpp"
#include "http/page.hpp"
#include "http/query.hpp"
#include "http/ranges.hpp"
#include "http/token.hpp"
#include "syncline/values.hpp"

namespace syncline::http {
namespace {

TEST(ListenAddress, understands_each_kind) {
  EXPECT_EQ(*parse_listen_address("unix:/run/api.sock"),
            (ListenAddress{ListenerKind::kUnix, "/run/api.sock", "", 0}));
  EXPECT_EQ(*parse_listen_address("127.0.0.1:8751"),
            (ListenAddress{ListenerKind::kToken, "", "127.0.0.1", 8751}));
  EXPECT_EQ(*parse_listen_address("open:[::1]:0"),
            (ListenAddress{ListenerKind::kOpen, "", "::1", 0}));
  EXPECT_EQ(*parse_listen_address("tls:0.0.0.0:8752"),
            (ListenAddress{ListenerKind::kTls, "", "0.0.0.0", 8752}));
}

TEST(ListenAddress, refuses_what_cannot_be_listened_on) {
  for (const char* entry : {"", "unix:", "8751", "host:", "host:99999", "host:-1", "host:8751x",
                            "::1:8751", ":8751", "open:0.0.0.0:8751", "open:node.example:1"}) {
    const auto parsed = parse_listen_address(entry);
    ASSERT_FALSE(parsed.ok()) << entry;
    EXPECT_NE(parsed.error().subject.find(entry), std::string::npos);
  }
}

TEST(Access, asks_for_the_token_on_token_listeners_except_for_probes_and_the_page) {
  const AccessRules rules{ListenerKind::kToken, "0123456789abcdef"};
  EXPECT_EQ(decide_access(rules, {"/v1/status", "", "h", "", false}), Access::kNoToken);
  EXPECT_EQ(decide_access(rules, {"/v1/status", "Bearer wrong", "h", "", false}),
            Access::kWrongToken);
  EXPECT_EQ(decide_access(rules, {"/v1/status", "Bearer 0123456789abcdef", "h", "", false}),
            Access::kGranted);
  EXPECT_EQ(decide_access(rules, {"/metrics", "", "h", "", false}), Access::kNoToken);
  EXPECT_EQ(decide_access(rules, {"/objects/00", "", "h", "", false}), Access::kNoToken);
  for (const char* path : {"/", "/healthz", "/readyz"}) {
    EXPECT_EQ(decide_access(rules, {path, "", "h", "", false}), Access::kGranted) << path;
  }
}

TEST(Access, takes_a_fleet_certificate_or_a_token_over_tls_and_no_empty_token) {
  const AccessRules rules{ListenerKind::kTls, ""};
  EXPECT_EQ(decide_access(rules, {"/v1/status", "", "h", "", true}), Access::kGranted);
  EXPECT_EQ(decide_access(rules, {"/v1/status", "Bearer ", "h", "", false}), Access::kNoToken);
  EXPECT_EQ(decide_access(rules, {"/v1/status", "Bearer x", "h", "", false}), Access::kWrongToken);
}

TEST(Access, keeps_other_sites_pages_away_from_an_open_listener) {
  const AccessRules rules{ListenerKind::kOpen, ""};
  EXPECT_EQ(decide_access(rules, {"/v1/sync", "", "127.0.0.1:8751", "", false}), Access::kGranted);
  EXPECT_EQ(decide_access(rules, {"/v1/sync", "", "[::1]:8751", "http://[::1]:8751", false}),
            Access::kGranted);
  EXPECT_EQ(decide_access(rules, {"/v1/sync", "", "evil.example:8751", "", false}),
            Access::kForeignPage);
  EXPECT_EQ(decide_access(rules, {"/v1/sync", "", "localhost:8751", "http://evil.example", false}),
            Access::kForeignPage);
}

class TokenFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "syncline-token-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/api.token"; }
  std::string folder_;
};

TEST_F(TokenFile, is_made_once_private_and_random) {
  const auto first = read_or_make_token(path());
  ASSERT_TRUE(first.ok()) << core::to_string(first.error());
  EXPECT_EQ(first->size(), 64u);
  EXPECT_EQ(*read_or_make_token(path()), *first);
  struct stat info {};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_NE(*read_or_make_token(folder_ + "/other"), *first);
}

TEST_F(TokenFile, is_refused_when_others_can_read_it_or_it_can_be_guessed) {
  EXPECT_EQ(read_token(path()).error().kind, core::ErrorKind::kMissing);
  std::ofstream(path()) << "short\n";
  chmod(path().c_str(), 0600);
  EXPECT_EQ(read_token(path()).error().kind, core::ErrorKind::kInvalid);
  std::ofstream(path()) << "  0123456789abcdef \n";
  EXPECT_EQ(*read_token(path()), "0123456789abcdef");
  chmod(path().c_str(), 0644);
  EXPECT_EQ(read_token(path()).error().kind, core::ErrorKind::kInvalid);
}

TEST(Token, compares_whole_texts) {
  EXPECT_TRUE(is_same_token("abc", "abc"));
  EXPECT_FALSE(is_same_token("abc", "abd"));
  EXPECT_FALSE(is_same_token("ab", "abc"));
  EXPECT_FALSE(is_same_token("", ""));
  EXPECT_EQ(bearer_of("Bearer abc"), "abc");
  EXPECT_EQ(bearer_of("Basic abc"), "");
}

TEST(Ranges, are_cut_to_what_is_there) {
  struct Case {
    ByteRanges asked;
    ByteRanges wanted;
    bool is_possible;
  };
  const Case cases[] = {
      {{}, {}, true},
      {{{0, 9}}, {{0, 9}}, true},
      {{{90, 500}}, {{90, 99}}, true},
      {{{95, -1}}, {{95, 99}}, true},
      {{{-1, 10}}, {{90, 99}}, true},
      {{{-1, 500}}, {{0, 99}}, true},
      {{{100, -1}}, {}, false},
      {{{200, 300}, {0, 0}}, {{0, 0}}, true},
      {{{-1, 0}}, {}, false},
  };
  for (const Case& c : cases) {
    ByteRanges ranges = c.asked;
    EXPECT_EQ(clamp_ranges(ranges, 100), c.is_possible);
    EXPECT_EQ(ranges, c.wanted);
  }
}

TEST(Query, carries_every_argument_of_a_request) {
  syncline::SyncRequest request;
  request.data_type = "games & more";
  request.targets = {"a", "b"};
  request.exclude_nodes = {"c/1"};
  request.num_players = 4;
  request.priority = syncline::Priority::kLow;
  request.timeout_s = 0.5;
  request.prefer_ephemeral = true;
  EXPECT_EQ(to_query(request),
            "data_type=games%20%26%20more&targets=a&targets=b&exclude_nodes=c%2F1&num_players=4&"
            "priority=low&timeout_s=0.5&bandwidth_limit_mbps=0&prefer_ephemeral=true");
  const auto read = request_from_query({{"data_type", "games"},
                                        {"targets", "a"},
                                        {"targets", "b"},
                                        {"num_players", "4"},
                                        {"priority", "low"},
                                        {"prefer_ephemeral", "true"}});
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->targets, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read->priority, core::Priority::kLow);
}

TEST(Query, says_what_is_wrong) {
  EXPECT_EQ(request_from_query({{"targts", "a"}}).error().what,
            "unknown parameter 'targts'; did you mean 'targets'?");
  EXPECT_EQ(request_from_query({{"num_players", "two"}}).error().what,
            "'num_players' must be a whole number, not 'two'");
  EXPECT_FALSE(request_from_query({{"is_dry_run", "maybe"}}).ok());
  EXPECT_FALSE(request_from_query({{"timeout_s", "nan"}}).ok());
}

TEST(EventStream, cannot_be_broken_by_what_an_event_says) {
  facade::EventRow event;
  event.id = 4;
  event.type = "odd\n\ntype";
  event.message = "one\ntwo";
  const std::string text = encode_event(event);
  EXPECT_EQ(text.substr(0, 30), "id: 4\nevent: odd__type\ndata: {");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

RC_GTEST_PROP(EventStreamProperty, comes_out_whole_whatever_the_pieces, ()) {
  std::string stream = ": hello\r\n\r\n";
  const auto messages = *rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127)));
  for (std::size_t i = 0; i < messages.size(); ++i) {
    facade::EventRow event;
    event.id = i + 1;
    event.message = messages[i];
    stream += encode_event(event);
  }
  EventStreamReader reader;
  std::vector<std::string> read;
  const auto step = *rc::gen::inRange<std::size_t>(1, 40);
  for (std::size_t at = 0; at < stream.size(); at += step) {
    RC_ASSERT(reader.feed(std::string_view(stream).substr(at, step), [&](const std::string& data) {
      read.push_back(from_json<facade::EventRow>(data, Strictness::kStrict)->message);
      return true;
    }));
  }
  RC_ASSERT(read == messages);
}

TEST(EventStream, is_given_up_when_a_message_never_ends) {
  EventStreamReader reader(1000);
  EXPECT_FALSE(
      reader.feed("data: " + std::string(2000, 'x'), [](const std::string&) { return true; }));
}

TEST(Gate, gives_places_back) {
  Gate gate(2);
  auto a = gate.enter();
  auto b = gate.enter();
  EXPECT_TRUE(a && b);
  EXPECT_FALSE(gate.enter());
  a.reset();
  EXPECT_TRUE(gate.enter());
}

TEST(Page, is_one_document_that_asks_nobody_else) {
  const std::string html(page_html());
  EXPECT_NE(html.find("<title>Syncline</title>"), std::string::npos);
  EXPECT_EQ(html.find("@STYLE@"), std::string::npos);
  EXPECT_EQ(html.find("@SCRIPT@"), std::string::npos);
  for (const char* outside : {"src=\"http", "href=\"http", "@import", "url("}) {
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  }
  const std::string policy = page_security_policy();
  EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(policy.find("unsafe-inline"), std::string::npos);
}

}  // namespace
}  // namespace syncline::http
