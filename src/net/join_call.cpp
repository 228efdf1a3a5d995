// The joiner's side of a join: blocking, once in a node's life.
#include <array>
#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include "net/links.hpp"
#include "net/tls.hpp"
#include "wire/frame.hpp"

namespace syncline::net {

using core::Error;
using core::ErrorKind;

namespace {

// Does the chain hold the CA of this fingerprint, and did it sign the server's own certificate?
bool is_of_fleet(SSL* ssl, const core::Digest256& ca_fingerprint) {
  X509* own = SSL_get0_peer_certificate(ssl);
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; own != nullptr && chain != nullptr && i < sk_X509_num(chain); ++i) {
    X509* candidate = sk_X509_value(chain, i);
    if (fingerprint(candidate) == ca_fingerprint && candidate != own) {
      return X509_verify(own, X509_get0_pubkey(candidate)) == 1;
    }
  }
  return false;
}

// Runs the loop until the operation has ended or the time is over.
struct Waiter {
  asio::io_context& io;
  std::chrono::steady_clock::time_point deadline;
  std::error_code result = asio::error::would_block;

  auto handler() {
    result = asio::error::would_block;
    return [this](const std::error_code& error, auto&&...) { result = error; };
  }
  bool wait() {
    io.restart();
    while (result == asio::error::would_block) {
      if (io.run_one_until(deadline) == 0) return false;
    }
    return !result;
  }
};

}  // namespace

core::Result<std::string> join_call(const std::string& host_port,
                                    const std::string& certificate_pem, const std::string& key_pem,
                                    const core::Digest256& ca_fingerprint,
                                    const std::string& request, core::Duration timeout) {
  SYNCLINE_ASSIGN(const HostPort at, parse_host_port(host_port));
  asio::io_context io;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  SYNCLINE_TRY(set_up(tls, {"", certificate_pem, key_pem}));
  Stream stream(io, tls);
  // Who the server is gets decided below, by the fingerprint in the token.
  stream.set_verify_callback([](bool, asio::ssl::verify_context&) { return true; });
  Waiter waiter{io, std::chrono::steady_clock::now() + timeout};
  auto failed = [&](const std::string& doing) {
    const std::string why =
        waiter.result == asio::error::would_block ? "no answer in time" : waiter.result.message();
    return Error{ErrorKind::kUnreachable,
                 doing + ": " + why +
                     "; is the daemon that made the token running, and the token "
                     "unused and not expired?",
                 host_port};
  };
  asio::ip::tcp::resolver resolver(io);
  std::error_code error;
  const auto found = resolver.resolve(at.host, at.port, error);
  if (error) return Error{ErrorKind::kUnreachable, "no such host: " + error.message(), host_port};
  asio::async_connect(stream.next_layer(), found, waiter.handler());
  if (!waiter.wait()) return failed("could not connect");
  stream.async_handshake(asio::ssl::stream_base::client, waiter.handler());
  if (!waiter.wait()) return failed("the fleet refused the token");
  if (!is_of_fleet(stream.native_handle(), ca_fingerprint)) {
    return Error{ErrorKind::kCorrupt, "whoever answered there is not of the token's fleet",
                 host_port};
  }
  SYNCLINE_ASSIGN(const wire::Frame frame, wire::encode_frame(wire::JoinRequest{request}));
  asio::async_write(stream, asio::buffer(frame.head), waiter.handler());
  if (!waiter.wait()) return failed("the fleet refused the token");
  std::string prefix(wire::kFramePrefixBytes, '\0');
  asio::async_read(stream, asio::buffer(prefix), waiter.handler());
  if (!waiter.wait()) return failed("the fleet refused the token");
  SYNCLINE_ASSIGN(const wire::FrameSizes sizes, wire::decode_prefix(prefix));
  std::string header(sizes.header_bytes, '\0');
  std::string payload(sizes.payload_bytes, '\0');
  const std::array<asio::mutable_buffer, 2> body = {asio::buffer(header), asio::buffer(payload)};
  asio::async_read(stream, body, waiter.handler());
  if (!waiter.wait()) return failed("the answer broke off");
  SYNCLINE_ASSIGN(wire::WireMessage message, wire::decode_frame(header, std::move(payload)));
  auto* answer = std::get_if<wire::JoinAnswer>(&message);
  if (answer == nullptr)
    return Error{ErrorKind::kCorrupt, "that was no answer to a join", host_port};
  if (!answer->is_accepted) return Error{ErrorKind::kInvalid, answer->reason, host_port};
  return std::move(answer->answer);
}

}  // namespace syncline::net
