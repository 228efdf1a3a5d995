#include "core/object.hpp"

#include <algorithm>
#include <tuple>

#include "core/bytes.hpp"

namespace syncline::core {

namespace {
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kNodeBytesMax = 256;
constexpr std::size_t kCountersMax = 4096;
}  // namespace

VersionOrder compare(const VersionVector& a, const VersionVector& b) {
  bool is_a_ahead = false;
  bool is_b_ahead = false;
  auto behind = [](const VersionVector& x, const VersionVector& y) {
    // Does y count more than x anywhere?
    return std::any_of(y.counters.begin(), y.counters.end(), [&](const auto& entry) {
      auto found = x.counters.find(entry.first);
      return entry.second > (found == x.counters.end() ? 0 : found->second);
    });
  };
  is_a_ahead = behind(b, a);
  is_b_ahead = behind(a, b);
  if (is_a_ahead && is_b_ahead) return VersionOrder::kConcurrent;
  if (is_a_ahead) return VersionOrder::kAfter;
  return is_b_ahead ? VersionOrder::kBefore : VersionOrder::kEqual;
}

VersionVector join(const VersionVector& a, const VersionVector& b) {
  VersionVector joined = a;
  for (const auto& [node, count] : b.counters) {
    std::uint64_t& mine = joined.counters[node];
    mine = std::max(mine, count);
  }
  return joined;
}

bool wins_over(const ObjectVersion& a, const ObjectVersion& b) {
  switch (compare(a.version, b.version)) {
    case VersionOrder::kAfter:
      return true;
    case VersionOrder::kBefore:
      return false;
    case VersionOrder::kEqual:
    case VersionOrder::kConcurrent:
      break;
  }
  // A file beats its deletion: what may still be wanted is not lost by a coincidence.
  if (a.is_deleted != b.is_deleted) return b.is_deleted;
  return std::tie(a.hlc, a.origin, a.root) > std::tie(b.hlc, b.origin, b.root);
}

std::string encode(const ObjectVersion& object) {
  ByteWriter out;
  out.u8(kVersion);
  out.digest(object.root);
  out.varint(object.size_bytes);
  out.zigzag(object.mtime_ms);
  out.varint(object.mode);
  out.varint(object.hlc);
  out.text(object.origin.text);
  out.u8(object.is_deleted ? 1 : 0);
  out.varint(object.version.counters.size());
  for (const auto& [node, count] : object.version.counters) {
    out.text(node.text);
    out.varint(count);
  }
  return out.take();
}

Result<ObjectVersion> decode_object_version(std::string_view bytes) {
  const Error corrupt{ErrorKind::kCorrupt, "these bytes are no version of an object", ""};
  ByteReader in(bytes);
  if (in.u8() != kVersion) return corrupt;
  ObjectVersion object;
  object.root = in.digest();
  object.size_bytes = in.varint();
  object.mtime_ms = in.zigzag();
  const std::uint64_t mode = in.varint();
  if (mode > 07777) return corrupt;
  object.mode = static_cast<std::uint32_t>(mode);
  object.hlc = in.varint();
  object.origin = NodeId(in.text(kNodeBytesMax));
  const std::uint8_t deleted = in.u8();
  if (deleted > 1) return corrupt;
  object.is_deleted = deleted == 1;
  const std::uint64_t counters = in.varint();
  if (!in.ok() || counters > kCountersMax) return corrupt;
  for (std::uint64_t i = 0; i < counters; ++i) {
    NodeId node(in.text(kNodeBytesMax));
    const std::uint64_t count = in.varint();
    // Ascending, so that each version has one encoding only.
    if (!object.version.counters.empty() && !(object.version.counters.rbegin()->first < node)) {
      return corrupt;
    }
    object.version.counters.emplace(std::move(node), count);
  }
  if (!in.at_end()) return corrupt;
  return object;
}

}  // namespace syncline::core
