// "10.0.0.5:8752", "[fd00::5]:8752" taken apart and put together.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace syncline::transports::swarm {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};

inline std::optional<HostPort> host_port(const std::string& address) {
  const std::size_t colon = address.find_last_of(':');
  if (colon == std::string::npos) return std::nullopt;
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  const int port = std::atoi(address.c_str() + colon + 1);
  if (port <= 0 || port > 65535) return std::nullopt;
  return HostPort{std::move(host), static_cast<std::uint16_t>(port)};
}

// `host`: numeric.
inline std::string address_text(const std::string& host, std::uint16_t port) {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace syncline::transports::swarm
