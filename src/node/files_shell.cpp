#include "node/files_shell.hpp"

#include "catalog/views.hpp"
#include "node/files_state.hpp"
#include "node/known_file.hpp"
#include "node/log.hpp"

namespace syncline::node {

using core::CollectionName;

// ── what a lane knows ───────────────────────────────────────────────────────────────────────────

core::Result<FilesLane::Open> FilesLane::open(const core::NodeId& node) {
  const std::lock_guard lock(mutex);
  if (is_open.tree && is_open.site) return is_open;
  if (!is_open.site) {
    SYNCLINE_ASSIGN(is_open.site, disk::LandingSite::open(config, node));
  }
  SYNCLINE_ASSIGN(is_open.tree, disk::Tree::open(config));
  return is_open;
}

std::optional<FilesLane::Open> FilesLane::opened() {
  const std::lock_guard lock(mutex);
  if (!is_open.tree || !is_open.site) return std::nullopt;
  return is_open;
}

std::optional<disk::KnownFile> FilesLane::known_at(const std::string& path) {
  const std::lock_guard lock(mutex);
  auto it = known.find(path);
  if (it == known.end()) return std::nullopt;
  return it->second.file;
}

void FilesLane::remember(const std::string& path, const disk::KnownFile& file) {
  forget(path);
  known[path] = {file, ++turn};
  if (!file.root.is_zero()) by_root.emplace(file.root, path);
}

void FilesLane::forget(const std::string& path) {
  auto it = known.find(path);
  if (it == known.end()) return;
  auto [first, last] = by_root.equal_range(it->second.file.root);
  for (auto one = first; one != last; ++one) {
    if (one->second != path) continue;
    by_root.erase(one);
    break;
  }
  known.erase(it);
}

std::map<std::string, disk::KnownFile> FilesLane::known_below(
    const std::set<std::string>& paths) const {
  std::map<std::string, disk::KnownFile> out;
  for (const std::string& path : paths) {
    auto exact = known.find(path);
    if (exact != known.end()) out.emplace(path, exact->second.file);
    const std::string folder = path + '/';
    for (auto it = known.lower_bound(folder);
         it != known.end() && it->first.compare(0, folder.size(), folder) == 0; ++it) {
      out.emplace(it->first, it->second.file);
    }
  }
  return out;
}

std::map<std::string, disk::KnownFile> FilesLane::all_known() const {
  std::map<std::string, disk::KnownFile> out;
  for (const auto& [path, one] : known) out.emplace_hint(out.end(), path, one.file);
  return out;
}

bool FilesLane::is_newer(const std::string& path, std::uint64_t since) const {
  auto it = known.find(path);
  return placing.count(path) > 0 || (it != known.end() && it->second.turn > since);
}

// ── start and stop ──────────────────────────────────────────────────────────────────────────────

FilesShell::FilesShell(const core::Config& config, const env::Clock& clock, FilesPorts ports)
    : state_(std::make_unique<State>(config, clock, std::move(ports))) {}

FilesShell::~FilesShell() {
  close();
}

core::Status FilesShell::recover(storage::Store& store, engine::Recovered& recovered) {
  State& s = *state_;
  for (const core::CollectionConfig& collection : s.config.collections) {
    if (collection.kind != core::Kind::kFiles) continue;
    SYNCLINE_ASSIGN(auto notes, store.files(collection.name));
    if (collection.root.empty()) continue;  // only told of elsewhere
    auto lane = std::make_unique<FilesLane>(collection);
    for (auto& [path, note] : notes) {
      if (!note.version) continue;  // not told: the scan takes it for new
      recovered.objects[{collection.name, path}] = *note.version;
      const auto known = decode_known_file(note.known);
      const bool is_told = known && !note.version->is_deleted && note.version->root == known->root;
      if (is_told) lane->remember(path, *known);
    }
    const auto opened = lane->open(s.config.node.id);
    if (!opened.ok()) log_warning(core::to_string(opened.error()));
    s.lanes.emplace(collection.name, std::move(lane));
  }
  return {};
}

void FilesShell::attach(transports::Transport* transport) {
  state_->transports[transport->name()] = transport;
}

void FilesShell::attach_swarm(transports::swarm::SwarmTransport* swarm) {
  state_->swarm = swarm;
}

void FilesShell::close() {
  State& s = *state_;
  if (s.is_closed.exchange(true)) return;
  for (auto& [name, lane] : s.lanes) {
    if (const auto open = lane->opened()) open->tree->cancel();
  }
  s.copier.close();
  s.verifier.close();
  for (auto& [name, lane] : s.lanes) {
    lane->scanner.close();
    lane->lander.close();
  }
}

// ── the state database ──────────────────────────────────────────────────────────────────────────

void FilesShell::State::save(const CollectionName& collection,
                             std::vector<storage::FileChange> changes,
                             std::function<void(const core::Status&)> then) {
  if (changes.empty() && !then) return;
  ports.with_store(
      [collection, changes = std::move(changes), then = std::move(then)](storage::Store& store) {
        const core::Status saved = store.save_files(collection, changes);
        // Not remembered means hashed again after a restart; said, since the disk may be full.
        if (!saved.ok()) log_warning(core::to_string(saved.error()));
        if (then) then(saved);
      });
}

// REQUIRES: the versions' mutex.
bool FilesShell::State::was_saved(const CollectionName& collection, const std::string& path,
                                  const std::optional<core::ObjectVersion>& version) {
  const auto lane = landed.find(collection);
  if (lane == landed.end()) return false;
  const auto found = lane->second.find(path);
  if (found == lane->second.end()) return false;
  const bool is_same = version == found->second;
  lane->second.erase(found);
  const auto waiting = versions.find(collection);
  return is_same && (waiting == versions.end() || waiting->second.count(path) == 0);
}

// What comes while a transaction runs goes into the next one together.
void FilesShell::carry_out(const engine::PersistFacts& action) {
  State& s = *state_;
  const std::lock_guard lock(s.versions_mutex);
  for (const core::Fact& fact : action.facts) {
    if (const auto node = engine::parse_removed_key(fact.key)) {
      s.ports.with_store([node = *node](storage::Store& store) {
        const core::Status saved = store.save_removed_node(node);
        if (!saved.ok()) log_warning(core::to_string(saved.error()));
      });
      continue;
    }
    const auto object = catalog::parse_object_key(fact.key);
    if (!object) continue;  // what a log holds is in the journal itself
    std::optional<core::ObjectVersion> version;
    if (!fact.is_removed) {
      auto decoded = core::decode_object_version(fact.value);
      SYNCLINE_CHECK(decoded.ok(), "an own fact that cannot be read", fact.key);
      version = std::move(decoded).value();
    }
    if (s.was_saved(object->first, object->second, version)) continue;
    s.versions[object->first][object->second] = std::move(version);
  }
  if (s.versions.empty() || s.is_save_posted) return;
  s.is_save_posted = true;
  s.ports.with_store([&s](storage::Store& store) {
    decltype(s.versions) versions;
    {
      const std::lock_guard taking(s.versions_mutex);
      versions.swap(s.versions);
      s.is_save_posted = false;
    }
    for (auto& [collection, by_path] : versions) {
      std::vector<storage::FileChange> changes;
      for (auto& [path, version] : by_path) {
        changes.push_back({path, std::nullopt, std::move(version)});
      }
      const core::Status saved = store.save_files(collection, changes);
      if (!saved.ok()) log_warning(core::to_string(saved.error()));
    }
  });
}

}  // namespace syncline::node
