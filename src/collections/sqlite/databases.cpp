#include "collections/sqlite/databases.hpp"

#include <filesystem>
#include <system_error>

namespace syncline::collections::sqlite {

namespace fs = std::filesystem;

namespace {

constexpr int kDepthMax = 64;
constexpr std::size_t kNamesMax = 100'000;

bool is_companion(const std::string& name) {
  return name.ends_with("-wal") || name.ends_with("-shm") || name.ends_with("-journal");
}

bool has_usual_ending(const std::string& name) {
  return name.ends_with(".db") || name.ends_with(".sqlite") || name.ends_with(".sqlite3");
}

bool is_replica(const std::string& path, const core::CollectionConfig& config) {
  if (config.replica.empty()) return false;
  std::string pattern = config.replica;
  const std::string placeholder = "{config_key}";
  const std::size_t at = pattern.find(placeholder);
  if (at == std::string::npos) return path == pattern;
  return path.starts_with(pattern.substr(0, at)) &&
         path.ends_with(pattern.substr(at + placeholder.size()));
}

struct Walk {
  const std::string& root;
  const core::CollectionConfig& config;
  Databases out;

  void folder(const std::string& relative, int depth) {
    std::error_code error;
    fs::directory_iterator entries(root + (relative.empty() ? "" : "/" + relative), error);
    if (error) {
      out.problems.push_back((relative.empty() ? root : relative) +
                             ": the folder cannot be read: " + error.message());
      return;
    }
    for (; entries != fs::directory_iterator(); entries.increment(error)) {
      if (error || out.names.size() >= kNamesMax) break;
      const std::string name = entries->path().filename().string();
      if (name == ".syncline") continue;
      const std::string path = relative.empty() ? name : relative + "/" + name;
      std::error_code ignored;  // gone meanwhile: no type, nothing to do
      const fs::file_type type = entries->symlink_status(ignored).type();
      if (type == fs::file_type::directory) {
        if (depth < kDepthMax) folder(path, depth + 1);
      } else if (type == fs::file_type::symlink && fs::is_directory(entries->path(), ignored)) {
        out.problems.push_back(path + ": is a symbolic link to a folder and is not followed");
      } else if (is_database_name(path, root, config)) {
        out.names.insert(path);
      }
    }
  }
};

}  // namespace

bool is_database_name(const std::string& name, const std::string& root,
                      const core::CollectionConfig& config) {
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string::npos) return false;
  for (const fs::path& part : fs::path(name)) {
    if (part == ".." || part == "." || part == ".syncline") return false;
  }
  if (is_companion(name) || is_replica(root + "/" + name, config)) return false;
  if (core::any_glob_matches(config.exclude, name)) return false;
  const bool is_default = config.include == std::vector<std::string>{"**"};
  return is_default ? has_usual_ending(name) : core::any_glob_matches(config.include, name);
}

Databases find_databases(const std::string& root, const core::CollectionConfig& config) {
  Walk walk{root, config, {}};
  walk.folder("", 0);
  return std::move(walk.out);
}

}  // namespace syncline::collections::sqlite
