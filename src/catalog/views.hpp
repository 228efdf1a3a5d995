// What the facts of the catalog mean: their keys and values, typed.
//
//   self                               what a node says of itself      NodeSelf
//   log/<collection>/<origin>/<epoch>  records it has on disk          core::SeqSet as text
//   obj/<collection>/<path>            its version of the path         core::ObjectVersion
//   keys                               ids of the fleet's keys it has   16 hex digits each
//   lead                               epoch it claimed as the leader  decimal
//   fp/<collection>                    fingerprint of its replica      hex
//
// Parsing answers nothing for a key of another kind, or one that is malformed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"

namespace syncline::catalog {

inline constexpr const char* kSelfKey = "self";
inline constexpr const char* kKeysKey = "keys";
inline constexpr const char* kLeadKey = "lead";

// What a node says of itself. Sizes in bytes.
struct NodeSelf {
  std::vector<std::string> roles;
  std::string provider;
  std::string zone;
  std::string host;  // with storage: its failure domain
  std::string storage;
  std::string advertise;  // "host:port" of its peer port; empty behind NAT
  bool is_ephemeral = false;
  bool is_draining = false;
  std::int64_t acks = 0;
  std::map<std::string, std::string> roots;  // files collection -> absolute path over there
  int objects_port = 0;                      // of its HTTPS listener, for aria2; 0: it has none
  int swarm_port = 0;  // of its BitTorrent session; 0: it takes no part in swarms
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
  bool operator==(const NodeSelf&) const = default;
};

// Lines of "name value"; unknown names are skipped, so that nodes of different ages understand
// each other. kCorrupt for anything else, kInvalid beyond 16 KiB.
std::string encode(const NodeSelf& self);
core::Result<NodeSelf> decode_node_self(std::string_view text);

std::string log_key(const core::LogId& log);
std::optional<core::LogId> parse_log_key(std::string_view key);
std::string object_key(const core::CollectionName& collection, std::string_view path);
std::optional<std::pair<core::CollectionName, std::string>> parse_object_key(std::string_view key);
std::string fingerprint_key(const core::CollectionName& collection);
std::optional<core::CollectionName> parse_fingerprint_key(std::string_view key);

}  // namespace syncline::catalog
