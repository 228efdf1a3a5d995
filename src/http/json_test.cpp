#include "http/json.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "facade/types.hpp"
#include "syncline/values.hpp"

namespace syncline::http {
namespace {

template <typename T>
core::Result<T> strict(std::string_view text) {
  return from_json<T>(text, Strictness::kStrict);
}

facade::StatusReport full_status() {
  facade::StatusReport status;
  status.node = "home";
  status.fleet = "fleet";
  status.acks = 2;
  status.journal_bytes = std::numeric_limits<std::uint64_t>::max();
  status.disk_used_percent = 41.5;
  status.is_safe = true;
  facade::CollectionStatus games;
  games.name = "games";
  games.known = 12;
  games.last_proof_age_s = 3.5;
  games.problems = {"line one"};
  games.origins.push_back({"spot-1", 7, 6, 0.25});
  status.collections.push_back(games);
  facade::PeerStatus peer;
  peer.id = "spot-1";
  peer.roles = {"selfplay"};
  status.peers.push_back(peer);
  status.agentless.push_back(
      {"h2", "10.0.0.7:22", "waiting", 1.5, 2.5, 3, 4, 5, 6, true, {"a.db: locked"}});
  status.hooks.push_back({"pager", "https://pager.example", 1, 2, 3, "no answer"});
  return status;
}

TEST(Json, carries_a_status_there_and_back_unchanged) {
  const std::string text = to_json(full_status());
  const auto back = strict<facade::StatusReport>(text);
  ASSERT_TRUE(back.ok()) << core::to_string(back.error());
  EXPECT_EQ(to_json(*back), text);
  EXPECT_EQ(back->journal_bytes, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(back->collections.at(0).origins.at(0).held, 6u);
  EXPECT_EQ(back->collections.at(0).last_proof_age_s, 3.5);
  EXPECT_FALSE(back->peers.at(0).disk_free_bytes.has_value());
}

TEST(Json, is_the_same_for_the_daemon_and_for_the_library) {
  const std::string text = to_json(full_status());
  const auto back = strict<syncline::StatusReport>(text);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(to_json(*back), text);

  facade::SyncResponse response;
  response.nodes.push_back({"a", facade::NodeOutcome::kNotEligible, "disk full", 3});
  response.parts.emplace_back();
  response.parts.back().backend_used = "hybrid";
  const auto read = strict<syncline::SyncResponse>(to_json(response));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->nodes.at(0).outcome, "not_eligible");
  EXPECT_EQ(read->parts.at(0).backend_used, "hybrid");
}

TEST(Json, takes_a_request_with_every_field) {
  const auto request = strict<facade::SyncRequest>(R"({
    "data_type": "games", "targets": ["a", "b"], "exclude_nodes": ["c"], "board_type": "hex8",
    "num_players": 2, "priority": "critical", "timeout_s": 12.5, "bandwidth_limit_mbps": 3,
    "prefer_ephemeral": true, "require_confirmation": true, "transport": "p2p",
    "is_dry_run": true})");
  ASSERT_TRUE(request.ok()) << core::to_string(request.error());
  EXPECT_EQ(request->targets, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(request->num_players, 2);
  EXPECT_EQ(request->priority, core::Priority::kCritical);
  EXPECT_EQ(request->timeout_s, 12.5);
  EXPECT_EQ(request->bandwidth_limit_mbps, 3.0);
  EXPECT_TRUE(request->is_dry_run);
}

struct BadRequest {
  const char* body;
  const char* complaint;
};

TEST(Json, says_in_one_line_what_is_wrong_with_a_request) {
  const BadRequest cases[] = {
      {R"({"data_type":"games","target":["a"]})",
       "unknown field 'target'; did you mean 'targets'?"},
      {R"({"data_type":7})", "'data_type' must be a text, not a number"},
      {R"({"targets":"a"})", "'targets' must be a list, not a text"},
      {R"({"targets":["a",null]})", "'targets[1]' must be a text, not null"},
      {R"({"num_players":2.5})", "'num_players' must be a whole number, not a fraction"},
      {R"({"num_players":99999999999})",
       "'num_players' must be between -2147483648 and 2147483647"},
      {R"({"priority":"hihg"})",
       "'priority' must be one of critical, high, normal, low, background, not 'hihg'; did you "
       "mean 'high'?"},
      {R"({"timeout_s":"soon"})", "'timeout_s' must be a number, not a text"},
      {R"({"is_dry_run":1})", "'is_dry_run' must be true or false, not a number"},
      {R"([1])", "the body must be an object, not a list"},
      {R"({"data_type":)", "the body is not valid JSON"},
      {"", "the body is not valid JSON"},
  };
  for (const BadRequest& bad : cases) {
    const auto request = strict<facade::SyncRequest>(bad.body);
    ASSERT_FALSE(request.ok()) << bad.body;
    EXPECT_EQ(request.error().kind, core::ErrorKind::kInvalid);
    EXPECT_EQ(request.error().what, bad.complaint);
  }
}

TEST(Json, keeps_the_defaults_of_fields_that_were_not_given) {
  facade::SyncRequest defaults;
  defaults.timeout_s = 42;
  const auto request = from_json(R"({"data_type":"all"})", Strictness::kStrict, defaults);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->timeout_s, 42);
}

TEST(Json, skips_what_a_newer_daemon_says_beyond_what_is_known) {
  const auto status = from_json<syncline::StatusReport>(
      R"({"node":"a","mood":"good","disk_used_percent":null})", Strictness::kLenient);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->node, "a");
}

TEST(Json, survives_file_names_that_are_no_text_and_numbers_that_are_none) {
  facade::VerifyReport report;
  report.damaged = {"models/\xff\xfe.pth"};
  EXPECT_TRUE(strict<facade::VerifyReport>(to_json(report)).ok());
  facade::StatsReport stats;
  stats.durable_p99_ms = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(from_json<syncline::StatsReport>(to_json(stats), Strictness::kLenient).ok());
}

TEST(Json, refuses_a_body_that_nests_without_end) {
  const std::string deep(100000, '[');
  const auto request = strict<facade::SyncRequest>(deep);
  ASSERT_FALSE(request.ok());
  EXPECT_EQ(request.error().what, "the JSON nests too deeply");
}

RC_GTEST_PROP(JsonProperty, any_bytes_are_answered_and_never_crash, (const std::string& bytes)) {
  const auto request = strict<facade::SyncRequest>(bytes);
  if (!request.ok()) RC_ASSERT(!request.error().what.empty());
}

RC_GTEST_PROP(JsonProperty, any_counts_and_texts_come_back, ()) {
  facade::EventRow event;
  event.id = *rc::gen::arbitrary<std::uint64_t>();
  event.at_ms = *rc::gen::arbitrary<std::int64_t>();
  event.message = *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127));
  event.details = *rc::gen::arbitrary<std::map<std::string, std::string>>();
  const auto back = strict<facade::EventRow>(to_json(event));
  RC_ASSERT(back.ok());
  RC_ASSERT(back->id == event.id);
  RC_ASSERT(back->at_ms == event.at_ms);
  RC_ASSERT(back->message == event.message);
  RC_ASSERT(back->details.size() == event.details.size() || !event.details.empty());
}

}  // namespace
}  // namespace syncline::http
