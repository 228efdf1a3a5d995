// A replica's file: whose it is, how it comes into being, and its side tables.
//
// - A file is looked at before SQLite opens it: opening somebody else's database could recover its
//   journal. Ours has the application id below from its first byte on, because it is made under
//   another name and renamed.
// - Side tables are named syncline_*; docs/formats/replica.md has them.
// - {config_key} in a path stands for a config key, with every byte but [A-Za-z0-9._-] as %XX.
#pragma once

#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

inline constexpr std::int64_t kReplicaId = 0x53796e52;  // "SynR". DO NOT CHANGE
inline constexpr std::int64_t kReplicaVersion = 1;

enum class FileState { kMissing, kOurs };
// kConflict: somebody else's, or of a newer Syncline. kCorrupt: no SQLite database at all.
core::Result<FileState> look_at(const std::string& path);

// Creates it where it is missing. kConflict: it holds another collection or config key.
core::Result<syncline::sqlite::Database> open_replica_file(const std::string& path,
                                                           const core::CollectionName& collection,
                                                           const core::ConfigKey& config_key);

bool has_config_key(const std::string& path_pattern);
std::string path_for(const std::string& path_pattern, const core::ConfigKey& config_key);
// Files of ours that the pattern names, and the config keys they hold.
struct ReplicaFile {
  std::string path;
  core::ConfigKey config_key;
};
core::Result<std::vector<ReplicaFile>> files_of(const std::string& path_pattern);

}  // namespace syncline::collections::sqlite
