// Facts: what a node says of itself. Each node owns a numbered log of its own facts and nobody
// else writes there; a later version of a key replaces the earlier one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/ids.hpp"

namespace syncline::core {

// Keys, by convention "<kind>/<rest>"; values are short text or encoded bytes:
//   self                               roles, provider, addresses, acks … (NodeSelf, below)
//   load                               free disk, load average …
//   log/<collection>/<origin>/<epoch>  SeqSet of that log this node holds on disk
//   obj/<collection>/<path>            the object at that path (ObjectVersion in core/object.hpp)
//   fp/<collection>                    fingerprint and count of the replica
struct Fact {
  std::uint64_t version = 0;  // position in the owner's log; 1, 2, 3 …, unique per owner
  std::string key;            // <= 4096 bytes
  std::string value;          // <= 64 KiB
  bool is_removed = false;    // the key is gone; the fact stays so that the removal spreads
  bool operator==(const Fact&) const = default;
};

// How much of each owner's log somebody has seen. A node that lost its state opens a new
// incarnation: all facts of the older one are void.
struct OwnerMark {
  std::uint64_t incarnation = 0;
  std::uint64_t version = 0;
  auto operator<=>(const OwnerMark&) const = default;
};

struct CatalogDigest {
  std::map<NodeId, OwnerMark> marks;
  bool operator==(const CatalogDigest&) const = default;
};

struct CatalogDelta {
  struct Part {
    NodeId owner;
    std::uint64_t incarnation = 0;
    std::uint64_t after = 0;  // facts below cover (after, up_to] completely …
    std::uint64_t up_to = 0;  // … so the reader's mark may move to up_to if it stood >= after
    std::vector<Fact> facts;  // ascending by version
    bool operator==(const Part&) const = default;
  };
  std::vector<Part> parts;
  bool operator==(const CatalogDelta&) const = default;
};

}  // namespace syncline::core
