#include "net/tls_stream.hpp"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/post.hpp>
#include <asio/ssl/error.hpp>
#include <cerrno>

namespace syncline::net {

namespace {
// One call of send() takes so much; more only waits in the kernel.
constexpr std::size_t kSealBytes = 256u << 10;
// More makes OpenSSL move what is left over more often than it saves calls.
constexpr std::size_t kReadAheadBytes = 64u << 10;

int stream_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
}  // namespace

// ── the session's side of the socket ────────────────────────────────────────────────────────────

int TlsStream::bio_write(BIO* bio, const char* data, int size) {
  auto* self = static_cast<TlsStream*>(BIO_get_data(bio));
  self->outbox_.append(data, static_cast<std::size_t>(size));
  return size;
}

int TlsStream::bio_read(BIO* bio, char* into, int size) {
  auto* self = static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  ssize_t got = 0;
  do {
    got = ::recv(self->socket_.native_handle(), into, static_cast<std::size_t>(size), 0);
  } while (got < 0 && errno == EINTR);
  self->last_errno_ = got < 0 ? errno : 0;
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

long TlsStream::bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* TlsStream::bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "syncline socket");
    BIO_meth_set_write(made, &TlsStream::bio_write);
    BIO_meth_set_read(made, &TlsStream::bio_read);
    BIO_meth_set_ctrl(made, &TlsStream::bio_control);
    return made;
  }();
  return method;
}

TlsStream::TlsStream(asio::io_context& io, asio::ssl::context& context)
    : socket_(io), ssl_(SSL_new(context.native_handle())) {
  SSL* ssl = ssl_.get();
  SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                        SSL_MODE_RELEASE_BUFFERS);
  SSL_set_read_ahead(ssl, 1);
  SSL_set_default_read_buffer_len(ssl, kReadAheadBytes);
  SSL_set_ex_data(ssl, stream_index(), this);
  BIO* bio = BIO_new(bio_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
}

TlsStream::~TlsStream() = default;

// ── steps ───────────────────────────────────────────────────────────────────────────────────────

std::error_code TlsStream::error_of(int returned) {
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return asio::error::would_block;
    case SSL_ERROR_ZERO_RETURN:
      return asio::error::eof;
    case SSL_ERROR_SYSCALL:
      if (last_errno_ != 0) return {last_errno_, std::system_category()};
      return asio::ssl::error::stream_truncated;
    default: {
      const unsigned long code = ERR_get_error();
      if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        return asio::ssl::error::stream_truncated;
      }
      return {static_cast<int>(code), asio::error::get_ssl_category()};
    }
  }
}

void TlsStream::when(asio::ip::tcp::socket::wait_type what, void (TlsStream::*then)(Done),
                     Done done) {
  socket_.async_wait(what,
                     [this, then, done = std::move(done)](const std::error_code& error) mutable {
                       if (error) {
                         done(error);
                       } else {
                         (this->*then)(std::move(done));
                       }
                     });
}

std::error_code TlsStream::send_outbox() {
  while (outbox_at_ < outbox_.size()) {
    const ssize_t sent = ::send(socket_.native_handle(), outbox_.data() + outbox_at_,
                                outbox_.size() - outbox_at_, MSG_NOSIGNAL);
    if (sent >= 0) {
      outbox_at_ += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return asio::error::would_block;
    } else if (errno != EINTR) {
      return {errno, std::system_category()};
    }
  }
  outbox_.clear();
  outbox_at_ = 0;
  return {};
}

// ── handshake ───────────────────────────────────────────────────────────────────────────────────

void TlsStream::async_handshake(bool is_client, Verify verify, Done done) {
  verify_ = std::move(verify);
  SSL* ssl = ssl_.get();
  SSL_set_verify(ssl, SSL_get_verify_mode(ssl), [](int preverified, X509_STORE_CTX* context) {
    const int at = SSL_get_ex_data_X509_STORE_CTX_idx();
    auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, at));
    auto* self = static_cast<TlsStream*>(SSL_get_ex_data(session, stream_index()));
    return self->verify_(preverified == 1, context) ? 1 : 0;
  });
  std::error_code error;
  socket_.native_non_blocking(true, error);
  is_client ? SSL_set_connect_state(ssl) : SSL_set_accept_state(ssl);
  asio::post(socket_.get_executor(), [this, done = std::move(done), error]() mutable {
    if (error) {
      done(error);
    } else {
      shake(std::move(done));
    }
  });
}

void TlsStream::shake(Done done) {
  ERR_clear_error();
  const int returned = SSL_do_handshake(ssl_.get());
  const std::error_code error = returned == 1 ? std::error_code() : error_of(returned);
  // An alert is sent too: the peer is to know why.
  const std::error_code sent = send_outbox();
  if (error && error != asio::error::would_block) {
    done(error);
  } else if (sent == asio::error::would_block) {
    when(asio::ip::tcp::socket::wait_write, &TlsStream::shake, std::move(done));
  } else if (sent) {
    done(sent);
  } else if (error) {
    when(asio::ip::tcp::socket::wait_read, &TlsStream::shake, std::move(done));
  } else {
    done({});
  }
}

// ── in ──────────────────────────────────────────────────────────────────────────────────────────

void TlsStream::async_read(std::string& first, std::string& second, Done done) {
  reading_ = Reading{{&first, &second}, 0, 0};
  asio::post(socket_.get_executor(),
             [this, done = std::move(done)]() mutable { read_on(std::move(done)); });
}

void TlsStream::read_on(Done done) {
  while (reading_.part < 2) {
    std::string& part = *reading_.parts[reading_.part];
    if (reading_.at == part.size()) {
      ++reading_.part;
      reading_.at = 0;
      continue;
    }
    ERR_clear_error();
    std::size_t got = 0;
    const int returned =
        SSL_read_ex(ssl_.get(), part.data() + reading_.at, part.size() - reading_.at, &got);
    reading_.at += got;
    if (returned == 1) continue;
    const std::error_code error = error_of(returned);
    if (error == asio::error::would_block) {
      when(asio::ip::tcp::socket::wait_read, &TlsStream::read_on, std::move(done));
    } else {
      done(error);
    }
    return;
  }
  done({});
}

// ── out ─────────────────────────────────────────────────────────────────────────────────────────

void TlsStream::async_write(std::string_view first, std::string_view second, Done done) {
  writing_ = Writing{{first, second}, 0};
  asio::post(socket_.get_executor(),
             [this, done = std::move(done)]() mutable { write_on(std::move(done)); });
}

void TlsStream::seal_some() {
  while (writing_.part < 2 && outbox_.size() < kSealBytes) {
    std::string_view& part = writing_.parts[writing_.part];
    if (part.empty()) {
      ++writing_.part;
      continue;
    }
    ERR_clear_error();
    std::size_t sealed = 0;
    const std::size_t most = std::min(part.size(), kSealBytes - outbox_.size());
    if (SSL_write_ex(ssl_.get(), part.data(), most, &sealed) != 1) return;
    part.remove_prefix(sealed);
  }
}

void TlsStream::write_on(Done done) {
  while (true) {
    const std::error_code sent = send_outbox();
    if (sent == asio::error::would_block) {
      when(asio::ip::tcp::socket::wait_write, &TlsStream::write_on, std::move(done));
      return;
    }
    if (sent) {
      done(sent);
      return;
    }
    if (writing_.part == 2) {
      done({});
      return;
    }
    seal_some();
    if (outbox_.empty() && writing_.part < 2) {  // the session is broken
      done(asio::error::connection_aborted);
      return;
    }
  }
}

}  // namespace syncline::net
