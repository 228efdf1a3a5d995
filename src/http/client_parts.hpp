// What the client is made of besides sockets. Pure, so that it is tested by itself.
#pragma once

#include <string>

#include "syncline/result.hpp"

namespace syncline::http {

struct ParsedEndpoint {
  bool is_unix = false;
  bool is_tls = false;
  std::string path;  // unix
  std::string host;
  int port = 0;
};

// "unix:/path", "http://host[:8751]", "https://host[:8751]", "host:port". kInvalid otherwise.
Result<ParsedEndpoint> parse_endpoint(const std::string& address);

// The Error that an answer outside 2xx stands for: the daemon's own words where it sent them.
Error error_from_answer(int http_status, const std::string& body);

}  // namespace syncline::http
