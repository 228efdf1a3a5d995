// Which files below a collection's root are its databases.
//
// Those that `include` names and `exclude` does not, without the companions that SQLite puts beside
// them (-wal, -shm, -journal) and without the collection's own replicas. Where `include` was left
// at its default, files called *.db, *.sqlite and *.sqlite3. No symbolic link is followed.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/config.hpp"

namespace syncline::collections::sqlite {

struct Databases {
  std::set<std::string> names;        // relative to the root, '/'-separated
  std::vector<std::string> problems;  // folders that cannot be read, links that are not followed
};

// `root`: absolute, links resolved.
Databases find_databases(const std::string& root, const core::CollectionConfig& config);

// Of a path that somebody named, relative to the root; false for one that leads out of it.
bool is_database_name(const std::string& name, const std::string& root,
                      const core::CollectionConfig& config);

}  // namespace syncline::collections::sqlite
