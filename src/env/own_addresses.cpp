#include "env/own_addresses.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <array>

namespace syncline::env {
namespace {

constexpr std::size_t kAddressesMax = 8;

// "" for an address that other machines cannot use.
std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    return text.data();
  }
  if (address->sa_family != AF_INET6) return "";
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) return "";  // needs an interface that only we know
  inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
  return "[" + std::string(text.data()) + "]";
}

std::vector<std::string> machine_addresses(bool with_v6) {
  std::vector<std::string> out;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return out;
  for (const ifaddrs* at = list; at != nullptr && out.size() < kAddressesMax; at = at->ifa_next) {
    const bool is_up = (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0;
    if (!is_up || at->ifa_addr == nullptr) continue;
    if (at->ifa_addr->sa_family == AF_INET6 && !with_v6) continue;
    const std::string text = text_of(at->ifa_addr);
    if (!text.empty()) out.push_back(text);
  }
  freeifaddrs(list);
  return out;
}

}  // namespace

std::vector<std::string> callable_addresses(const core::NodeConfig& node) {
  if (!node.peer_advertise.empty()) return {node.peer_advertise};
  const std::size_t colon = node.peer_listen.rfind(':');
  const std::string host = node.peer_listen.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : node.peer_listen.substr(colon);
  const bool is_any_v6 = host == "[::]" || host == "::";
  if (host != "0.0.0.0" && !is_any_v6) return {node.peer_listen};
  std::vector<std::string> out;
  for (const std::string& address : machine_addresses(is_any_v6)) out.push_back(address + port);
  return out;
}

}  // namespace syncline::env
