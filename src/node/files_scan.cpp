// Looking at the trees: scans, removals, proofs, sweeps.
#include "core/merkle.hpp"
#include "node/files_state.hpp"
#include "node/known_file.hpp"
#include "node/log.hpp"

namespace syncline::node {

using core::CollectionName;

namespace {
constexpr std::size_t kReadBytes = 1u << 20;

bool is_own(const std::string& path) {
  const std::string own = disk::kOwnFolder;
  return path == own || path.compare(0, own.size() + 1, own + '/') == 0;
}
}  // namespace

bool FilesShell::files_changed(const CollectionName& collection,
                               const std::vector<std::string>& paths) {
  FilesLane* lane = state_->lane(collection);
  if (lane == nullptr) return false;
  std::vector<std::string> changed;
  std::map<std::string, disk::KnownFile> known;
  std::shared_ptr<disk::Tree> tree;
  {
    const std::lock_guard lock(lane->mutex);
    tree = lane->is_open.tree;
    for (const std::string& path : paths) {
      if (is_own(path)) continue;
      // Mostly what is seen is that we put it there.
      const auto placing = lane->placing.find(path);
      const auto found = lane->known.find(path);
      if (placing != lane->placing.end()) {
        placing->second = true;
      } else if (tree && found != lane->known.end()) {
        known.emplace(path, found->second.file);
      } else {
        changed.push_back(path);
      }
    }
  }
  if (!known.empty()) {
    for (std::string& path : tree->differing(known)) changed.push_back(std::move(path));
  }
  if (changed.empty()) return false;
  const std::lock_guard lock(lane->mutex);
  for (std::string& path : changed) {
    if (path.empty()) {
      lane->is_all_changed = true;
    } else {
      lane->changed.insert(std::move(path));
    }
  }
  return true;
}

void FilesShell::State::look_again(FilesLane& lane, const std::string& path) {
  {
    const std::lock_guard lock(lane.mutex);
    lane.changed.insert(path);
  }
  ports.post(engine::SourceChanged{lane.config.name});
}

// ── scan ────────────────────────────────────────────────────────────────────────────────────────

void FilesShell::carry_out(const engine::ScanFiles& action) {
  State& s = *state_;
  FilesLane* lane = s.lane(action.collection);
  if (lane == nullptr) {  // no root here: there is nothing to be found
    s.ports.post(
        engine::FilesScanned{action.collection, action.scan_id, {}, {}, 0, s.clock.wall(), {}});
    return;
  }
  lane->scanner.post([&s, lane, action] { s.scan(*lane, action); });
}

void FilesShell::State::scan(FilesLane& lane, const engine::ScanFiles& action) {
  engine::FilesScanned event;
  event.collection = action.collection;
  event.scan_id = action.scan_id;
  event.scanned_at = clock.wall();
  const auto open = lane.open(config.node.id);
  if (!open.ok()) {
    event.problems.push_back(core::to_string(open.error()));
    ports.post(std::move(event));
    return;
  }
  std::set<std::string> only;
  std::map<std::string, disk::KnownFile> known;
  std::uint64_t since = 0;
  bool is_full = action.full;
  {
    const std::lock_guard lock(lane.mutex);
    only.swap(lane.changed);
    is_full = std::exchange(lane.is_all_changed, false) || is_full;
    known = is_full ? lane.all_known() : lane.known_below(only);
    since = lane.turn;
  }
  if (!is_full && only.empty()) {
    ports.post(std::move(event));
    return;
  }
  const auto found = [&](std::vector<disk::SeenFile> changed) {
    engine::FilesScanned part;
    part.collection = event.collection;
    part.scan_id = event.scan_id;
    part.scanned_at = event.scanned_at;
    part.is_part = true;
    disk::ScanOutcome outcome;
    outcome.changed = std::move(changed);
    take_in(lane, std::move(outcome), since, part);
  };
  // What was put there since is not hashed again; what is seen to happen to it is looked at.
  const auto was_placed = [&](const std::string& path) {
    const std::lock_guard lock(lane.mutex);
    return lane.is_newer(path, since);
  };
  take_in(lane,
          open->tree->scan(known, is_full ? nullptr : &only, event.scanned_at, found, was_placed),
          since, event);
}

void FilesShell::State::take_in(FilesLane& lane, disk::ScanOutcome outcome, std::uint64_t since,
                                engine::FilesScanned& event) {
  std::vector<storage::FileChange> notes;
  bool looks_again = false;
  {
    const std::lock_guard lock(lane.mutex);
    const auto is_outdated = [&](const std::string& path) {
      if (!lane.is_newer(path, since)) return false;
      lane.changed.insert(path);
      looks_again = true;
      return true;
    };
    for (disk::SeenFile& seen : outcome.changed) {
      if (is_outdated(seen.path)) continue;
      auto before = lane.known.find(seen.path);
      const bool is_told = before != lane.known.end() && before->second.file.root == seen.root;
      lane.remember(seen.path, seen.known);
      notes.push_back({seen.path, encode(seen.known), std::nullopt});
      if (is_told) continue;  // touched: only its stamp is new
      event.changed.push_back(
          {std::move(seen.path), seen.root, seen.size_bytes, seen.mtime_ms, seen.mode});
    }
    for (std::string& path : outcome.gone) {
      if (is_outdated(path)) continue;
      lane.forget(path);
      notes.push_back({path, std::string(), std::nullopt});
      event.gone.push_back(std::move(path));
    }
    lane.changed.insert(outcome.unstable.begin(), outcome.unstable.end());
    if (outcome.is_interrupted) lane.is_all_changed = true;
  }
  event.unstable = outcome.unstable.size();
  event.problems = std::move(outcome.problems);
  const CollectionName name = event.collection;
  ports.post(std::move(event));
  // After the engine has taken the versions in and given them to be saved: stamps come second.
  ports.on_loop([this, name, notes = std::move(notes)] { save(name, notes); });
  if (looks_again) ports.post(engine::SourceChanged{name});
}

// ── remove ──────────────────────────────────────────────────────────────────────────────────────

void FilesShell::carry_out(const engine::RemoveFile& action) {
  State& s = *state_;
  FilesLane* lane = s.lane(action.collection);
  if (lane != nullptr) lane->lander.post([&s, lane, action] { s.remove(*lane, action); });
}

void FilesShell::State::remove(FilesLane& lane, const engine::RemoveFile& action) {
  const auto open = lane.open(config.node.id);
  const auto known = lane.known_at(action.path);
  if (open.ok() && known && known->root == action.expected) {
    const core::Status removed = open->site->remove(action.path, *known);
    if (!removed.ok()) log_warning(core::to_string(removed.error()));
  }
  // Removed, or not what the engine believes: the scan tells which.
  look_again(lane, action.path);
}

// ── proof ───────────────────────────────────────────────────────────────────────────────────────

void FilesShell::verify(const CollectionName& collection) {
  State& s = *state_;
  FilesLane* lane = s.lane(collection);
  if (lane == nullptr) {
    s.ports.post(engine::VerifyDone{collection, 0, {}});
    return;
  }
  s.verifier.post([&s, lane] { s.verify(*lane); });
}

void FilesShell::State::verify(FilesLane& lane) {
  engine::VerifyDone done;
  done.collection = lane.config.name;
  std::map<std::string, disk::KnownFile> known;
  {
    const std::lock_guard lock(lane.mutex);
    known = lane.all_known();
  }
  const auto open = lane.open(config.node.id);
  std::string bytes(kReadBytes, '\0');
  for (const auto& [path, file] : known) {
    if (is_closed || !open.ok()) break;
    auto reader = open->tree->open_for_read(path, file);
    core::MerkleHasher hasher;
    bool is_readable = reader.ok();
    while (is_readable && !is_closed && hasher.size_bytes() < file.stamp.size_bytes) {
      const auto got = (*reader)->read_at(hasher.size_bytes(), std::span<char>(bytes));
      is_readable = got.ok() && *got > 0;
      if (is_readable) hasher.update(std::string_view(bytes).substr(0, *got));
    }
    if (is_closed) break;
    const bool has_changed = !reader.ok() || !(*reader)->check_unchanged().ok();
    if (has_changed) {  // not the object any more: the scan's business, not damage
      look_again(lane, path);
      continue;
    }
    ++done.checked;
    const bool is_right = is_readable && hasher.size_bytes() == file.stamp.size_bytes &&
                          (file.stamp.size_bytes == 0 || hasher.finish() == file.root);
    if (!is_right) done.damaged.push_back(path);
  }
  if (!open.ok()) done.damaged.push_back(core::to_string(open.error()));
  ports.post(std::move(done));
}

// ── sweep ───────────────────────────────────────────────────────────────────────────────────────

void FilesShell::sweep() {
  State& s = *state_;
  for (auto& [name, one] : s.lanes) {
    FilesLane* lane = one.get();
    lane->lander.post([&s, lane] {
      const auto open = lane->opened();
      if (!open) return;
      const core::Duration max_age = core::seconds(s.config.transport.staging_max_age_s);
      const disk::Swept swept = open->site->sweep(max_age, s.clock.wall());
      for (const std::string& copy : swept.conflict_copies) {
        log_warning("a crash left a version behind that was replaced; it is kept as " + copy);
        s.look_again(*lane, copy);
      }
      std::map<std::string, disk::KnownFile> known;
      {
        const std::lock_guard lock(lane->mutex);
        known = lane->all_known();
      }
      open->tree->forget_layers_except(known);
    });
  }
}

}  // namespace syncline::node
