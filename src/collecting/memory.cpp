#include "collecting/memory.hpp"

#include <charconv>

#include "core/hex.hpp"
#include "core/sha256.hpp"

namespace syncline::collecting {

using core::Error;
using core::ErrorKind;
using core::Result;

namespace {

constexpr std::string_view kFirstLine = "syncline-agentless 1\n";
constexpr std::string_view kSum = "sum ";
constexpr std::size_t kSumLine = 4 + 64 + 1;

// The word up to the next blank or line end; the rest loses it.
std::string_view next_word(std::string_view& rest) {
  const std::size_t end = rest.find_first_of(" \n");
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return word;
}

template <typename T>
bool take_number(std::string_view& rest, T& into) {
  const std::string_view word = next_word(rest);
  const auto read = std::from_chars(word.data(), word.data() + word.size(), into);
  return read.ec == std::errc() && read.ptr == word.data() + word.size();
}

}  // namespace

std::string encode_memory(const Memory& memory, const core::NodeId& host) {
  std::string out(kFirstLine);
  for (const auto& [file, taken] : memory) {
    if (file.host != host) continue;
    const Stamp& s = taken.stamp;
    out += std::to_string(s.size_bytes) + ' ' + std::to_string(s.mtime_ms) + ' ' +
           std::to_string(s.wal_bytes) + ' ' + std::to_string(s.wal_mtime_ms) + ' ' +
           core::to_hex(taken.root) + ' ' + file.collection.text + ' ' + core::hex_of(file.path) +
           '\n';
  }
  return out + std::string(kSum) + core::to_hex(core::sha256(out)) + '\n';
}

Result<Memory> decode_memory(std::string_view text, const core::NodeId& host) {
  const Error torn{ErrorKind::kCorrupt,
                   "what was remembered of an agentless host is damaged: it is "
                   "looked at anew",
                   host.text};
  if (text.size() > kMemoryBytesMax || text.size() < kFirstLine.size() + kSumLine) return torn;
  const std::string_view body = text.substr(0, text.size() - kSumLine);
  const std::string sum = std::string(kSum) + core::to_hex(core::sha256(body)) + '\n';
  if (text.substr(body.size()) != sum || !body.starts_with(kFirstLine)) return torn;
  Memory out;
  std::string_view rest = body.substr(kFirstLine.size());
  while (!rest.empty()) {
    Taken taken;
    Stamp& s = taken.stamp;
    if (!take_number(rest, s.size_bytes) || !take_number(rest, s.mtime_ms) ||
        !take_number(rest, s.wal_bytes) || !take_number(rest, s.wal_mtime_ms)) {
      return torn;
    }
    const bool has_root = core::from_hex(next_word(rest), taken.root);
    const core::CollectionName collection{std::string(next_word(rest))};
    const auto path = core::bytes_of_hex(next_word(rest));
    if (!has_root || !path) return torn;
    out[{host, collection, *path}] = taken;
  }
  return out;
}

}  // namespace syncline::collecting
