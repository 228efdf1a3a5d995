#include "collections/files/tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "collections/files/confined.hpp"
#include "collections/files/content_hash.hpp"
#include "collections/files/layer_store.hpp"
#include "collections/files/stability.hpp"
#include "collections/files/walk.hpp"
#include "collections/files/writer_check.hpp"

namespace syncline::collections::files {
namespace {

using core::Error;
using core::ErrorKind;

bool is_same_as_known(const KnownFile& known, const FileStamp& stamp) {
  FileStamp remembered = known.stamp;
  if (remembered.ctime_ns == 0) remembered.ctime_ns = stamp.ctime_ns;
  return remembered == stamp;
}

// Says that this folder is the collection's: an empty folder without it, where files are known of,
// is more likely a disk that is not mounted than a collection whose files are all gone.
const std::string kMark = std::string(kOwnFolder) + "/collection";

// What a scan found is told when it is so much: others fetch it while the rest is hashed.
constexpr std::size_t kPartFiles = 512;
constexpr std::uint64_t kPartBytes = 256u << 20;

bool is_within(std::string path, const std::set<std::string>& folders) {
  for (;;) {
    if (folders.count(path)) return true;
    if (path.empty()) return false;
    path = split_path(path).first;
  }
}

}  // namespace

struct Tree::State {
  State(core::CollectionConfig config_in, Confined root_in)
      : config(std::move(config_in)), root(std::move(root_in)), layers(root) {}

  core::Status check_root() const;
  bool wants(const std::string& path) const;
  Listing list(const std::set<std::string>* only_paths) const;
  void take(const Listed& listed, core::WallMs now, ScanOutcome& outcome);
  void find_gone(const std::map<std::string, KnownFile>& known, const Listing& listing,
                 const std::set<std::string>* only_paths, ScanOutcome& outcome);
  void find_gone_one(const std::string& path, ScanOutcome& outcome) const;
  void leave_mark();

  core::CollectionConfig config;
  Confined root;
  LayerStore layers;
  dev_t device = 0;
  ino_t inode = 0;
  bool is_fresh = false;  // the mark is not there: a first start, or no mounted disk
  std::atomic<bool> is_cancelled{false};
  std::map<std::string, Watched> watched;
};

Tree::Tree(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tree::~Tree() = default;

core::Result<std::unique_ptr<Tree>> Tree::open(const core::CollectionConfig& config) {
  auto root = Confined::open(config.root);
  if (!root.ok()) {
    return Error{root.error().kind,
                 root.error().what + "; it is the root of collection " + config.name.text +
                     ": make it, or correct `root`",
                 config.root};
  }
  auto state = std::make_unique<State>(config, std::move(*root));
  struct stat info {};
  if (::fstat(state->root.fd(), &info) != 0) {
    return system_error("look at the collection's root", config.root, errno);
  }
  state->device = info.st_dev;
  state->inode = info.st_ino;
  state->is_fresh = ::faccessat(state->root.fd(), kMark.c_str(), F_OK, 0) != 0;
  return std::unique_ptr<Tree>(new Tree(std::move(state)));
}

// A root that was unmounted, or replaced by another disk, is not a collection whose files are gone.
core::Status Tree::State::check_root() const {
  struct stat info {};
  if (::stat(config.root.c_str(), &info) != 0) {
    return system_error("find the collection's root; is its disk mounted?", config.root, errno);
  }
  if (info.st_dev != device) {
    return Error{ErrorKind::kInvalid,
                 "the collection's root lies on another disk than at start; mount the disk, or "
                 "restart the daemon if that is meant",
                 config.root};
  }
  if (info.st_ino != inode) {
    return Error{ErrorKind::kConflict,
                 "the collection's root was replaced by another folder; restart the daemon if that "
                 "is meant",
                 config.root};
  }
  return {};
}

bool Tree::State::wants(const std::string& path) const {
  const std::size_t slash = path.rfind('/');
  const std::string_view name =
      std::string_view(path).substr(slash == std::string::npos ? 0 : slash + 1);
  return !is_temporary_name(name) && core::any_glob_matches(config.include, path) &&
         !core::any_glob_matches(config.exclude, path);
}

Listing Tree::State::list(const std::set<std::string>* only_paths) const {
  Listing listing;
  WalkRequest request;
  request.wants = [this](const std::string& path) { return wants(path); };
  request.cancel = &is_cancelled;
  if (!only_paths) {
    walk(root, request, listing);
  } else {
    for (const std::string& path : *only_paths) {
      if (!path.empty() && !check_path(path).ok()) continue;  // our own folder, "..": not scanned
      request.start = path;
      walk(root, request, listing);
    }
  }
  // Small ones first: a new game or model is not kept waiting by an archive. Each path once.
  std::sort(listing.files.begin(), listing.files.end(), [](const Listed& a, const Listed& b) {
    return std::tie(a.stamp.size_bytes, a.path) < std::tie(b.stamp.size_bytes, b.path);
  });
  listing.files.erase(
      std::unique(listing.files.begin(), listing.files.end(),
                  [](const Listed& a, const Listed& b) { return a.path == b.path; }),
      listing.files.end());
  return listing;
}

ScanOutcome Tree::scan(const std::map<std::string, KnownFile>& known,
                       const std::set<std::string>* only_paths, core::WallMs now,
                       const std::function<void(std::vector<SeenFile>)>& found,
                       const std::function<bool(const std::string&)>& passes_over) {
  ScanOutcome outcome;
  if (const core::Status usable = state_->check_root(); !usable.ok()) {
    outcome.problems.push_back(to_string(usable.error()));
    return outcome;
  }
  const Listing listing = state_->list(only_paths);
  outcome.problems = listing.problems;
  std::uint64_t told_at_bytes = 0;
  for (const Listed& listed : listing.files) {
    if (state_->is_cancelled) break;
    ++outcome.files;
    const auto remembered = known.find(listed.path);
    if (remembered != known.end() && is_same_as_known(remembered->second, listed.stamp)) {
      state_->watched.erase(listed.path);
      continue;
    }
    if (passes_over && passes_over(listed.path)) continue;
    state_->take(listed, now, outcome);
    const bool is_part =
        outcome.changed.size() >= kPartFiles || outcome.bytes_hashed - told_at_bytes >= kPartBytes;
    if (!found || !is_part || outcome.changed.empty()) continue;
    told_at_bytes = outcome.bytes_hashed;
    found(std::exchange(outcome.changed, {}));
  }
  outcome.is_interrupted = state_->is_cancelled;
  if (!outcome.is_interrupted) state_->find_gone(known, listing, only_paths, outcome);
  return outcome;
}

void Tree::State::take(const Listed& listed, core::WallMs now, ScanOutcome& outcome) {
  Look look{listed.stamp, now, config.stable_ms, std::nullopt};
  if (const auto seen = watched.find(listed.path); seen != watched.end()) {
    look.watched = seen->second;
  }
  const auto postpone = [&] {
    watched[listed.path] = watch(look);
    outcome.unstable.push_back(listed.path);
  };
  if (!is_quiet(look)) return postpone();
  const auto file = root.open_file(listed.path, O_RDONLY);
  if (!file.ok()) {
    if (file.error().kind == ErrorKind::kMissing) return;  // gone since it was listed
    outcome.problems.push_back(to_string(file.error()));
    return;
  }
  if (has_writer(file->get()) && !is_writer_idle(look)) return postpone();
  struct stat before {};
  if (::fstat(file->get(), &before) != 0 || stamp_of(before) != listed.stamp) return postpone();
  const auto hash = hash_file(file->get(), listed.stamp.size_bytes, &is_cancelled);
  struct stat after {};
  const bool is_untouched = ::fstat(file->get(), &after) == 0 && stamp_of(after) == listed.stamp;
  if (!hash.ok()) {
    if (hash.error().kind == ErrorKind::kCancelled) return;
    if (hash.error().kind == ErrorKind::kConflict) return postpone();
    outcome.problems.push_back(hash.error().what + " (" + listed.path + ")");
    return;
  }
  outcome.bytes_hashed += listed.stamp.size_bytes;
  if (!is_untouched) return postpone();
  watched.erase(listed.path);
  layers.save(hash->root, hash->piece_layer);
  SeenFile seen;
  seen.path = listed.path;
  seen.root = hash->root;
  seen.size_bytes = listed.stamp.size_bytes;
  seen.mtime_ms = listed.stamp.mtime_ns / 1'000'000;
  seen.mode = listed.stamp.mode;
  seen.known = {hash->root, listed.stamp};
  outcome.changed.push_back(std::move(seen));
}

void Tree::State::find_gone(const std::map<std::string, KnownFile>& known, const Listing& listing,
                            const std::set<std::string>* only_paths, ScanOutcome& outcome) {
  std::unordered_set<std::string_view> there;
  for (const Listed& listed : listing.files) there.insert(listed.path);
  const std::set<std::string> unreadable(listing.unreadable.begin(), listing.unreadable.end());
  const auto consider = [&](const std::string& path) {
    if (!there.count(path) && !is_within(path, unreadable)) find_gone_one(path, outcome);
  };
  if (!only_paths || only_paths->count("")) {
    for (const auto& [path, file] : known) consider(path);
    std::erase_if(watched, [&](const auto& entry) { return !there.count(entry.first); });
    if (is_fresh && !known.empty() && outcome.gone.size() == known.size()) {
      outcome.gone.clear();
      outcome.problems.push_back(
          "the collection's root is empty and does not bear Syncline's mark, though files are "
          "known of it; is its disk mounted? (" +
          config.root + ")");
      return;
    }
    if (is_fresh) leave_mark();
    return;
  }
  for (const std::string& path : *only_paths) {
    if (known.count(path)) consider(path);
    const std::string below = path + '/';
    for (auto it = known.lower_bound(below);
         it != known.end() && it->first.compare(0, below.size(), below) == 0; ++it) {
      consider(it->first);
    }
  }
}

void Tree::State::find_gone_one(const std::string& path, ScanOutcome& outcome) const {
  const auto info = root.look(path);
  // A regular file that was not listed is one that the collection does not include any more.
  if (info.ok() && *info && S_ISREG((*info)->st_mode)) return;
  if (!info.ok() && info.error().kind != ErrorKind::kInvalid) {
    outcome.problems.push_back(to_string(info.error()));
    return;
  }
  outcome.gone.push_back(path);
}

// A root that cannot be written to stays without a mark.
void Tree::State::leave_mark() {
  if (!root.make_folder(kOwnFolder).ok()) return;
  const auto mark = root.open_file(kMark, O_WRONLY | O_CREAT, 0644);
  if (!mark.ok()) return;
  const std::string line = config.name.text + '\n';
  is_fresh = ::write(mark->get(), line.data(), line.size()) != static_cast<ssize_t>(line.size());
}

std::vector<std::string> Tree::differing(const std::map<std::string, KnownFile>& known) const {
  std::vector<std::string> out;
  LastFolder folders(state_->root);
  for (const auto& [path, file] : known) {
    const auto info = folders.look(path);
    const bool is_file = info.ok() && *info && S_ISREG((*info)->st_mode);
    if (!is_file || !is_same_as_known(file, stamp_of(**info))) out.push_back(path);
  }
  return out;
}

void Tree::cancel() {
  state_->is_cancelled = true;
}

core::Result<std::unique_ptr<ObjectReader>> Tree::open_for_read(const std::string& path,
                                                                const KnownFile& expected) {
  SYNCLINE_TRY(check_path(path));
  SYNCLINE_ASSIGN(OwnedFd file, state_->root.open_file(path, O_RDONLY));
  auto reader = std::make_unique<ObjectReader>(file.release(), path, expected);
  SYNCLINE_TRY(reader->check_unchanged());
  return reader;
}

core::Result<std::vector<core::Digest256>> Tree::piece_layer(const std::string& path,
                                                             const KnownFile& expected) {
  if (expected.stamp.size_bytes <= kPieceBytes) return std::vector<core::Digest256>();
  if (auto stored = state_->layers.load(expected.root, expected.stamp.size_bytes)) {
    return std::move(*stored);
  }
  SYNCLINE_ASSIGN(auto reader, open_for_read(path, expected));
  SYNCLINE_ASSIGN(FileHash hash,
                  hash_file(reader->fd(), reader->size_bytes(), &state_->is_cancelled));
  if (hash.root != expected.root) {
    return Error{ErrorKind::kCorrupt, "the file no longer has the content it was known by", path};
  }
  state_->layers.save(hash.root, hash.piece_layer);
  return std::move(hash.piece_layer);
}

void Tree::forget_layers_except(const std::map<std::string, KnownFile>& known) {
  std::set<core::Root> wanted;
  for (const auto& [path, file] : known) wanted.insert(file.root);
  state_->layers.keep_only(wanted);
}

}  // namespace syncline::collections::files
