// Who may call: decided per request, before its body is read.
#pragma once

#include <string>

#include "http/listen_address.hpp"

namespace syncline::http {

struct AccessRules {
  ListenerKind kind = ListenerKind::kUnix;
  std::string token;  // kToken, kTls; empty = a client certificate is the only way in
};

// What of a request decides; taken out of it so that the rule can be tested by itself.
struct Caller {
  std::string path;
  std::string authorization;           // header, may be empty
  std::string host;                    // header
  std::string origin;                  // header, sent by browsers
  bool has_fleet_certificate = false;  // verified against the fleet's CA by TLS
};

enum class Access {
  kGranted,
  kNoToken,      // 401
  kWrongToken,   // 401
  kForeignPage,  // 403: a page of another site talks to an open listener through a browser
};

// Unix sockets: everyone who could open them. Token listeners: the token. tls: token or
// certificate. open: everyone, but only under a loopback name (else a web page could reach it by
// pointing its own name at 127.0.0.1) and not from a page of another origin.
Access decide_access(const AccessRules& rules, const Caller& caller);

}  // namespace syncline::http
