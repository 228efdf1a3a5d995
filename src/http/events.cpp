// GET /v1/events.
#include <httplib.h>

#include <charconv>
#include <chrono>
#include <memory>

#include "http/errors.hpp"
#include "http/event_stream.hpp"
#include "http/json.hpp"
#include "http/routes.hpp"

namespace syncline::http {
namespace {

// Short enough that a stop is never held up; a new event is delivered at once all the same.
constexpr core::Duration kTurn = std::chrono::seconds(1);
// A silent stream says that it lives, so that both ends notice a connection that is gone.
constexpr int kTurnsBetweenBeats = 15;

struct Follower {
  std::shared_ptr<void> place;
  std::uint64_t last_id = 0;
  int silent_turns = 0;
};

bool write(httplib::DataSink& sink, const std::string& text) {
  return sink.write(text.data(), text.size());
}

// One turn of a stream; false ends it.
bool serve_turn(Shared& shared, Follower& follower, httplib::DataSink& sink) {
  if (shared.is_stopping || !sink.is_writable()) {
    sink.done();
    return false;
  }
  const auto events = shared.api.events_after(follower.last_id, kTurn);
  for (const facade::EventRow& event : events) {
    if (!write(sink, encode_event(event))) return false;
    follower.last_id = event.id;
  }
  follower.silent_turns = events.empty() ? follower.silent_turns + 1 : 0;
  if (follower.silent_turns < kTurnsBetweenBeats) return true;
  follower.silent_turns = 0;
  return write(sink, ": still here\n\n");
}

std::uint64_t latest_id(Api& api) {
  const auto events = api.events_after(0, core::Duration::zero());
  return events.empty() ? 0 : events.back().id;
}

// Where to go on: Last-Event-ID (a browser that reconnects), else ?after=, else from the oldest
// event that is kept; "latest" = only what comes from now on. An id beyond the latest is one of an
// earlier run of the daemon: its successor is told from the beginning.
core::Result<std::uint64_t> starting_id(const httplib::Request& request, Api& api) {
  std::string text = request.get_header_value("Last-Event-ID");
  if (text.empty()) text = request.get_param_value("after");
  if (text.empty()) return std::uint64_t{0};
  const std::uint64_t latest = latest_id(api);
  if (text == "latest") return latest;
  std::uint64_t id = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), id);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return core::Error{core::ErrorKind::kInvalid,
                       "'after' must be the id of an event or 'latest', not '" + text + "'", ""};
  }
  return id > latest ? 0 : id;
}

}  // namespace

void add_event_routes(httplib::Server& server, Shared& shared) {
  server.Get("/v1/events", [&shared](const httplib::Request& request, httplib::Response& response) {
    const auto after = starting_id(request, shared.api);
    if (!after.ok()) return answer_error(response, after.error());
    const std::string accept = request.get_header_value("Accept");
    if (accept.find("text/event-stream") == std::string::npos) {
      return answer_json(
          response, to_json(EventsAnswer{shared.api.events_after(*after, core::Duration::zero())}));
    }
    const auto follower = std::make_shared<Follower>();
    follower->place = shared.followers.enter();
    if (!follower->place) return answer_busy(response, "too many followers of events");
    follower->last_id = *after;
    response.set_header("Cache-Control", "no-store");
    // A proxy that collects the answer would hold events back.
    response.set_header("X-Accel-Buffering", "no");
    response.set_chunked_content_provider(
        "text/event-stream", [&shared, follower](std::size_t, httplib::DataSink& sink) {
          return serve_turn(shared, *follower, sink);
        });
  });
}

}  // namespace syncline::http
