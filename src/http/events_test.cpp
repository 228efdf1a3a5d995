// Events as a list and as a stream.
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <future>

#include "http/event_stream.hpp"

#include "http/json.hpp"
#include "http/server_fixture.hpp"

namespace syncline::http {
namespace {

class EventsTest : public ServerTest {
 protected:
  httplib::Client local() const {
    httplib::Client client(socket(), 80);
    client.set_address_family(AF_UNIX);
    client.set_read_timeout(20);
    return client;
  }
};

facade::EventRow event_of(std::uint64_t id) {
  facade::EventRow event;
  event.id = id;
  event.type = "data_sync_completed";
  event.message = "event " + std::to_string(id);
  return event;
}

TEST_F(EventsTest, streams_events_as_they_happen_and_resumes_after_a_given_one) {
  for (std::uint64_t id = 1; id <= 3; ++id) api_.add_event(event_of(id));
  start();
  auto client = local();
  EXPECT_EQ(from_json<EventsAnswer>(client.Get("/v1/events?after=1")->body, Strictness::kStrict)
                ->events.size(),
            2u);

  std::vector<std::uint64_t> seen;
  EventStreamReader reader;
  const httplib::Headers headers = {
      {"Accept", "text/event-stream"}, {"Last-Event-ID", "2"}, {"Accept-Encoding", "gzip"}};
  auto stream = std::async(std::launch::async, [&] {
    auto follower = local();
    return follower.Get("/v1/events", headers, [&](const char* data, std::size_t size) {
      return reader.feed({data, size}, [&](const std::string& text) {
        seen.push_back(from_json<facade::EventRow>(text, Strictness::kStrict)->id);
        if (seen.size() == 1) api_.add_event(event_of(4));
        return seen.size() < 2;
      });
    });
  });
  ASSERT_EQ(stream.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{3, 4}));
}

TEST_F(EventsTest, bounds_the_followers_and_ends_them_when_it_stops) {
  ServerLimits limits;
  limits.followers_max = 1;
  start(limits);
  std::promise<void> is_open;
  auto stream = std::async(std::launch::async, [&] {
    auto follower = local();
    bool is_first = true;
    return static_cast<bool>(follower.Get(
        "/v1/events", {{"Accept", "text/event-stream"}},
        [&](const httplib::Response&) {
          if (std::exchange(is_first, false)) is_open.set_value();
          return true;
        },
        [](const char*, std::size_t) { return true; }));
  });
  is_open.get_future().wait();
  const auto second = local().Get("/v1/events", {{"Accept", "text/event-stream"}});
  EXPECT_EQ(second->status, 503);
  EXPECT_EQ(second->get_header_value("Retry-After"), "2");
  EXPECT_EQ(local().Get("/v1/status")->status, 200);
  const auto before = std::chrono::steady_clock::now();
  server_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  ASSERT_EQ(stream.wait_for(std::chrono::seconds(5)), std::future_status::ready);
}

}  // namespace
}  // namespace syncline::http
