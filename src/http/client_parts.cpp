#include "http/client_parts.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "http/json.hpp"
#include "http/listen_address.hpp"

namespace syncline::http {
namespace {

constexpr std::pair<std::string_view, ErrorKind> kKinds[] = {
    {"invalid", ErrorKind::kInvalid},         {"missing", ErrorKind::kMissing},
    {"unreachable", ErrorKind::kUnreachable}, {"overloaded", ErrorKind::kOverloaded},
    {"exhausted", ErrorKind::kExhausted},     {"corrupt", ErrorKind::kCorrupt},
    {"conflict", ErrorKind::kConflict},       {"cancelled", ErrorKind::kCancelled},
    {"denied", ErrorKind::kDenied},
};

ErrorKind kind_of_status(int status) {
  if (status == 401 || status == 403) return ErrorKind::kDenied;
  if (status == 404) return ErrorKind::kMissing;
  if (status == 429 || status == 503) return ErrorKind::kOverloaded;
  return status >= 500 ? ErrorKind::kUnreachable : ErrorKind::kInvalid;
}

}  // namespace

Result<ParsedEndpoint> parse_endpoint(const std::string& address) {
  constexpr std::string_view kUnix = "unix:";
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  ParsedEndpoint out;
  const Error malformed{ErrorKind::kInvalid,
                        "a daemon's address is unix:/path/api.sock or http://host:port", address};
  if (address.starts_with(kUnix)) {
    out.is_unix = true;
    out.path = address.substr(kUnix.size());
    if (out.path.empty()) return malformed;
    return out;
  }
  std::string rest = address;
  if (rest.starts_with(kHttp)) rest.erase(0, kHttp.size());
  if (rest.starts_with(kHttps)) {
    out.is_tls = true;
    rest.erase(0, kHttps.size());
  }
  if (rest.ends_with('/')) rest.pop_back();
  const bool has_port =
      rest.find(':', rest.rfind(']') == std::string::npos ? 0 : rest.rfind(']')) !=
      std::string::npos;
  const auto parsed = parse_listen_address(has_port ? rest : rest + ":8751");
  if (!parsed.ok() || parsed->kind != ListenerKind::kToken || parsed->port == 0 ||
      parsed->host.find('/') != std::string::npos) {
    return malformed;
  }
  out.host = parsed->host;
  out.port = parsed->port;
  return out;
}

Error error_from_answer(int http_status, const std::string& body) {
  const auto answer = from_json<ErrorAnswer>(body, Strictness::kLenient);
  if (!answer.ok() || answer->error.what.empty()) {
    return Error{kind_of_status(http_status),
                 "the daemon answered " + std::to_string(http_status) + " without a reason", "",
                 true};
  }
  Error out{kind_of_status(http_status), answer->error.what, answer->error.subject, true};
  for (const auto& [name, kind] : kKinds) {
    if (name == answer->error.kind) out.kind = kind;
  }
  return out;
}

}  // namespace syncline::http
