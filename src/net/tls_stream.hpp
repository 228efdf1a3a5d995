// TLS over a TCP socket, with few system calls: reads of up to 64 KiB of sealed records, writes of
// up to 256 KiB. asio::ssl::stream makes one call for each record of 16 KiB, which halves the
// speed of a large transfer where calls are dear (virtual machines). docs/performance.md, W2.
//
// The session speaks to the socket through a BIO of our own (SIGPIPE never rises; what is to be
// sent is gathered). One read and one write may be under way at a time. Private to the room.
// Threads: that of the socket's io_context.
#pragma once

#include <openssl/ssl.h>

#include <asio/ip/tcp.hpp>
#include <asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace syncline::net {

class TlsStream {
 public:
  using Done = std::function<void(const std::error_code&)>;
  // As X509_STORE_CTX_set_verify_cb; true accepts the certificate.
  using Verify = std::function<bool(bool preverified, X509_STORE_CTX*)>;

  TlsStream(asio::io_context& io, asio::ssl::context& context);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  asio::ip::tcp::socket& socket() { return socket_; }
  SSL* session() { return ssl_.get(); }

  // All: `done` is called once, never before the call returns. A closed socket ends what is under
  // way with operation_aborted. eof: the peer said goodbye; stream_truncated: it did not.
  void async_handshake(bool is_client, Verify verify, Done done);
  // Fills both, the first first. They must live until `done`.
  void async_read(std::string& first, std::string& second, Done done);
  void async_write(std::string_view first, std::string_view second, Done done);

 private:
  struct Reading {
    std::string* parts[2] = {nullptr, nullptr};
    std::size_t at = 0;  // bytes of the part being filled
    int part = 0;
  };
  struct Writing {
    std::string_view parts[2];
    int part = 0;
  };
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  // `done` travels with the handlers, never in a member: it holds whoever owns this stream, and
  // handlers that never run are destroyed with the io_context.
  void shake(Done done);
  void read_on(Done done);
  void write_on(Done done);
  void seal_some();
  // Empties the outbox as far as the socket takes it; would_block: wait until it is writable.
  std::error_code send_outbox();
  std::error_code error_of(int returned);
  void when(asio::ip::tcp::socket::wait_type what, void (TlsStream::*then)(Done), Done done);

  static int bio_write(BIO* bio, const char* data, int size);
  static int bio_read(BIO* bio, char* into, int size);
  static long bio_control(BIO* bio, int command, long, void*);
  static BIO_METHOD* bio_method();

  asio::ip::tcp::socket socket_;
  std::unique_ptr<SSL, Free> ssl_;
  Verify verify_;
  Reading reading_;
  Writing writing_;
  std::string outbox_;  // sealed, not yet sent
  std::size_t outbox_at_ = 0;
  int last_errno_ = 0;
};

}  // namespace syncline::net
