#include "net/connection.hpp"

#include <netinet/tcp.h>

#include <asio/ssl/error.hpp>

#include "core/uninitialized.hpp"
#include "net/congestion.hpp"

namespace syncline::net {

namespace {
// Copying more costs as much as it saves.
constexpr std::size_t kTogetherBytesMax = 64u << 10;
}  // namespace

Connection::Connection(asio::io_context& io, asio::ssl::context& tls, const LinkLimits& limits,
                       ConnectionOwner owner)
    : io_(io),
      stream_(io, tls),
      limits_(limits),
      owner_(std::move(owner)),
      deadline_(io),
      silence_(io),
      prefix_(wire::kFramePrefixBytes, '\0') {}

void Connection::set_options() {
  std::error_code ignored;  // an option that the kernel lacks costs speed, not correctness
  socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  socket().set_option(asio::socket_base::keep_alive(true), ignored);
  const int unsent = static_cast<int>(kUnsentBytesMax);
  ::setsockopt(socket().native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

bool Connection::verify(bool preverified, X509_STORE_CTX* context) {
  if (preverified) return true;
  if (is_dialler_ || X509_STORE_CTX_get_error_depth(context) != 0) return false;
  X509* certificate = X509_STORE_CTX_get_current_cert(context);
  if (certificate == nullptr) return false;
  const core::Digest256 key = public_key_hash(certificate);
  if (!is_joiner_) {
    if (!owner_.is_invited || !owner_.is_invited(key)) return false;
    is_joiner_ = true;
    joiner_key_ = key;
  }
  if (key != joiner_key_) return false;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return true;
}

void Connection::start(bool is_dialler) {
  is_dialler_ = is_dialler;
  set_options();
  auto self = shared_from_this();
  deadline_.expires_after(limits_.hello_timeout);
  deadline_.async_wait([self](const std::error_code& error) {
    if (!error) self->close("no handshake and hello in time");
  });
  shake_hands();
}

void Connection::shake_hands() {
  auto self = shared_from_this();
  auto check = [this](bool preverified, X509_STORE_CTX* context) {
    return verify(preverified, context);
  };
  stream_.async_handshake(is_dialler_, check, [self](const std::error_code& error) {
    if (self->is_closed_) return;
    if (error) {
      self->close("the TLS handshake failed: " + error.message());
      return;
    }
    X509* certificate = SSL_get0_peer_certificate(self->stream_.session());
    if (certificate == nullptr) {
      self->close("the peer showed no certificate");
      return;
    }
    self->peer_ = core::NodeId(common_name(certificate));
    self->is_open_ = true;
    self->heard_at_ = std::chrono::steady_clock::now();
    self->read_prefix();
    self->owner_.on_open(self);
  });
}

void Connection::hello_done() {
  deadline_.cancel();
  settle_congestion_control(socket().native_handle(), limits_.short_path_max);
  watch_silence();
}

void Connection::watch_silence() {
  auto self = shared_from_this();
  silence_.expires_after(limits_.ping_interval);
  silence_.async_wait([self](const std::error_code& error) {
    if (error || self->is_closed_) return;
    const auto silent_for = std::chrono::steady_clock::now() - self->heard_at_;
    if (silent_for >= self->limits_.silence_max) {
      self->close("nothing was heard for " +
                  std::to_string(std::chrono::duration_cast<core::seconds>(silent_for).count()) +
                  " s");
      return;
    }
    if (silent_for >= self->limits_.ping_interval) {
      auto frame = wire::encode_frame(wire::Ping{++self->pings_, false});
      if (frame.ok()) self->send(std::move(frame).value());
    }
    self->watch_silence();
  });
}

// ── in ──────────────────────────────────────────────────────────────────────────────────────────

void Connection::read_prefix() {
  auto self = shared_from_this();
  stream_.async_read(prefix_, nothing_, [self](const std::error_code& error) {
    if (self->is_closed_) return;
    if (error) {
      self->close(error == asio::error::eof || error == asio::ssl::error::stream_truncated
                      ? "the peer closed the connection"
                      : error.message());
      return;
    }
    const auto sizes = wire::decode_prefix(self->prefix_);
    if (!sizes.ok()) {
      self->close(sizes.error().what);
      return;
    }
    // A stranger has nothing large to say.
    if (self->is_joiner_ && sizes->header_bytes + sizes->payload_bytes > 64 * 1024) {
      self->close("a joiner sent too much");
      return;
    }
    self->read_body(*sizes);
  });
}

void Connection::read_body(wire::FrameSizes sizes) {
  header_.resize(sizes.header_bytes);
  core::resize_for_overwrite(payload_, sizes.payload_bytes);
  auto self = shared_from_this();
  stream_.async_read(header_, payload_, [self](const std::error_code& error) {
    if (self->is_closed_) return;
    if (error) {
      self->close("the connection broke in the middle of a frame");
      return;
    }
    self->heard_at_ = std::chrono::steady_clock::now();
    if (self->traffic) {
      self->traffic->received_bytes +=
          self->prefix_.size() + self->header_.size() + self->payload_.size();
    }
    auto message = wire::decode_frame(self->header_, std::move(self->payload_));
    self->payload_ = std::string();
    if (!message.ok()) {
      self->close(message.error().what);
      return;
    }
    if (const auto* ping = std::get_if<wire::Ping>(&*message)) {
      if (!ping->is_answer) {
        auto answer = wire::encode_frame(wire::Ping{ping->number, true});
        if (answer.ok()) self->send(std::move(answer).value());
      }
    } else {
      self->owner_.on_message(self, std::move(message).value());
    }
    if (!self->is_closed_) self->read_prefix();
  });
}

// ── out ─────────────────────────────────────────────────────────────────────────────────────────

void Connection::send(wire::Frame frame) {
  if (is_closed_) return;
  queued_bytes_ += frame.size();
  queue_.push_back(std::move(frame));
  pump();
}

std::optional<wire::Frame> Connection::next_frame() {
  if (held_) return std::exchange(held_, std::nullopt);
  if (!queue_.empty()) {
    wire::Frame frame = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= frame.size();
    return frame;
  }
  if (is_closing_ || !owner_.next_data) return std::nullopt;
  auto message = owner_.next_data(shared_from_this());
  if (!message) return std::nullopt;
  auto frame = wire::encode_frame(std::move(*message));
  if (!frame.ok()) return std::nullopt;
  return std::move(frame).value();
}

// Small frames go out together: one record and one system call for many, not for each.
void Connection::pump() {
  if (is_writing_ || is_closed_ || !is_open_) return;
  std::optional<wire::Frame> first = next_frame();
  if (!first) {
    if (is_closing_) close("done");
    return;
  }
  while (first->size() < kTogetherBytesMax) {
    std::optional<wire::Frame> next = next_frame();
    if (!next) break;
    if (first->size() + next->size() > kTogetherBytesMax) {
      held_ = std::move(next);
      break;
    }
    first->head += first->payload;
    first->payload.clear();
    first->head += next->head;
    first->head += next->payload;
  }
  write(std::move(*first));
}

void Connection::write(wire::Frame frame) {
  is_writing_ = true;
  writing_ = std::move(frame);
  auto self = shared_from_this();
  stream_.async_write(writing_.head, writing_.payload, [self](const std::error_code& error) {
    self->is_writing_ = false;
    if (self->is_closed_) return;
    if (error) {
      self->close("sending failed: " + error.message());
      return;
    }
    if (self->traffic) self->traffic->sent_bytes += self->writing_.size();
    self->pump();
  });
}

void Connection::close_when_sent() {
  is_closing_ = true;
  pump();
}

void Connection::close(const std::string& reason) {
  if (is_closed_) return;
  is_closed_ = true;
  deadline_.cancel();
  silence_.cancel();
  std::error_code ignored;  // it is gone either way
  socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket().close(ignored);
  queue_.clear();
  queued_bytes_ = 0;
  held_.reset();
  auto self = shared_from_this();
  owner_.on_closed(self, reason);
}

}  // namespace syncline::net
