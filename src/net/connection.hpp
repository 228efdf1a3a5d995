// One connection: handshake, frames in, frames out by priority, pings. Private to the room.
#pragma once

#include <asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "net/links.hpp"
#include "net/tls.hpp"
#include "net/tls_stream.hpp"
#include "wire/frame.hpp"

namespace syncline::net {

class Connection;
using ConnectionPtr = std::shared_ptr<Connection>;

// What a connection tells its owner; all on the io_context's thread.
struct ConnectionOwner {
  std::function<void(const ConnectionPtr&)> on_open;  // handshake done: peer() is known
  std::function<void(const ConnectionPtr&, wire::WireMessage)> on_message;
  std::function<void(const ConnectionPtr&, const std::string& reason)> on_closed;  // once
  std::function<bool(const core::Digest256&)> is_invited;
  std::function<std::optional<wire::WireMessage>(const ConnectionPtr&)> next_data;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::io_context& io, asio::ssl::context& tls, const LinkLimits& limits,
             ConnectionOwner owner);

  asio::ip::tcp::socket& socket() { return stream_.socket(); }
  // The socket is connected; from here on one of on_open and on_closed follows.
  void start(bool is_dialler);

  void send(wire::Frame frame);
  void pump_data() { pump(); }
  void close(const std::string& reason);
  void close_when_sent();
  void hello_done();  // the owner is satisfied: the deadline for strangers is lifted

  const core::NodeId& peer() const { return peer_; }
  bool is_dialler() const { return is_dialler_; }
  bool is_joiner() const { return is_joiner_; }
  const core::Digest256& joiner_key() const { return joiner_key_; }
  std::size_t queued_bytes() const { return queued_bytes_; }
  bool is_open() const { return is_open_ && !is_closed_; }

  std::string address;               // it was dialled at; empty if it came in
  std::shared_ptr<Traffic> traffic;  // of the peer; null before the hellos

 private:
  bool verify(bool preverified, X509_STORE_CTX* context);
  void shake_hands();
  void read_prefix();
  void read_body(wire::FrameSizes sizes);
  void pump();
  std::optional<wire::Frame> next_frame();
  void write(wire::Frame frame);
  void watch_silence();
  void set_options();

  asio::io_context& io_;
  TlsStream stream_;
  const LinkLimits& limits_;
  ConnectionOwner owner_;
  asio::steady_timer deadline_;
  asio::steady_timer silence_;
  core::NodeId peer_;
  bool is_dialler_ = false;
  bool is_joiner_ = false;
  bool is_open_ = false;
  bool is_closed_ = false;
  bool is_writing_ = false;
  bool is_closing_ = false;
  core::Digest256 joiner_key_;
  std::string prefix_;
  std::string nothing_;  // a prefix comes alone
  std::string header_;
  std::string payload_;
  std::deque<wire::Frame> queue_;
  std::size_t queued_bytes_ = 0;
  std::optional<wire::Frame> held_;  // taken, and too large to go with others
  wire::Frame writing_;
  std::chrono::steady_clock::time_point heard_at_;
  std::uint64_t pings_ = 0;
};

}  // namespace syncline::net
