// What a list of an agentless host's files calls for.
#include "collecting/collector.hpp"

namespace syncline::collecting {

using core::CollectionConfig;

namespace {

bool ends_with_any(const std::string& path, std::initializer_list<const char*> ends) {
  for (const char* end : ends) {
    if (path.ends_with(end)) return true;
  }
  return false;
}

bool is_included(const CollectionConfig& collection, const std::string& path) {
  // Ours, over there; and versions that lost, which stay where they lost.
  if (path.find(".sync-conflict-") != std::string::npos) return false;
  const bool is_companion =
      collection.kind == core::Kind::kSqlite && ends_with_any(path, {"-wal", "-shm", "-journal"});
  return !is_companion && core::any_glob_matches(collection.include, path) &&
         !core::any_glob_matches(collection.exclude, path);
}

// By path; of databases with their logs.
std::map<std::string, Stamp> stamps_of(const std::vector<FileThere>& files,
                                       const CollectionConfig& collection) {
  std::map<std::string, const FileThere*> all;
  for (const FileThere& file : files) all[file.path] = &file;
  std::map<std::string, Stamp> out;
  for (const auto& [path, file] : all) {
    if (!is_included(collection, path)) continue;
    Stamp stamp{file->size_bytes, file->mtime_ms, 0, 0};
    const auto wal = all.find(path + "-wal");
    if (collection.kind == core::Kind::kSqlite && wal != all.end()) {
      stamp.wal_bytes = wal->second->size_bytes;
      stamp.wal_mtime_ms = wal->second->mtime_ms;
    }
    out.emplace(path, stamp);
  }
  return out;
}

std::map<std::string, const FileHere*> by_path(const std::vector<FileHere>& files) {
  std::map<std::string, const FileHere*> out;
  for (const FileHere& file : files) out[file.path] = &file;
  return out;
}

}  // namespace

void Collector::plan_takes(const Listed& listed) {
  const CollectionConfig& config = collection(listed.collection);
  const auto here = by_path(listed.here);
  std::set<FileId> there;
  for (const auto& [path, stamp] : stamps_of(listed.there, config)) {
    const FileId file{listed.host, listed.collection, path};
    there.insert(file);
    const auto known = memory_.find(file);
    if (known != memory_.end() && known->second.stamp == stamp) continue;
    if (config.kind == core::Kind::kSqlite) {
      // An empty file is a database that nobody has written to yet.
      if (stamp.size_bytes + stamp.wal_bytes == 0) continue;
      looks_.at(listed.host).work.push_back(Take{file, stamp, true, false, {}});
      continue;
    }
    const auto at = here.find(path);
    plan_file(file, stamp, at == here.end() ? nullptr : at->second);
  }
  std::erase_if(seen_, [&](const auto& one) {
    return one.first.host == listed.host && one.first.collection == listed.collection &&
           there.count(one.first) == 0;
  });
}

void Collector::plan_file(const FileId& file, const Stamp& stamp, const FileHere* here) {
  Look& look = looks_.at(file.host);
  const auto known = memory_.find(file);
  const bool is_ours =
      here != nullptr && known != memory_.end() && here->root == known->second.root;
  if (here != nullptr && !is_ours && stamp.mtime_ms / 1000 <= here->mtime_ms / 1000) {
    const bool looks_alike =
        stamp.size_bytes == here->size_bytes && stamp.mtime_ms / 1000 == here->mtime_ms / 1000;
    if (!looks_alike) {
      problem(file.host, file.collection,
              file.path + ": another version than this node's and older; it stays there");
    }
    return;
  }
  auto [seen, is_first] = seen_.try_emplace(file, Seen{stamp, now_});
  if (!is_first && seen->second.stamp != stamp) seen->second = Seen{stamp, now_};
  const core::Instant stable_at =
      seen->second.since + core::milliseconds(collection(file.collection).stable_ms);
  if (now_ < stable_at || is_first) {
    ++states_.at(file.host).unstable;
    look.again_at = look.again_at ? std::max(*look.again_at, stable_at) : stable_at;
    return;
  }
  seen_.erase(seen);
  const core::Root replaces = is_ours ? here->root : core::Root{};
  look.work.push_back(Take{file, stamp, false, here == nullptr, replaces});
}

void Collector::plan_gives(const Listed& listed) {
  const CollectionConfig& config = collection(listed.collection);
  const bool is_collected = host(listed.host).collect.count(listed.collection.text) > 0;
  const auto there = stamps_of(listed.there, config);
  for (const FileHere& here : listed.here) {
    if (!is_included(config, here.path)) continue;
    const FileId file{listed.host, listed.collection, here.path};
    const auto known = memory_.find(file);
    const auto at = there.find(here.path);
    const bool is_as_known =
        at != there.end() && known != memory_.end() && known->second.stamp == at->second;
    if (is_as_known && known->second.root == here.root) continue;
    if (at == there.end() || is_as_known) {
      looks_.at(listed.host).work.push_back(Give{file, here.root});
      continue;
    }
    const bool looks_alike = at->second.size_bytes == here.size_bytes &&
                             at->second.mtime_ms / 1000 == here.mtime_ms / 1000;
    if (looks_alike || is_collected) continue;  // what is collected is taken, then compared
    problem(listed.host, listed.collection,
            here.path + ": a program there has written it; it is not overwritten");
  }
}

}  // namespace syncline::collecting
