#include "http/access.hpp"

#include "http/token.hpp"

namespace syncline::http {
namespace {

// Without a token: probes, and the page, which asks for the token itself.
bool is_public(const std::string& path) {
  return path == "/" || path == "/healthz" || path == "/readyz" || path == "/favicon.ico";
}

// "localhost:8751" -> "localhost", "[::1]:8751" -> "::1"
std::string host_of(const std::string& authority) {
  if (authority.starts_with('[')) return authority.substr(1, authority.find(']') - 1);
  return authority.substr(0, authority.find(':'));
}

}  // namespace

Access decide_access(const AccessRules& rules, const Caller& caller) {
  if (rules.kind == ListenerKind::kUnix) return Access::kGranted;
  if (rules.kind == ListenerKind::kOpen) {
    if (!is_loopback(host_of(caller.host))) return Access::kForeignPage;
    const bool is_foreign = !caller.origin.empty() && caller.origin != "http://" + caller.host;
    return is_foreign ? Access::kForeignPage : Access::kGranted;
  }
  if (is_public(caller.path) || caller.has_fleet_certificate) return Access::kGranted;
  const std::string_view given = bearer_of(caller.authorization);
  if (given.empty()) return Access::kNoToken;
  return is_same_token(given, rules.token) ? Access::kGranted : Access::kWrongToken;
}

}  // namespace syncline::http
