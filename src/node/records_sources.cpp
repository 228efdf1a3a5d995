// Reading what programs write: this node's own databases, and copies of those of agentless hosts.
#include "env/files.hpp"
#include "node/records_state.hpp"

namespace syncline::node {

using core::CollectionName;

namespace {
constexpr std::size_t kReadUnits = 512;
constexpr const char* kCopies = "ssh://";

// What the journal has taken already, for a source that compares instead of following a cursor.
class JournalledUnits final : public live::KnownUnits {
 public:
  JournalledUnits(storage::Store& store, std::mutex& mutex, CollectionName collection)
      : store_(store), mutex_(mutex), collection_(std::move(collection)) {}
  std::optional<core::Digest256> hash_of(const std::string& key) const override {
    const std::lock_guard lock(mutex_);
    return store_.known_unit(collection_, key);
  }

 private:
  storage::Store& store_;
  std::mutex& mutex_;
  CollectionName collection_;
};

// Files that rows announce: known to the fleet, or lying here before the scan has seen them.
class AnnouncedFiles final : public live::NamedFiles {
 public:
  AnnouncedFiles(const core::Config& config, const core::CollectionConfig& collection,
                 const RecordsPorts& ports)
      : collection_(collection), ports_(ports) {
    for (const core::CollectionConfig& files : config.collections) {
      if (files.name.text == collection.announces.collection) root_ = files.root;
    }
  }
  bool must_wait(const std::string& name) const override {
    const engine::FileStanding standing = ports_.standing(collection_, name);
    if (standing != engine::FileStanding::kNowhere || root_.empty()) {
      return standing == engine::FileStanding::kOnTheWay;
    }
    for (const std::string& path : engine::paths_of(name, root_)) {
      if (path.find("..") == std::string::npos && env::exists(root_ + "/" + path)) return true;
    }
    return false;
  }

 private:
  const core::CollectionConfig& collection_;
  const RecordsPorts& ports_;
  std::string root_;
};

// What stands under the prefix, without it.
std::map<std::string, std::string> below(const std::map<std::string, std::string>& all,
                                         const std::string& prefix) {
  std::map<std::string, std::string> out;
  for (auto it = all.lower_bound(prefix); it != all.end() && it->first.starts_with(prefix); ++it) {
    out.emplace(it->first.substr(prefix.size()), it->second);
  }
  return out;
}

// What this node's own databases left: a path has no empty part, so none stands under a prefix.
std::map<std::string, std::string> own(std::map<std::string, std::string> all) {
  std::erase_if(all, [](const auto& one) { return one.first.starts_with(kCopies); });
  return all;
}

void add(live::ReadOutcome& all, live::ReadOutcome one, const std::string& prefix) {
  const auto move_to = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  move_to(all.units, one.units);
  move_to(all.seen_at, one.seen_at);
  all.schemas.merge(one.schemas);
  for (auto& [name, cursor] : one.cursors) all.cursors[prefix + name] = std::move(cursor);
  all.open_units += one.open_units;
  all.waiting_units += one.waiting_units;
  all.waiting_for.merge(one.waiting_for);
  for (const std::string& name : one.waiting_in) all.waiting_in.insert(prefix + name);
  for (const std::string& problem : one.problems) all.problems.push_back(prefix + problem);
  all.has_more |= one.has_more;
  all.compares_on |= one.compares_on;
}

std::size_t bytes_of(const live::ReadOutcome& outcome) {
  std::size_t bytes = 0;
  for (const core::EncodedUnit& unit : outcome.units) bytes += unit.bytes.size();
  return bytes;
}

}  // namespace

std::string copies_folder(const core::Config& config, const core::NodeId& host,
                          const CollectionName& collection) {
  return config.node.state_dir + "/agentless/" + host.text + "/copies/" + collection.text;
}

void add_copies(Lane& lane, const core::Config& config) {
  for (const core::AgentlessConfig& host : config.agentless) {
    if (host.collect.count(lane.config.name.text) == 0) continue;
    Lane::Copies copies;
    copies.prefix = kCopies + host.name.text + "/";
    copies.config = lane.config;
    copies.config.root = copies_folder(config, host.name, lane.config.name);
    lane.copies.push_back(std::move(copies));
  }
}

core::Status Lane::open_source() {
  for (Copies& one : copies) {
    if (one.source) continue;
    SYNCLINE_TRY(env::make_folders(one.config.root, 0700));
    SYNCLINE_ASSIGN(one.source, live::Source::open(one.config, live::Origin::kCopied));
  }
  if (source || config.root.empty()) return {};
  SYNCLINE_ASSIGN(source, live::Source::open(config));
  return {};
}

live::ReadOutcome Lane::look(const Looked& looked) {
  live::ReadOutcome all;
  if (source) {
    const auto cursors = copies.empty() ? looked.cursors : own(looked.cursors);
    add(all,
        source->read(cursors, looked.known, looked.limits, looked.only, looked.now, looked.named),
        "");
  }
  for (Copies& one : copies) {
    if (!one.source) continue;
    const std::size_t bytes = bytes_of(all);
    if (all.units.size() >= looked.limits.units_max || bytes >= looked.limits.bytes_max) {
      all.has_more = true;
      break;
    }
    live::ReadLimits limits = looked.limits;
    limits.units_max -= all.units.size();
    limits.bytes_max -= bytes;
    std::set<std::string> only;
    for (const std::string& name : looked.only != nullptr ? *looked.only : only) {
      if (name.starts_with(one.prefix)) only.insert(name.substr(one.prefix.size()));
    }
    add(all,
        one.source->read(below(looked.cursors, one.prefix), looked.known, limits,
                         looked.only != nullptr ? &only : nullptr, looked.now, looked.named),
        one.prefix);
  }
  return all;
}

void RecordsShell::database_copied(const CollectionName& collection, const core::NodeId& host,
                                   const std::string& path) {
  Lane* lane = state_->lane(collection);
  if (lane == nullptr || !lane->source_thread) return;
  const std::lock_guard lock(lane->mutex);
  lane->changed.insert(kCopies + host.text + "/" + path);
  if (!lane->noticed_at) lane->noticed_at = state_->clock.now();
}

bool RecordsShell::file_changed(const CollectionName& collection, const env::FileChange& change) {
  Lane* lane = state_->lane(collection);
  if (lane == nullptr || !lane->source_thread) return false;
  // SQLite opens the WAL and its index for writing even where we only read: each look at a database
  // closes both, and would call for the next one. Commits write to the WAL or the file itself.
  if (change.is_closed_only || change.path.ends_with("-shm")) return false;
  std::string database = change.path;
  for (const char* suffix : {"-wal", "-journal"}) {
    if (database.ends_with(suffix)) database.resize(database.size() - std::string(suffix).size());
  }
  const std::lock_guard lock(lane->mutex);
  lane->changed.insert(std::move(database));
  if (!lane->noticed_at) lane->noticed_at = state_->clock.now();
  return true;
}

void RecordsShell::carry_out(const engine::ReadSource& action) {
  State& s = *state_;
  Lane* lane = s.lane(action.collection);
  if (lane == nullptr || !lane->source_thread) {
    engine::UnitsRead nothing;
    nothing.collection = action.collection;
    nothing.read_id = action.read_id;
    s.ports.post(std::move(nothing));
    return;
  }
  lane->source_thread->post([&s, lane, action] { s.read(*lane, action); });
}

void RecordsShell::State::read(Lane& lane, const engine::ReadSource& action) {
  std::set<std::string> only;
  engine::UnitsRead read;
  read.collection = action.collection;
  read.read_id = action.read_id;
  read.noticed_at = clock.now();
  {
    const std::lock_guard lock(lane.mutex);
    only.swap(lane.changed);
    if (lane.noticed_at) read.noticed_at = *lane.noticed_at;
    lane.noticed_at.reset();
  }
  if (const core::Status opened = lane.open_source(); !opened.ok()) {
    read.problems.push_back(core::to_string(opened.error()));
    ports.post(std::move(read));
    return;
  }
  auto cursors = [&] {
    const std::lock_guard lock(store_mutex);
    return store->cursors(action.collection);
  }();
  if (!cursors.ok()) {
    read.problems.push_back(core::to_string(cursors.error()));
    ports.post(std::move(read));
    return;
  }
  const JournalledUnits known(*store, store_mutex, action.collection);
  live::ReadLimits limits;
  limits.units_max = kReadUnits;
  std::optional<AnnouncedFiles> named;
  if (!lane.config.announces.table.empty()) named.emplace(config, lane.config, ports);
  live::ReadOutcome outcome = lane.look({*cursors, known, limits, action.full ? nullptr : &only,
                                         clock.wall(), named ? &*named : nullptr});
  read.units = std::move(outcome.units);
  read.seen_at = std::move(outcome.seen_at);
  read.schemas = std::move(outcome.schemas);
  read.open_units = outcome.open_units;
  read.problems = std::move(outcome.problems);
  read.has_more = outcome.has_more;
  read.compares_on = outcome.compares_on;
  read.waiting_units = outcome.waiting_units;
  read.waiting_for = std::move(outcome.waiting_for);
  if (!outcome.waiting_in.empty()) {
    const std::lock_guard lock(lane.mutex);
    lane.changed.merge(outcome.waiting_in);
  }
  if ((outcome.has_more || outcome.compares_on) && !action.full) {
    // What the bounds cut off is looked at by the read that follows.
    const std::lock_guard lock(lane.mutex);
    lane.changed.insert(only.begin(), only.end());
  }
  {
    const std::lock_guard lock(progress_mutex);
    progress[action.read_id] = std::move(outcome.cursors);
  }
  ports.post(std::move(read));
}

}  // namespace syncline::node
