#include "net/sealed_udp.hpp"

#include <openssl/evp.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <asio/ip/v6_only.hpp>
#include <map>

#include "core/sha256.hpp"
#include "env/entropy.hpp"
#include "net/tls.hpp"

namespace syncline::net {

using asio::ip::udp;
using core::Error;
using core::ErrorKind;

namespace {

constexpr char kVersion = 1;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kHeadBytes = 1 + kKeyIdBytes;
constexpr std::size_t kNamesMax = 4096;
constexpr std::chrono::seconds kNameAgeMax{60};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

}  // namespace

core::Result<Sealer> Sealer::create(const std::vector<std::string>& keys) {
  Sealer sealer;
  for (const std::string& bytes : keys) {
    if (bytes.size() != kKeyBytes) {
      return Error{ErrorKind::kInvalid, "a fleet key must have 32 bytes", ""};
    }
    const core::Digest256 hash = core::sha256("syncline key id" + bytes);
    sealer.keys_.push_back(
        {std::string(reinterpret_cast<const char*>(hash.bytes.data()), kKeyIdBytes), bytes});
  }
  if (sealer.keys_.empty()) {
    return Error{ErrorKind::kInvalid, "there is no fleet key to seal datagrams with", ""};
  }
  return sealer;
}

std::string Sealer::seal(std::string_view text) const {
  SYNCLINE_CHECK(text.size() <= core::kPacketBytesMax, "sealing", text.size(), "bytes");
  const Key& key = keys_.front();
  std::string out = kVersion + key.id + env::random_bytes(kNonceBytes);
  const std::size_t text_at = out.size();
  out.resize(text_at + text.size() + kTagBytes);
  auto* raw = reinterpret_cast<unsigned char*>(out.data());
  int size = 0;
  Context context(EVP_CIPHER_CTX_new());
  const bool is_sealed = context != nullptr &&
                         EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr,
                                            bytes_of(key.bytes), raw + kHeadBytes) == 1 &&
                         EVP_EncryptUpdate(context.get(), nullptr, &size, raw, kHeadBytes) == 1 &&
                         EVP_EncryptUpdate(context.get(), raw + text_at, &size, bytes_of(text),
                                           static_cast<int>(text.size())) == 1 &&
                         EVP_EncryptFinal_ex(context.get(), raw + text_at + size, &size) == 1 &&
                         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                                             raw + text_at + text.size()) == 1;
  SYNCLINE_CHECK(is_sealed, "AES-256-GCM is not to be had");
  return out;
}

core::Result<std::string> Sealer::open(std::string_view datagram) const {
  const Error closed{ErrorKind::kCorrupt, "a datagram was not sealed with a key of this fleet", ""};
  if (datagram.size() < kSealOverheadBytes || datagram.size() > kDatagramBytesMax ||
      datagram.front() != kVersion) {
    return closed;
  }
  for (const Key& key : keys_) {
    if (datagram.substr(1, kKeyIdBytes) != key.id) continue;
    const std::string_view sealed =
        datagram.substr(kHeadBytes + kNonceBytes, datagram.size() - kSealOverheadBytes);
    std::string tag(datagram.substr(datagram.size() - kTagBytes));
    std::string text(sealed.size(), '\0');
    auto* raw = reinterpret_cast<unsigned char*>(text.data());
    int size = 0;
    Context context(EVP_CIPHER_CTX_new());
    const bool is_open =
        context != nullptr &&
        EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key.bytes),
                           bytes_of(datagram.substr(kHeadBytes))) == 1 &&
        EVP_DecryptUpdate(context.get(), nullptr, &size, bytes_of(datagram), kHeadBytes) == 1 &&
        EVP_DecryptUpdate(context.get(), raw, &size, bytes_of(sealed),
                          static_cast<int>(sealed.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), raw + size, &size) == 1;
    if (is_open) return text;
  }
  return closed;
}

struct SealedUdp::State : std::enable_shared_from_this<SealedUdp::State> {
  State(asio::io_context& io, Sealer s, OnText f)
      : sealer(std::move(s)), on_text(std::move(f)), socket(io), resolver(io) {}

  struct Name {
    std::optional<udp::endpoint> endpoint;  // none: being looked up, or not known
    std::chrono::steady_clock::time_point asked_at;
  };

  Sealer sealer;
  OnText on_text;
  udp::socket socket;
  udp::resolver resolver;
  DatagramCounts counts;
  std::map<std::string, Name> names;
  std::array<char, kDatagramBytesMax + 1> buffer{};
  udp::endpoint sender;

  void receive();
  void received(std::size_t size);
  void send_to(udp::endpoint to, std::string_view text);
  void look_up(const std::string& host_port, const HostPort& parts, std::string text);
};

void SealedUdp::State::receive() {
  auto self = shared_from_this();
  socket.async_receive_from(asio::buffer(buffer), sender,
                            [self](const std::error_code& error, std::size_t size) {
                              if (!self->socket.is_open()) return;
                              if (!error) self->received(size);
                              if (self->socket.is_open()) self->receive();
                            });
}

void SealedUdp::State::received(std::size_t size) {
  auto text = sealer.open({buffer.data(), size});
  if (!text.ok()) {
    ++counts.not_opened;
    return;
  }
  ++counts.received;
  counts.received_bytes += size;
  asio::ip::address address = sender.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  on_text(host + ":" + std::to_string(sender.port()), *text);
}

void SealedUdp::State::send_to(udp::endpoint to, std::string_view text) {
  if (socket.local_endpoint().address().is_v6() && to.address().is_v4()) {
    to.address(asio::ip::make_address_v6(asio::ip::v4_mapped, to.address().to_v4()));
  }
  const std::string datagram = sealer.seal(text);
  std::error_code error;
  socket.send_to(asio::buffer(datagram), to, 0, error);
  if (error) {
    ++counts.not_sent;
    return;
  }
  ++counts.sent;
  counts.sent_bytes += datagram.size();
}

void SealedUdp::State::look_up(const std::string& host_port, const HostPort& parts,
                               std::string text) {
  const auto now = std::chrono::steady_clock::now();
  auto known = names.find(host_port);
  if (known != names.end() && now - known->second.asked_at < kNameAgeMax) {
    if (known->second.endpoint) return send_to(*known->second.endpoint, text);
    ++counts.not_sent;
    return;
  }
  if (known == names.end() && names.size() >= kNamesMax) names.clear();
  names[host_port] = {std::nullopt, now};
  auto self = shared_from_this();
  resolver.async_resolve(
      parts.host, parts.port, udp::resolver::numeric_service,
      [self, host_port, text = std::move(text)](const std::error_code& error,
                                                const udp::resolver::results_type& found) {
        if (!self->socket.is_open()) return;
        const bool takes_v6 = self->socket.local_endpoint().address().is_v6();
        for (const auto& entry : found) {
          if (entry.endpoint().address().is_v6() && !takes_v6) continue;
          self->names[host_port].endpoint = entry.endpoint();
          return self->send_to(entry.endpoint(), text);
        }
        (void)error;  // the same as finding nothing
        ++self->counts.not_sent;
      });
}

SealedUdp::SealedUdp(std::shared_ptr<State> state) : state_(std::move(state)) {}
SealedUdp::~SealedUdp() {
  shutdown();
}

core::Result<std::unique_ptr<SealedUdp>> SealedUdp::create(asio::io_context& io,
                                                           const std::vector<std::string>& keys,
                                                           OnText on_text) {
  SYNCLINE_ASSIGN(Sealer sealer, Sealer::create(keys));
  auto state = std::make_shared<State>(io, std::move(sealer), std::move(on_text));
  return std::unique_ptr<SealedUdp>(new SealedUdp(std::move(state)));
}

core::Status SealedUdp::listen(const std::string& host_port) {
  SYNCLINE_ASSIGN(const HostPort parts, parse_host_port(host_port));
  std::error_code error;
  const asio::ip::address address = asio::ip::make_address(parts.host, error);
  if (error) {
    return Error{ErrorKind::kInvalid, "listening takes a numeric address, such as 0.0.0.0:8750",
                 host_port};
  }
  const udp::endpoint here(address, static_cast<std::uint16_t>(std::stoi(parts.port)));
  udp::socket& socket = state_->socket;
  socket.open(here.protocol(), error);
  if (!error && address.is_v6()) socket.set_option(asio::ip::v6_only(false), error);
  if (!error) socket.non_blocking(true, error);
  if (!error) socket.bind(here, error);
  if (error) {
    std::error_code ignored;
    socket.close(ignored);
    return Error{ErrorKind::kUnreachable,
                 "cannot receive datagrams there: " + error.message() +
                     "; choose another peer_listen, or stop what has the port",
                 host_port};
  }
  state_->receive();
  return {};
}

std::uint16_t SealedUdp::port() const {
  std::error_code error;
  return state_->socket.local_endpoint(error).port();
}

void SealedUdp::send(const std::string& host_port, std::string_view text) {
  const auto parts = parse_host_port(host_port);
  if (!parts.ok() || !state_->socket.is_open()) {
    ++state_->counts.not_sent;
    return;
  }
  std::error_code error;
  const asio::ip::address address = asio::ip::make_address(parts->host, error);
  if (error) return state_->look_up(host_port, *parts, std::string(text));
  state_->send_to({address, static_cast<std::uint16_t>(std::stoi(parts->port))}, text);
}

core::Status SealedUdp::set_keys(const std::vector<std::string>& keys) {
  SYNCLINE_ASSIGN(state_->sealer, Sealer::create(keys));
  return {};
}

const DatagramCounts& SealedUdp::counts() const {
  return state_->counts;
}

void SealedUdp::shutdown() {
  std::error_code ignored;
  state_->socket.close(ignored);
  state_->resolver.cancel();
}

}  // namespace syncline::net
