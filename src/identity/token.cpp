#include "identity/token.hpp"

#include "core/bytes.hpp"

namespace syncline::identity {

namespace {

constexpr std::string_view kPrefix = "syncline1.";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kTextMax = 4096;
constexpr std::size_t kAddressesMax = 32;
constexpr std::size_t kSeedBytes = 32;
constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string to_base64url(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (unsigned char c : bytes) {
    bits = (bits << 8) | c;
    count += 8;
    while (count >= 6) {
      count -= 6;
      out.push_back(kAlphabet[(bits >> count) & 63]);
    }
  }
  if (count > 0) out.push_back(kAlphabet[(bits << (6 - count)) & 63]);
  return out;
}

bool from_base64url(std::string_view text, std::string& out) {
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const std::size_t at = std::string_view(kAlphabet, 64).find(c);
    if (at == std::string_view::npos) return false;
    bits = (bits << 6) | static_cast<std::uint32_t>(at);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>((bits >> count) & 255));
    }
  }
  return (bits & ((1u << count) - 1)) == 0;  // one text per token
}

}  // namespace

std::string encode(const Token& token) {
  core::ByteWriter out;
  out.u8(kVersion);
  out.zigzag(token.expires_at_s);
  out.digest(token.ca_fingerprint);
  out.raw(token.seed);
  out.text(token.fleet);
  out.varint(token.addresses.size());
  for (const std::string& address : token.addresses) out.text(address);
  return std::string(kPrefix) + to_base64url(out.take());
}

core::Result<Token> decode_token(std::string_view text) {
  const core::Error bad{core::ErrorKind::kInvalid,
                        "this is no join token: copy the whole line that `syncline invite` printed",
                        ""};
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  if (text.size() > kTextMax || text.substr(0, kPrefix.size()) != kPrefix) return bad;
  std::string bytes;
  if (!from_base64url(text.substr(kPrefix.size()), bytes)) return bad;
  core::ByteReader in(bytes);
  if (in.u8() != kVersion) return bad;
  Token token;
  token.expires_at_s = in.zigzag();
  token.ca_fingerprint = in.digest();
  token.seed = std::string(in.raw(kSeedBytes));
  token.fleet = std::string(in.text(256));
  const std::uint64_t addresses = in.varint();
  if (!in.ok() || addresses > kAddressesMax) return bad;
  for (std::uint64_t i = 0; i < addresses; ++i) token.addresses.emplace_back(in.text(512));
  if (!in.at_end()) return bad;
  return token;
}

}  // namespace syncline::identity
