// Links: at most one TLS connection to each node of the fleet.
//
// Who gets in: only a certificate that the fleet's CA has signed, checked in the handshake; the
// node's id is the certificate's common name. A self-signed certificate with the key of an open
// invite may do one thing: send one JoinRequest. Everybody else learns nothing, not even a version.
//
// Order: control frames (records, catalog, requests) go before data frames (blocks of objects).
// Data is taken from `next_data` only when little is queued, so a control frame waits for one data
// frame at most (kDataFrameBytes) and for what the kernel was given (kUnsentBytesMax).
//
// Threads: everything on the io_context's thread, except send(), which may be called from any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/messages.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "wire/messages.hpp"

namespace asio {
class io_context;
}

namespace syncline::net {

inline constexpr std::size_t kDataFrameBytes = 256 * 1024;
inline constexpr std::size_t kUnsentBytesMax = 512 * 1024;  // TCP_NOTSENT_LOWAT

struct TlsIdentity {
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
};

struct LinkLimits {
  core::Duration connect_timeout = core::milliseconds(5000);
  core::Duration hello_timeout = core::seconds(10);  // handshake and hello together
  core::Duration ping_interval = core::seconds(5);
  core::Duration silence_max = core::seconds(20);         // then the link is dead
  core::Duration short_path_max = core::milliseconds(1);  // there and back: see congestion.hpp
  std::size_t strangers_max = 64;                         // connections that are no link yet
  std::size_t queued_bytes_max = std::size_t{64} << 20;   // of control frames, per link
};

struct LinkCallbacks {
  std::function<void(const core::NodeId&, const core::Hello&, const std::string& address)> on_up;
  std::function<void(const core::NodeId&, const std::string& reason)> on_down;
  std::function<void(const core::NodeId&, wire::WireMessage)> on_message;
  std::function<void(const std::string& address, const std::string& reason)> on_dial_failed;
  // Joins. Called in the handshake; then once with the request.
  std::function<bool(const core::Digest256& public_key)> is_invited;
  std::function<core::Result<std::string>(const core::Digest256& public_key,
                                          const std::string& request)>
      on_join;
  // The next data frame for this peer, if there is one ready.
  std::function<std::optional<wire::WireMessage>(const core::NodeId&)> next_data;
};

// Bytes of frames, before encryption, on all links with one peer since the start.
struct Traffic {
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
};

class Links {
 public:
  static core::Result<std::unique_ptr<Links>> create(asio::io_context& io,
                                                     const TlsIdentity& identity, core::Hello hello,
                                                     core::NodeId self, LinkLimits limits,
                                                     LinkCallbacks callbacks);
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  core::Status listen(const std::string& host_port);
  std::uint16_t port() const;  // after listen()
  // One attempt; ends in on_up or on_dial_failed.
  void dial(const std::string& host_port, const core::NodeId& expected);
  // False: no link, or its queue is full (then the link is closed: the peer does not keep up).
  bool send(const core::NodeId& peer, wire::WireMessage message);
  // `next_data` has something for this peer.
  void data_ready(const core::NodeId& peer);
  void close(const core::NodeId& peer, const std::string& reason);
  void shutdown();
  // On the io_context's thread.
  std::map<core::NodeId, Traffic> traffic() const;

 private:
  struct State;
  explicit Links(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// The joiner's call: connects with this self-signed certificate, accepts only a server whose chain
// holds the CA with this fingerprint and was signed by it, sends the request, answers the answer.
core::Result<std::string> join_call(const std::string& host_port,
                                    const std::string& certificate_pem, const std::string& key_pem,
                                    const core::Digest256& ca_fingerprint,
                                    const std::string& request, core::Duration timeout);

}  // namespace syncline::net
