// One entry of node.http_listen, taken apart. Pure.
#pragma once

#include <string>

#include "core/result.hpp"

namespace syncline::http {

enum class ListenerKind {
  kUnix,   // unix:PATH
  kToken,  // HOST:PORT
  kOpen,   // open:HOST:PORT, loopback only
  kTls,    // tls:HOST:PORT
};

struct ListenAddress {
  ListenerKind kind = ListenerKind::kUnix;
  std::string path;  // kUnix
  std::string host;  // else: name or address, without brackets
  int port = 0;      // 0 = any free one
  bool operator==(const ListenAddress&) const = default;
};

// kInvalid with the entry as subject: no port, port above 65535, open: beyond loopback …
core::Result<ListenAddress> parse_listen_address(const std::string& entry);

// localhost, 127.0.0.0/8 and ::1: reached from this machine only.
bool is_loopback(const std::string& host);

// "127.0.0.1:8751", "[::1]:8751"
std::string host_and_port(const std::string& host, int port);

}  // namespace syncline::http
