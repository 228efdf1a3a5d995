// Which path and method calls what of the Api.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "http/access.hpp"
#include "http/api.hpp"
#include "http/gate.hpp"
#include "http/server.hpp"

namespace httplib {
class Server;
struct Request;
struct Response;
}  // namespace httplib

namespace syncline::http {

// What all listeners of one server share. Outlives them.
struct Shared {
  Shared(Api& the_api, const ServerLimits& the_limits)
      : api(the_api),
        limits(the_limits),
        followers(the_limits.followers_max),
        long_calls(the_limits.long_calls_max) {}

  Api& api;
  const ServerLimits limits;
  std::int64_t request_max_bytes = 1 << 20;
  double sync_timeout_s = 300;  // for requests that name none
  Gate followers;
  Gate long_calls;
  std::atomic<bool> is_stopping{false};
};

// Everything except who may call.
void add_routes(httplib::Server& server, Shared& shared);
// GET /v1/events: a list, or a stream for "Accept: text/event-stream".
void add_event_routes(httplib::Server& server, Shared& shared);
// GET and HEAD /objects/<root>.
void add_object_routes(httplib::Server& server, Shared& shared);
// The check before every route.
void guard(httplib::Server& server, const AccessRules& rules, std::int64_t body_max_bytes);

// Answers for handlers.
void answer_json(httplib::Response& response, std::string body, int status = 200);
void answer_error(httplib::Response& response, const core::Error& error);
void answer_busy(httplib::Response& response, const std::string& what);  // 503, Retry-After

}  // namespace syncline::http
