// Datagrams between members of the fleet: UDP, each sealed with AES-256-GCM under the fleet key.
//
//   datagram = 0x01 key_id(4) nonce(12) ciphertext tag(16)
//   key_id   = the first 4 bytes of SHA-256 of "syncline key id" and the key
//
// Version and key id are authenticated with the text (additional data). The nonce is 96 random
// bits. 1,000 nodes at 4 datagrams a second seal 2^37 in a year; then two share a nonce with a
// chance of 2^-23. The stricter bound of NIST SP 800-38D, 8.3 (2^32 per key, 2^-33) lasts such a
// fleet 12 days and one of 50 nodes eight months: change the key that often where it matters.
//
// Rotation: several keys open, one seals. First every node gets the new key beside the old one,
// then each is told to seal with it, then the old one is taken away.
//
// A recorded datagram that is sent again opens again. That is harmless: of two rumours the higher
// (incarnation, state) holds, so an old one changes nothing, and an ack counts only for the number
// that was asked last. Whoever replays a ping gets an answer of about its own size: nothing is won.
//
// What does not open is dropped and counted, without an answer. Nothing is ever fragmented.
// Threads: everything on the io_context's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/packets.hpp"
#include "core/result.hpp"

namespace asio {
class io_context;
}

namespace syncline::net {

inline constexpr std::size_t kSealOverheadBytes = 1 + 4 + 12 + 16;
inline constexpr std::size_t kDatagramBytesMax = core::kPacketBytesMax + kSealOverheadBytes;

// Sealing alone: what the socket below uses, and what fuzz and tests look at.
class Sealer {
 public:
  // Keys of 32 bytes; the first seals, all open. kInvalid otherwise.
  static core::Result<Sealer> create(const std::vector<std::string>& keys);

  // REQUIRES: at most kPacketBytesMax.
  std::string seal(std::string_view text) const;
  // kCorrupt: too short or long, of an unknown key, or not what was sealed.
  core::Result<std::string> open(std::string_view datagram) const;

 private:
  struct Key {
    std::string id;
    std::string bytes;
  };
  std::vector<Key> keys_;
};

struct DatagramCounts {
  std::uint64_t sent = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received = 0;  // that opened
  std::uint64_t received_bytes = 0;
  std::uint64_t not_opened = 0;  // strangers, damage, an old key
  std::uint64_t not_sent = 0;    // no such address, or the system refused
};

class SealedUdp {
 public:
  // `address` is "host:port", numeric, as it can be sent to.
  using OnText = std::function<void(const std::string& address, std::string_view text)>;

  static core::Result<std::unique_ptr<SealedUdp>> create(asio::io_context& io,
                                                         const std::vector<std::string>& keys,
                                                         OnText on_text);
  ~SealedUdp();
  SealedUdp(const SealedUdp&) = delete;
  SealedUdp& operator=(const SealedUdp&) = delete;

  // "0.0.0.0:8750": the peer port; "[::]:8750" takes both families. Once.
  core::Status listen(const std::string& host_port);
  std::uint16_t port() const;
  // Names are resolved off the loop and remembered for a minute; a numeric address goes at once.
  // Nothing is promised: lost, refused and unresolved datagrams are the same to the sender.
  void send(const std::string& host_port, std::string_view text);
  // From now on; kInvalid leaves the old ones.
  core::Status set_keys(const std::vector<std::string>& keys);
  const DatagramCounts& counts() const;
  void shutdown();

 private:
  struct State;
  explicit SealedUdp(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace syncline::net
