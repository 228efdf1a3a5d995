#include "reconcile/fingerprint.hpp"

#include <charconv>
#include <cstdio>

#include "core/sha256.hpp"

namespace syncline::reconcile {

namespace {
std::array<std::uint64_t, 4> number_of(std::string_view key, const core::Digest256& hash) {
  std::string both(key);
  both.append(reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size());
  const core::Digest256 digest = core::sha256(both);
  std::array<std::uint64_t, 4> out{};
  for (std::size_t i = 0; i < 32; ++i) {
    out[i / 8] |= static_cast<std::uint64_t>(digest.bytes[i]) << (8 * (i % 8));
  }
  return out;
}
}  // namespace

void Fingerprint::add(std::string_view key, const core::Digest256& hash) {
  add({number_of(key, hash), 1});
}

void Fingerprint::add(const Fingerprint& other) {
  unsigned carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint64_t with = sum[i] + other.sum[i];
    const std::uint64_t all = with + carry;
    carry = (with < sum[i] || all < with) ? 1 : 0;
    sum[i] = all;
  }
  count += other.count;
}

void Fingerprint::remove(std::string_view key, const core::Digest256& hash) {
  const auto number = number_of(key, hash);
  unsigned borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint64_t without = sum[i] - number[i];
    const std::uint64_t all = without - borrow;
    borrow = (without > sum[i] || all > without) ? 1 : 0;
    sum[i] = all;
  }
  --count;
}

std::string to_string(const Fingerprint& fingerprint) {
  char text[96];
  std::snprintf(text, sizeof(text), "%llu-%016llx%016llx%016llx%016llx",
                static_cast<unsigned long long>(fingerprint.count),
                static_cast<unsigned long long>(fingerprint.sum[3]),
                static_cast<unsigned long long>(fingerprint.sum[2]),
                static_cast<unsigned long long>(fingerprint.sum[1]),
                static_cast<unsigned long long>(fingerprint.sum[0]));
  return text;
}

bool parse_fingerprint(std::string_view text, Fingerprint& out) {
  Fingerprint parsed;
  const char* end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, parsed.count);
  if (read.ec != std::errc{} || read.ptr == end || *read.ptr != '-' || end - read.ptr != 65) {
    return false;
  }
  const char* at = read.ptr + 1;
  for (int i = 3; i >= 0; --i, at += 16) {
    read = std::from_chars(at, at + 16, parsed.sum[static_cast<std::size_t>(i)], 16);
    if (read.ec != std::errc{} || read.ptr != at + 16) return false;
  }
  out = parsed;
  return true;
}

}  // namespace syncline::reconcile
