#include "spot/metadata.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace syncline::spot {
namespace {

constexpr core::WallMs kNow{1505722800000};  // 2017-09-18T08:20:00Z

Answer ok(std::string body) {
  return {200, std::move(body), "", ""};
}
Answer status(int code) {
  return {code, "", "", ""};
}
Answer google(std::string body) {
  return {200, std::move(body), "", "Google"};
}

// ── AWS ──

TEST(AwsMetadata, counts_the_time_to_an_interruption) {
  const auto signals =
      aws_instance_action(ok(R"({"action": "terminate", "time": "2017-09-18T08:22:00Z"})"), kNow);
  ASSERT_TRUE(signals.ok());
  ASSERT_TRUE(signals->notice);
  EXPECT_DOUBLE_EQ(signals->notice->seconds_left, 120);
  EXPECT_EQ(signals->notice->reason, "AWS will terminate this spot instance in 2 min");
}

TEST(AwsMetadata, believes_the_date_of_the_answer_before_our_clock) {
  Answer answer = ok(R"({"action": "stop", "time": "2017-09-18T08:22:00Z"})");
  answer.date = "Mon, 18 Sep 2017 08:20:30 GMT";
  const core::WallMs an_hour_late{kNow.ms + 3'600'000};
  const auto signals = aws_instance_action(answer, an_hour_late);
  ASSERT_TRUE(signals.ok() && signals->notice);
  EXPECT_DOUBLE_EQ(signals->notice->seconds_left, 90);
}

TEST(AwsMetadata, leaves_some_seconds_to_whoever_is_still_alive) {
  const auto past =
      aws_instance_action(ok(R"({"action":"terminate","time":"2017-09-18T08:00:00Z"})"), kNow);
  ASSERT_TRUE(past.ok() && past->notice);
  EXPECT_DOUBLE_EQ(past->notice->seconds_left, kSecondsLeftMin);
  const auto absurd =
      aws_instance_action(ok(R"({"action":"terminate","time":"9999-09-18T08:00:00Z"})"), kNow);
  ASSERT_TRUE(absurd.ok() && absurd->notice);
  EXPECT_DOUBLE_EQ(absurd->notice->seconds_left, kSecondsLeftMax);
}

TEST(AwsMetadata, takes_an_action_without_a_readable_time_for_a_notice_of_two_minutes) {
  const auto signals = aws_instance_action(ok(R"({"action":"terminate","time":"soon"})"), kNow);
  ASSERT_TRUE(signals.ok() && signals->notice);
  EXPECT_DOUBLE_EQ(signals->notice->seconds_left, kAwsNoticeS);
}

TEST(AwsMetadata, has_no_notice_while_there_is_none) {
  const auto none = aws_instance_action(status(404), kNow);
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(*none, Signals{});
}

TEST(AwsMetadata, only_advises_of_a_hibernation) {
  const auto signals =
      aws_instance_action(ok(R"({"action":"hibernate","time":"2017-09-18T08:22:00Z"})"), kNow);
  ASSERT_TRUE(signals.ok());
  EXPECT_FALSE(signals->notice);
  EXPECT_EQ(signals->advice, "AWS hibernates this spot instance");
}

TEST(AwsMetadata, refuses_what_is_no_action) {
  for (const Answer& answer :
       {status(500), status(401), ok(""), ok("<html>terminate</html>"), ok("[]"), ok("null"),
        ok(R"({"action": 7})"), ok(R"({"action":"reboot","time":"2017-09-18T08:22:00Z"})")}) {
    const auto signals = aws_instance_action(answer, kNow);
    ASSERT_FALSE(signals.ok()) << answer.body;
    EXPECT_EQ(signals.error().kind, core::ErrorKind::kCorrupt);
  }
}

TEST(AwsMetadata, tells_spot_from_what_stays_and_from_others) {
  EXPECT_EQ(aws_is_spot(ok("spot")), true);
  EXPECT_EQ(aws_is_spot(ok("on-demand\n")), false);
  EXPECT_EQ(aws_is_spot(ok("<html>")), std::nullopt);
  EXPECT_EQ(aws_is_spot(status(404)), std::nullopt);
}

TEST(AwsMetadata, takes_no_text_for_a_token_that_could_not_stand_in_a_header) {
  EXPECT_EQ(*aws_token(ok("AQAEAA==\n")), "AQAEAA==");
  for (const std::string& body : {std::string(), std::string("a b"), std::string("a\r\nHost: x"),
                                  std::string(5000, 'a'), std::string("\xc3\xa9")}) {
    EXPECT_FALSE(aws_token(ok(body)).ok()) << body;
  }
  EXPECT_FALSE(aws_token({403, "AQAEAA==", "", ""}).ok());
}

TEST(AwsMetadata, passes_a_rebalance_recommendation_on_as_advice) {
  EXPECT_EQ(*aws_rebalance(status(404)), "");
  EXPECT_FALSE(aws_rebalance(ok(R"({"noticeTime": "2020-10-27T08:22:00Z"})"))->empty());
  EXPECT_FALSE(aws_rebalance(ok("{}")).ok());
}

// ── GCP ──

TEST(GcpMetadata, believes_only_answers_that_google_marks) {
  EXPECT_EQ(gcp_is_spot(google("TRUE")), true);
  EXPECT_EQ(gcp_is_spot(google("FALSE\n")), false);
  EXPECT_EQ(gcp_is_spot(ok("TRUE")), std::nullopt);
  EXPECT_EQ(gcp_is_spot(google("maybe")), std::nullopt);
  EXPECT_FALSE(gcp_preempted(ok("TRUE")).ok());
}

TEST(GcpMetadata, gives_thirty_seconds_to_a_preempted_instance) {
  const auto signals = gcp_preempted(google("TRUE"));
  ASSERT_TRUE(signals.ok() && signals->notice);
  EXPECT_DOUBLE_EQ(signals->notice->seconds_left, 30);
  EXPECT_FALSE(gcp_preempted(google("FALSE"))->notice);
}

// ── Azure ──

std::string event(const std::string& type, const std::string& resource, const std::string& before,
                  const std::string& event_status = "Scheduled") {
  return R"({"EventId":"A123","EventType":")" + type + R"(","ResourceType":"VirtualMachine",)" +
         R"("Resources":[")" + resource + R"("],"EventStatus":")" + event_status +
         R"(","NotBefore":")" + before + R"(","EventSource":"Platform"})";
}
Answer events(const std::string& list) {
  return ok(R"({"DocumentIncarnation":1,"Events":[)" + list + "]}");
}

TEST(AzureMetadata, counts_the_time_to_a_preemption_of_this_machine) {
  const auto signals = azure_events(
      events(event("Preempt", "GPU-7", "Mon, 18 Sep 2017 08:20:30 GMT")), "gpu-7", kNow);
  ASSERT_TRUE(signals.ok() && signals->notice);
  EXPECT_DOUBLE_EQ(signals->notice->seconds_left, 30);
}

TEST(AzureMetadata, leaves_the_events_of_other_machines_to_them) {
  const std::string other = event("Preempt", "gpu-8", "Mon, 18 Sep 2017 08:20:30 GMT");
  EXPECT_FALSE(azure_events(events(other), "gpu-7", kNow)->notice);
  EXPECT_TRUE(azure_events(events(other), "", kNow)->notice);
}

TEST(AzureMetadata, passes_over_events_that_lose_nothing) {
  std::string list;
  for (const char* type : {"Freeze", "Reboot", "Redeploy", "Surprise"}) {
    list += (list.empty() ? "" : ",") + event(type, "gpu-7", "");
  }
  EXPECT_FALSE(azure_events(events(list), "gpu-7", kNow)->notice);
  EXPECT_FALSE(azure_events(events(""), "gpu-7", kNow)->notice);
}

TEST(AzureMetadata, takes_the_nearest_of_several_events) {
  const auto signals =
      azure_events(events(event("Terminate", "gpu-7", "Mon, 18 Sep 2017 08:25:00 GMT") + "," +
                          event("Preempt", "gpu-7", "", "Started")),
                   "gpu-7", kNow);
  ASSERT_TRUE(signals.ok() && signals->notice);
  EXPECT_DOUBLE_EQ(signals->notice->seconds_left, kSecondsLeftMin);
}

TEST(AzureMetadata, refuses_what_is_no_list_of_events) {
  for (const Answer& answer : {status(404), ok(""), ok("{}"), ok(R"({"Events":{}})"), ok("[1]")}) {
    EXPECT_FALSE(azure_events(answer, "gpu-7", kNow).ok()) << answer.body;
  }
  EXPECT_FALSE(
      azure_events(ok(R"({"Events":[1,null,"Preempt",{"EventType":3}]})"), "", kNow)->notice);
}

TEST(AzureMetadata, knows_its_machines_by_their_id) {
  const auto compute = azure_compute(
      ok(R"({"name":"gpu-7","priority":"Spot","vmId":"02aab8a4","location":"westus"})"));
  ASSERT_TRUE(compute);
  EXPECT_EQ(*compute, (AzureCompute{"gpu-7", true}));
  EXPECT_FALSE(azure_compute(ok(R"({"name":"a","priority":"Regular","vmId":"1"})"))->is_spot);
  EXPECT_FALSE(azure_compute(ok(R"({"name":"a","priority":"Spot"})")));
  EXPECT_FALSE(azure_compute(ok("not json")));
  EXPECT_FALSE(azure_compute(status(400)));
}

// ── all ──

std::string bent(std::string text) {
  const auto cuts = *rc::gen::inRange(0, 6);
  for (int i = 0; i < cuts && !text.empty(); ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    text[at] = static_cast<char>(*rc::gen::inRange(0, 256));
  }
  return text.substr(0, *rc::gen::inRange<std::size_t>(0, text.size() + 1));
}

RC_GTEST_PROP(Metadata, bounds_the_time_left_whatever_the_answer, ()) {
  const Answer answer{
      200,
      bent(*rc::gen::element<std::string>(
          R"({"action":"terminate","time":"2017-09-18T08:22:00Z"})",
          events(event("Preempt", "a", "Mon, 18 Sep 2017 08:20:30 GMT")).body, "TRUE")),
      bent("Mon, 18 Sep 2017 08:20:30 GMT"), "Google"};
  for (const auto& signals :
       {aws_instance_action(answer, kNow), azure_events(answer, "", kNow), gcp_preempted(answer)}) {
    if (!signals.ok() || !signals->notice) continue;
    RC_ASSERT(signals->notice->seconds_left >= kSecondsLeftMin);
    RC_ASSERT(signals->notice->seconds_left <= kSecondsLeftMax);
    RC_ASSERT(!signals->notice->reason.empty());
  }
}

}  // namespace
}  // namespace syncline::spot
