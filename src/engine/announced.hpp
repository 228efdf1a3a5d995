// Files that rows of a collection name, such as the models of a registry: where they stand.
#pragma once

#include <string>
#include <vector>

#include "core/config.hpp"
#include "engine/engine.hpp"

namespace syncline::engine {

enum class FileStanding {
  kOnTheWay,  // known, and not durable
  kDurable,
  kNowhere,  // no node has told of it
};

// What a name in a row may mean below the root of the collection of files, best first: programs
// write it relative to the root, to the folder above it, or absolute, and on another machine.
std::vector<std::string> paths_of(const std::string& name, const std::string& root);

// `collection` announces files.
FileStanding standing_of(const Engine& engine, const core::CollectionConfig& collection,
                         const std::string& name);

// "2 rows wait until their files are durable: …; 1 of 31 files is nowhere: …"; empty: nothing is
// announced, or all of it is there.
std::string announced_text(const Engine& engine, const core::CollectionConfig& collection);

}  // namespace syncline::engine
