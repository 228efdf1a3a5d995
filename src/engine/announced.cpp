#include "engine/announced.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace syncline::engine {

namespace {

const core::CollectionConfig* find(const core::Config& config, const std::string& name) {
  for (const core::CollectionConfig& collection : config.collections) {
    if (collection.name.text == name) return &collection;
  }
  return nullptr;
}

std::string without_dots(std::string path) {
  while (path.starts_with("./")) path.erase(0, 2);
  return path;
}

}  // namespace

std::vector<std::string> paths_of(const std::string& name, const std::string& root) {
  std::vector<std::string> out;
  const auto add = [&](std::string path) {
    if (!path.empty() && path.front() != '/' &&
        std::find(out.begin(), out.end(), path) == out.end()) {
      out.push_back(std::move(path));
    }
  };
  if (!root.empty() && name.starts_with(root + "/")) add(name.substr(root.size() + 1));
  add(without_dots(name));
  // …/models/x.pth, whatever lies before: the folder's own name tells.
  const std::string folder = root.substr(root.rfind('/') + 1) + "/";
  const std::string slashed = "/" + without_dots(name);
  for (std::size_t at = slashed.find("/" + folder); folder.size() > 1 && at != std::string::npos;
       at = slashed.find("/" + folder, at + 1)) {
    add(slashed.substr(at + 1 + folder.size()));
  }
  add(name.substr(name.rfind('/') + 1));
  return out;
}

FileStanding standing_of(const Engine& engine, const core::CollectionConfig& collection,
                         const std::string& name) {
  const core::CollectionConfig* files = find(engine.config(), collection.announces.collection);
  if (files == nullptr) return FileStanding::kNowhere;
  for (const std::string& path : paths_of(name, files->root)) {
    const ObjectId object{files->name, path};
    const core::ObjectVersion* winner = engine.view().winner(object);
    if (winner == nullptr || winner->is_deleted) continue;
    return engine.view().is_durable(object, engine.config().durability.acks)
               ? FileStanding::kDurable
               : FileStanding::kOnTheWay;
  }
  return FileStanding::kNowhere;
}

std::string announced_text(const Engine& engine, const core::CollectionConfig& collection) {
  if (collection.announces.table.empty()) return "";
  const CollectionState& state = engine.collections().at(collection.name);
  std::string out;
  if (state.waiting_units > 0) {
    const std::vector<std::string> names(state.waiting_for.begin(), state.waiting_for.end());
    out = core::say_count(state.waiting_units, "row waits", "rows wait") +
          " for a file to be durable: " + core::say_list(names, 3);
  }
  std::vector<std::string> nowhere;
  for (const std::string& name : state.announced) {
    if (standing_of(engine, collection, name) == FileStanding::kNowhere) nowhere.push_back(name);
  }
  if (nowhere.empty()) return out;
  return out + (out.empty() ? "" : "; ") + std::to_string(nowhere.size()) + " of " +
         core::say_count(state.announced.size(), "file") + " named in " +
         collection.announces.table + "." + collection.announces.column + " is in no node's " +
         collection.announces.collection + ": " + core::say_list(nowhere, 3);
}

}  // namespace syncline::engine
