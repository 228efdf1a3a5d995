#include <httplib.h>

#include <utility>

#include "http/access.hpp"
#include "http/errors.hpp"
#include "http/routes.hpp"

namespace syncline::http {
namespace {

using HandlerResponse = httplib::Server::HandlerResponse;

bool has_verified_certificate(const httplib::Request& request) {
  if (request.ssl == nullptr) return false;
  X509* certificate = SSL_get_peer_certificate(request.ssl);
  if (certificate == nullptr) return false;
  X509_free(certificate);
  return SSL_get_verify_result(request.ssl) == X509_V_OK;
}

void refuse(httplib::Response& response, int status, const std::string& what) {
  if (status == 401) response.set_header("WWW-Authenticate", "Bearer");
  answer_json(response, error_body("denied", what), status);
}

// The library bounds a body by its Content-Length only: without one it would read for ever, and a
// compressed one may unpack to any size. No client of this API needs either.
bool has_bounded_body(httplib::Request& request, httplib::Response& response) {
  if (request.has_header("Transfer-Encoding")) {
    answer_json(response, error_body("invalid", "send the body with a Content-Length"), 411);
    return false;
  }
  if (request.has_header("Content-Encoding")) {
    answer_json(response, error_body("invalid", "send the body uncompressed"), 415);
    return false;
  }
  // RFC 9112, section 6.3: a request with neither header has no body.
  if (!request.has_header("Content-Length")) request.set_header("Content-Length", "0");
  return true;
}

bool is_granted(Access access, httplib::Response& response) {
  switch (access) {
    case Access::kGranted:
      return true;
    case Access::kNoToken:
      refuse(response, 401, "send the token of api.token_file as 'Authorization: Bearer <token>'");
      return false;
    case Access::kWrongToken:
      refuse(response, 401, "the token is not the one in this daemon's api.token_file");
      return false;
    case Access::kForeignPage:
      refuse(response, 403, "this listener answers to localhost only, and to no other site's page");
      return false;
  }
  return false;
}

}  // namespace

void guard(httplib::Server& server, const AccessRules& rules) {
  server.set_pre_routing_handler(
      [rules](const httplib::Request& asked, httplib::Response& response) {
        // The library's own object is not const; some of it has to be put right before it goes on.
        auto& request = const_cast<httplib::Request&>(asked);
        // Any answer would be cut to the range that was asked for, errors too. Only objects have
        // them.
        const bool has_ranges = request.path.starts_with("/objects/");
        const auto ranges = std::exchange(request.ranges, {});
        const Caller caller{request.path, request.get_header_value("Authorization"),
                            request.get_header_value("Host"), request.get_header_value("Origin"),
                            has_verified_certificate(request)};
        if (!is_granted(decide_access(rules, caller), response)) return HandlerResponse::Handled;
        if (!has_bounded_body(request, response)) return HandlerResponse::Handled;
        if (has_ranges) request.ranges = ranges;
        return HandlerResponse::Unhandled;
      });
}

}  // namespace syncline::http
