// Names of things that cross rooms, each a type of its own: a node's id never stands where a
// collection's name is wanted.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace syncline::core {

template <typename Tag>
struct Name {
  std::string text;

  Name() = default;
  explicit Name(std::string value) : text(std::move(value)) {}
  explicit Name(std::string_view value) : text(value) {}
  explicit Name(const char* value) : text(value) {}
  bool empty() const { return text.empty(); }
  auto operator<=>(const Name&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Name& name) { return out << name.text; }
};

using NodeId = Name<struct NodeIdTag>;              // 1..64 characters of [A-Za-z0-9._-]
using CollectionName = Name<struct CollectionTag>;  // as declared: "games"
using ConfigKey = Name<struct ConfigKeyTag>;        // "hex8_2p"; empty = the collection has none

template <typename Tag>
struct Number {
  std::uint64_t value = 0;
  auto operator<=>(const Number&) const = default;
  friend std::ostream& operator<<(std::ostream& out, Number n) { return out << n.value; }
};

// A node opens a new epoch at every start of its daemon, so a seq whose fsync was lost in a crash
// is never used again for something else.
using Epoch = Number<struct EpochTag>;
using Seq = Number<struct SeqTag>;  // 1, 2, 3 … without holes inside one (origin, epoch)

// A log is what one node wrote into one collection in one epoch.
struct LogId {
  CollectionName collection;
  NodeId origin;
  Epoch epoch;
  auto operator<=>(const LogId&) const = default;
};
std::ostream& operator<<(std::ostream& out, const LogId& log);

// Names one record for ever (with its collection).
struct RecordId {
  NodeId origin;
  Epoch epoch;
  Seq seq;
  auto operator<=>(const RecordId&) const = default;
};

// 32 bytes of SHA-256: a content root (BEP 52), a unit's hash.
struct Digest256 {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const Digest256&) const = default;
  bool is_zero() const;
};
std::string to_hex(const Digest256& digest);
// 64 hex digits, else false and `out` untouched.
bool from_hex(std::string_view hex, Digest256& out);
std::ostream& operator<<(std::ostream& out, const Digest256& digest);

using Root = Digest256;

}  // namespace syncline::core

template <typename Tag>
struct std::hash<syncline::core::Name<Tag>> {
  std::size_t operator()(const syncline::core::Name<Tag>& name) const noexcept {
    return std::hash<std::string>{}(name.text);
  }
};
template <>
struct std::hash<syncline::core::Digest256> {
  std::size_t operator()(const syncline::core::Digest256& digest) const noexcept {
    std::size_t h = 0;
    for (std::size_t i = 0; i < sizeof(h); ++i) h = (h << 8) | digest.bytes[i];
    return h;
  }
};
