#include "http/listen_address.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <string_view>

namespace syncline::http {
namespace {

core::Error wrong(const std::string& what, const std::string& entry) {
  return core::Error{core::ErrorKind::kInvalid, what, "node.http_listen: " + entry};
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string host_and_port(const std::string& host, int port) {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

core::Result<ListenAddress> parse_listen_address(const std::string& entry) {
  std::string_view rest = entry;
  ListenAddress out;
  if (take_prefix(rest, "unix:")) {
    out.path = rest;
    if (out.path.empty()) return wrong("unix: needs a path, as in unix:state/api.sock", entry);
    return out;
  }
  out.kind = take_prefix(rest, "open:")  ? ListenerKind::kOpen
             : take_prefix(rest, "tls:") ? ListenerKind::kTls
                                         : ListenerKind::kToken;
  const std::size_t colon = rest.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (port.empty() || parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() ||
      out.port < 0 || out.port > 65535) {
    return wrong("write unix:PATH or HOST:PORT with a port from 0 to 65535", entry);
  }
  std::string_view host = rest.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong("write an IPv6 address in brackets, as in [::1]:8751", entry);
  }
  out.host = host;
  if (out.host.empty()) return wrong("name the address to listen on, as in 127.0.0.1:8751", entry);
  if (out.kind == ListenerKind::kOpen && !is_loopback(out.host)) {
    return wrong("open: (no token) is for loopback addresses only; drop it and set api.token_file",
                 entry);
  }
  return out;
}

}  // namespace syncline::http
