#include <httplib.h>

#include <charconv>
#include <cstdint>
#include <utility>

#include "http/access.hpp"
#include "http/errors.hpp"
#include "http/routes.hpp"

namespace syncline::http {
namespace {

using HandlerResponse = httplib::Server::HandlerResponse;

// Why a request goes no further. The names stand in paths of our own (see refuse_later).
struct Refusal {
  const char* name;
  int status;
  const char* kind;
  const char* what;
};
constexpr Refusal kRefusals[] = {
    {"no-token", 401, "denied",
     "send the token of api.token_file as 'Authorization: Bearer <token>'"},
    {"wrong-token", 401, "denied", "the token is not the one in this daemon's api.token_file"},
    {"foreign-page", 403, "denied",
     "this listener answers to localhost only, and to no other site's page"},
    {"no-length", 411, "invalid", "send the body with a Content-Length"},
    {"compressed", 415, "invalid", "send the body uncompressed"},
};
constexpr const char* kRefusedPath = "/.refused/";

void answer(const Refusal& refusal, httplib::Response& response) {
  if (refusal.status == 401) response.set_header("WWW-Authenticate", "Bearer");
  answer_json(response, error_body(refusal.kind, refusal.what), refusal.status);
}

bool has_verified_certificate(const httplib::Request& request) {
  if (request.ssl == nullptr) return false;
  X509* certificate = SSL_get_peer_certificate(request.ssl);
  if (certificate == nullptr) return false;
  X509_free(certificate);
  return SSL_get_verify_result(request.ssl) == X509_V_OK;
}

const Refusal* check_access(const AccessRules& rules, const httplib::Request& request) {
  const Caller caller{request.path, request.get_header_value("Authorization"),
                      request.get_header_value("Host"), request.get_header_value("Origin"),
                      has_verified_certificate(request)};
  switch (decide_access(rules, caller)) {
    case Access::kGranted:
      return nullptr;
    case Access::kNoToken:
      return &kRefusals[0];
    case Access::kWrongToken:
      return &kRefusals[1];
    case Access::kForeignPage:
      return &kRefusals[2];
  }
  return &kRefusals[0];
}

// The library bounds a body by its Content-Length only: without one it would read for ever, and a
// compressed one may unpack to any size. No client of this API needs either.
const Refusal* check_body(httplib::Request& request) {
  if (request.has_header("Transfer-Encoding")) return &kRefusals[3];
  if (request.has_header("Content-Encoding")) {
    request.headers.erase("Content-Encoding");
    return &kRefusals[4];
  }
  // RFC 9112, section 6.3: a request with neither header has no body.
  if (!request.has_header("Content-Length")) request.set_header("Content-Length", "0");
  return nullptr;
}

// A connection that is closed on an unread body is reset, and the answer may be lost. So a body of
// a size that we would have taken is read first, on the way to a route that only refuses.
bool refuse_later(httplib::Request& request, const Refusal& refusal, std::int64_t body_max_bytes) {
  const std::string length = request.get_header_value("Content-Length");
  std::int64_t bytes = 0;
  const auto parsed = std::from_chars(length.data(), length.data() + length.size(), bytes);
  const bool is_readable = request.method == "POST" && parsed.ec == std::errc() && bytes > 0 &&
                           bytes <= body_max_bytes && !request.has_header("Transfer-Encoding");
  if (is_readable) request.path = std::string(kRefusedPath) + refusal.name;
  return is_readable;
}

}  // namespace

void guard(httplib::Server& server, const AccessRules& rules, std::int64_t body_max_bytes) {
  for (const Refusal& refusal : kRefusals) {
    server.Post(std::string(kRefusedPath) + refusal.name,
                [&refusal](const httplib::Request&, httplib::Response& response) {
                  answer(refusal, response);
                });
  }
  server.set_pre_routing_handler(
      [rules, body_max_bytes](const httplib::Request& asked, httplib::Response& response) {
        // The library's own object is not const; some of it has to be put right before it goes on.
        auto& request = const_cast<httplib::Request&>(asked);
        // Any answer would be cut to the range that was asked for, errors too. Only objects have
        // them.
        const bool has_ranges = request.path.starts_with("/objects/");
        const auto ranges = std::exchange(request.ranges, {});
        const Refusal* refusal = check_access(rules, request);
        if (refusal == nullptr) refusal = check_body(request);
        if (refusal == nullptr) {
          if (has_ranges) request.ranges = ranges;
          return HandlerResponse::Unhandled;
        }
        if (refuse_later(request, *refusal, body_max_bytes)) return HandlerResponse::Unhandled;
        answer(*refusal, response);
        return HandlerResponse::Handled;
      });
}

}  // namespace syncline::http
