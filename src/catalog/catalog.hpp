// The catalog: what each node says of itself, replicated to every node.
//
// Each owner's facts form a log numbered by version; a later version of a key replaces the earlier
// one, so what is kept per owner is a map from key to its newest fact, and one mark: "complete up
// to version v of incarnation i". Only the owner writes its part, so joining two catalogs is per
// owner: the higher incarnation wins whole, within one incarnation the newer fact of each key wins.
// That join is commutative, associative and idempotent (catalog_test.cpp holds it as a property).
//
// The shape is Scuttlebutt's (van Renesse et al. 2008) with the gap-free rule of its "precise"
// reconciliation: a delta covers (after, up_to] completely, and is taken only by a reader whose
// mark stands at `after` or beyond; so a mark never claims a fact that was lost on the way.
//
// Memory: a fact, its key and value once, and two tree nodes over it (bench/fleet_scale measures).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/fact.hpp"
#include "core/ids.hpp"

namespace syncline::catalog {

struct CatalogLimits {
  std::size_t key_bytes_max = 4096;
  std::size_t value_bytes_max = 64 * 1024;
  std::size_t owners_max = 4096;  // a fleet is 3 to 500 nodes; bounds what a peer can do
  std::size_t facts_per_owner_max = 4u << 20;
};

struct FactChange {
  core::NodeId owner;
  core::Fact fact;  // is_removed: the key is gone
};

class Catalog {
 public:
  // REQUIRES: `incarnation` is above every one this node used before.
  Catalog(core::NodeId self, std::uint64_t incarnation, CatalogLimits limits = {});

  // ── this node's own log ──
  // Null if that is what the fact says already. The pointer holds until the next change.
  const core::Fact* assert_own(const std::string& key, const std::string& value);
  const core::Fact* remove_own(const std::string& key);

  // ── exchange ──
  core::CatalogDigest digest() const;
  core::OwnerMark mark(const core::NodeId& owner) const;  // zero if nothing is known of it
  // What a reader with this digest lacks, oldest first, at most about `bytes_max`.
  core::CatalogDelta delta_for(const core::CatalogDigest& theirs, std::size_t bytes_max) const;
  // Takes what continues our marks; answers what changed. Malformed parts are left out.
  std::vector<FactChange> apply(const core::CatalogDelta& delta);
  // Somebody knows this node under a higher incarnation (it lost its disk, or its clock went
  // back): tells all own facts anew under one above it. False if nothing had to be done.
  bool outbid(std::uint64_t incarnation);

  // ── reading ──
  const core::Fact* find(const core::NodeId& owner, const std::string& key) const;
  void for_each(const std::function<void(const core::NodeId&, const core::Fact&)>& visit) const;
  std::size_t owners() const { return logs_.size(); }
  std::size_t facts() const;
  const core::NodeId& self() const { return self_; }

  // A node was removed from the fleet: its facts are void, and stay so under this incarnation.
  std::vector<FactChange> forget(const core::NodeId& owner);

 private:
  struct ByKey {
    using is_transparent = void;
    static std::string_view key(const core::Fact* fact) { return fact->key; }
    static std::string_view key(std::string_view key) { return key; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return key(a) < key(b);
    }
  };
  struct Log {
    Log() = default;
    Log(const Log& other) : mark(other.mark), by_version(other.by_version) {
      for (const auto& [version, fact] : by_version) by_key.insert(&fact);
    }
    Log(Log&&) = default;  // nodes of a map stay where they are
    Log& operator=(Log other) {
      mark = other.mark;
      by_version.swap(other.by_version);
      by_key.swap(other.by_key);
      return *this;
    }
    core::OwnerMark mark;
    std::map<std::uint64_t, core::Fact> by_version;  // the newest fact of each key
    std::set<const core::Fact*, ByKey> by_key;       // of those
    const core::Fact* find(std::string_view key) const {
      const auto found = by_key.find(key);
      return found == by_key.end() ? nullptr : *found;
    }
  };
  const core::Fact* put(Log& log, core::Fact fact);
  std::vector<FactChange> void_facts(const core::NodeId& owner, Log& log);

  core::NodeId self_;
  CatalogLimits limits_;
  std::map<core::NodeId, Log> logs_;
};

}  // namespace syncline::catalog
