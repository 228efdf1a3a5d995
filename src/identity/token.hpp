// Join tokens: what a person copies from one machine to another, once.
//
//   syncline1.<base64url of: version, expiry, CA fingerprint, seed, fleet, addresses>
//
// Whoever has it can join once until it expires: pass it over a channel you trust.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"

namespace syncline::identity {

struct Token {
  std::int64_t expires_at_s = 0;  // seconds since 1970
  core::Digest256 ca_fingerprint;
  std::string seed;  // 32 bytes, secret
  std::string fleet;
  std::vector<std::string> addresses;  // "host:port" of nodes that can sign
  bool operator==(const Token&) const = default;
};

std::string encode(const Token& token);
// kInvalid with one line for anything that encode() does not make. At most 4 KiB are looked at.
core::Result<Token> decode_token(std::string_view text);

}  // namespace syncline::identity
