// One file of a `files` collection at one version.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/ids.hpp"
#include "core/result.hpp"

namespace syncline::core {

// Which node changed the path how often (a version vector, as Syncthing keeps one per file).
struct VersionVector {
  std::map<NodeId, std::uint64_t> counters;
  bool operator==(const VersionVector&) const = default;
};

enum class VersionOrder { kEqual, kBefore, kAfter, kConcurrent };
VersionOrder compare(const VersionVector& a, const VersionVector& b);
VersionVector join(const VersionVector& a, const VersionVector& b);

struct ObjectVersion {
  Root root;  // BEP 52 root of the content; the empty file has the zero root
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ms = 0;  // of the file at its origin
  std::uint32_t mode = 0644;  // permission bits
  std::uint64_t hlc = 0;      // of the last change: decides between concurrent versions …
  NodeId origin;              // … then the origin's id; the loser is kept as a sibling copy
  bool is_deleted = false;    // spreads only where the collection replicates deletion
  VersionVector version;
  bool operator==(const ObjectVersion&) const = default;
};

// Deterministic: the same two versions give the same winner on every node.
bool wins_over(const ObjectVersion& a, const ObjectVersion& b);

std::string encode(const ObjectVersion& object);
Result<ObjectVersion> decode_object_version(std::string_view bytes);

}  // namespace syncline::core
