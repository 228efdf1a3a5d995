// TLS contexts and what certificates say. Private to the room.
#pragma once

#include <asio/ip/tcp.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/stream.hpp>
#include <string>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "net/links.hpp"

namespace syncline::net {

using Stream = asio::ssl::stream<asio::ip::tcp::socket>;

// TLS 1.3 only, own certificate with the CA in its chain, the peer's required.
core::Status set_up(asio::ssl::context& context, const TlsIdentity& identity);

std::string common_name(X509* certificate);
core::Digest256 public_key_hash(X509* certificate);
core::Digest256 fingerprint(X509* certificate);

// "host:port", "[v6]:port". kInvalid otherwise.
struct HostPort {
  std::string host;
  std::string port;
};
core::Result<HostPort> parse_host_port(const std::string& text);

}  // namespace syncline::net
