// Lists what stands below a folder: names and stamps, no content.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "collections/files/confined.hpp"
#include "collections/files/types.hpp"

namespace syncline::collections::files {

inline constexpr int kDepthMax = 128;  // of folders in folders; deeper ones are reported

struct Listed {
  std::string path;
  FileStamp stamp;
};

struct Listing {
  std::vector<Listed> files;          // regular ones that `wants` said yes to
  std::vector<std::string> problems;  // folders that could not be read, names that cannot travel …
  // Folders below which nothing is known: what they held is neither gone nor there.
  std::vector<std::string> unreadable;
};

struct WalkRequest {
  std::string start;  // "" is the whole root; else a path below it, folder or file
  std::function<bool(const std::string& path)> wants;
  const std::atomic<bool>* cancel = nullptr;  // checked at every folder
};

// Adds to `listing`. A start that does not exist adds nothing.
void walk(const Confined& root, const WalkRequest& request, Listing& listing);

}  // namespace syncline::collections::files
