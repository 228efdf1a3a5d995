#include "engine/objects.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"

namespace syncline::engine {

using core::CollectionName;
using core::NodeId;
using core::ObjectVersion;

namespace {
constexpr core::Duration kRetryMin = core::milliseconds(500);
constexpr core::Duration kRetryMax = core::seconds(60);
constexpr core::Duration kDiskRetry = core::seconds(5);
// Objects looked at in one turn: a long queue must not hold up the records.
constexpr int kLooksMax = 512;
}  // namespace

Objects::Objects(const core::Config& config, const FleetView& view, const Peers& peers,
                 ObjectsDoor door)
    : config_(config), self_(config.node.id), view_(view), peers_(peers), door_(std::move(door)) {}

const core::CollectionConfig* Objects::find(const core::CollectionName& name) const {
  for (const auto& collection : config_.collections) {
    if (collection.name == name) return &collection;
  }
  return nullptr;
}

bool Objects::wants(const core::CollectionName& collection) const {
  return door_.wanted_by(collection).count(self_) > 0;
}

std::uint64_t Objects::tick(core::WallMs at) {
  last_hlc_ =
      std::max(last_hlc_ + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(at.ms, 0)) << 16);
  return last_hlc_;
}

// ── what the scanner saw ────────────────────────────────────────────────────────────────────────

void Objects::scanned(const FilesScanned& scan, core::Instant now, Actions& out) {
  const core::CollectionConfig* collection = find(scan.collection);
  SYNCLINE_CHECK(collection != nullptr, "scan of an undeclared collection", scan.collection);
  for (const SeenObject& object : scan.changed) {
    const ObjectId id{scan.collection, object.path};
    seen(*collection, object, scan.scanned_at);
    object_changed(id, now);
    facade::EventRow event;
    event.type = "object_found";
    event.collection = scan.collection.text;
    event.node = self_.text;
    event.details["path"] = object.path;
    event.details["bytes"] = std::to_string(object.size_bytes);
    event.message = "found " + object.path + " (" + std::to_string(object.size_bytes) + " bytes)";
    out.push_back(Emit{std::move(event)});
  }
  for (const std::string& path : scan.gone) {
    gone(*collection, path, scan.scanned_at);
    object_changed({scan.collection, path}, now);
  }
}

void Objects::seen(const core::CollectionConfig& collection, const SeenObject& found,
                   core::WallMs at) {
  const ObjectId id{collection.name, found.path};
  const ObjectHolders& holders = view_.holders(id);
  auto own = holders.find(self_);
  if (own != holders.end() && own->second.root == found.root && !own->second.is_deleted) return;
  // Content that others have already under this path is their version, not a new one.
  const ObjectVersion* known = nullptr;
  for (const auto& [node, version] : holders) {
    if (node == self_ || version.is_deleted || version.root != found.root) continue;
    if (known == nullptr || core::wins_over(version, *known)) known = &version;
  }
  if (known != nullptr && own == holders.end()) {
    const ObjectVersion adopted = *known;
    door_.tell_version(id, &adopted);
    return;
  }
  ObjectVersion version;
  version.root = found.root;
  version.size_bytes = found.size_bytes;
  version.mtime_ms = found.mtime_ms;
  version.mode = found.mode;
  version.hlc = tick(at);
  version.origin = self_;
  if (own != holders.end()) version.version = own->second.version;
  ++version.version.counters[self_];
  door_.tell_version(id, &version);
}

void Objects::gone(const core::CollectionConfig& collection, const std::string& path,
                   core::WallMs at) {
  const ObjectId id{collection.name, path};
  const ObjectHolders& holders = view_.holders(id);
  auto own = holders.find(self_);
  if (own == holders.end() || own->second.is_deleted) return;
  if (!collection.replicate_deletes) {
    // This node has lost its copy; the others keep theirs, and repair brings it back where wanted.
    door_.tell_version(id, nullptr);
    return;
  }
  ObjectVersion version = own->second;
  version.is_deleted = true;
  version.root = {};
  version.size_bytes = 0;
  version.hlc = tick(at);
  version.origin = self_;
  ++version.version.counters[self_];
  door_.tell_version(id, &version);
}

// ── what the fleet says ─────────────────────────────────────────────────────────────────────────

void Objects::object_changed(const ObjectId& object, core::Instant now) {
  auto [it, is_new] = unsettled_.try_emplace(object, Wanted{now, {}, 0, {}});
  if (!is_new) {
    ready_.small.erase(object);
    ready_.large.erase(object);
    sourceless_.erase(object);
    if (it->second.retry_at) retries_.erase({*it->second.retry_at, object});
    it->second.retry_at.reset();
  }
  changed_.insert(object);
}

void Objects::link_up() {
  for (const ObjectId& object : std::exchange(sourceless_, {})) make_ready(object);
}

void Objects::make_ready(const ObjectId& object) {
  const ObjectVersion* winner = view_.winner(object);
  ready_.of(winner == nullptr ? 0 : winner->size_bytes).insert(object);
}

int Objects::places(std::uint64_t bytes) const {
  return bytes <= kSmallObjectBytes ? config_.transport.small_jobs_max : config_.transport.jobs_max;
}

FetchState Objects::take_fetch(std::map<std::uint64_t, FetchState>::iterator fetch) {
  FetchState taken = std::move(fetch->second);
  fetches_.erase(fetch);
  job_of_.erase(taken.object);
  --places_taken_.of(taken.version.size_bytes);
  return taken;
}

void Objects::wanted_anew(const CollectionName& collection, core::Instant now) {
  const auto& all = view_.objects();
  for (auto it = all.lower_bound({collection, {}}); it != all.end(); ++it) {
    if (it->first.first != collection) break;
    object_changed(it->first, now);
  }
}

void Objects::hurry(const CollectionName& collection, core::Priority priority) {
  auto [it, is_new] = hurried_.try_emplace(collection, priority);
  if (!is_new) it->second = std::min(it->second, priority);
  for (auto retry = retries_.begin(); retry != retries_.end();) {
    const ObjectId object = retry->second;
    if (object.first != collection) {
      ++retry;
      continue;
    }
    retry = retries_.erase(retry);
    unsettled_.at(object).retry_at.reset();
    make_ready(object);
  }
}

void Objects::fetch_progress(const FetchProgress& progress) {
  auto it = fetches_.find(progress.job);
  if (it != fetches_.end()) it->second.bytes_done = progress.bytes_done;
}

void Objects::fetch_done(const FetchDone& done, core::Instant now, Actions& out) {
  auto it = fetches_.find(done.job);
  if (it == fetches_.end()) return;  // cancelled meanwhile
  const FetchState fetch = take_fetch(it);
  facade::EventRow event;
  event.collection = fetch.object.first.text;
  event.node = self_.text;
  event.details["path"] = fetch.object.second;
  event.details["bytes"] = std::to_string(done.bytes);
  if (done.status.ok()) {
    ObjectVersion landed = fetch.version;
    last_hlc_ = std::max(last_hlc_, landed.hlc);
    door_.tell_version(fetch.object, &landed);
    event.type = "object_landed";
    event.message = fetch.object.second + " landed and was verified";
    if (!done.conflict_copy.empty()) {
      event.type = "conflict";
      event.message = fetch.object.second +
                      " was changed on two nodes; the local version is kept as " +
                      done.conflict_copy;
      event.details["kept_as"] = done.conflict_copy;
    }
    object_changed(fetch.object, now);
  } else {
    auto [unsettled, is_new] = unsettled_.try_emplace(fetch.object);
    Wanted& wanted = unsettled->second;
    wanted.since = fetch.wanted_since;
    wanted.failures = std::max(wanted.failures, fetch.failures) + 1;
    if (!is_new) object_changed(fetch.object, now);
    const auto doubled = kRetryMin * (1 << std::min(wanted.failures - 1, 7));
    if (is_new) wanted.retry_at = now + std::min<core::Duration>(doubled, kRetryMax);
    wanted.why = core::to_string(done.status.error());
    if (changed_.count(fetch.object) == 0) set_aside(fetch.object, wanted);
    event.type = "data_sync_failed";
    event.message = "could not fetch " + fetch.object.second + ": " + wanted.why;
  }
  out.push_back(Emit{std::move(event)});
}

// ── a turn ──────────────────────────────────────────────────────────────────────────────────────

bool Objects::settle(const ObjectId& object, Wanted& wanted, core::Instant now, Actions& out) {
  const ObjectHolders& holders = view_.holders(object);
  const ObjectVersion* winner = view_.winner(object);
  if (winner == nullptr) return true;
  auto own = holders.find(self_);
  const bool has_own = own != holders.end();
  if (has_own && own->second.root == winner->root && own->second.is_deleted == winner->is_deleted) {
    // The same content: only the versions have to be joined.
    ObjectVersion joined = *winner;
    for (const auto& [node, version] : holders) {
      if (version.root == winner->root) {
        joined.version = core::join(joined.version, version.version);
      }
    }
    if (!(joined.version == own->second.version)) door_.tell_version(object, &joined);
    return true;
  }
  if (!wants(object.first)) return true;
  const core::CollectionConfig* collection = find(object.first);
  if (collection == nullptr || collection->kind != core::Kind::kFiles) return true;
  if (winner->is_deleted) {
    if (has_own && collection->replicate_deletes) {
      out.push_back(RemoveFile{object.first, object.second, own->second.root});
    }
    return true;
  }
  if (has_own && !core::wins_over(*winner, own->second)) return true;

  auto running = job_of_.find(object);
  if (running != job_of_.end()) {
    FetchState& fetch = fetches_.at(running->second);
    if (fetch.version.root == winner->root) return true;  // fetch_done will look again
    out.push_back(CancelFetch{fetch.job});
    take_fetch(fetches_.find(fetch.job));
  }
  if (!has_place(winner->size_bytes)) {
    wanted.why = "waits for one of " + std::to_string(places(winner->size_bytes)) + " places";
    return false;
  }
  const core::Status may = door_.may_take(winner->size_bytes);
  if (!is_intake_open_ || !may.ok()) {
    wanted.why = may.ok() ? "intake is closed on this node" : may.error().what;
    wanted.retry_at = now + kDiskRetry;
    return false;
  }
  std::vector<NodeId> sources;
  for (const auto& [node, version] : holders) {
    if (node != self_ && version.root == winner->root && peers_.is_linked(node)) {
      sources.push_back(node);
    }
  }
  if (sources.empty()) {
    wanted.why = "no node that has it is reachable now";
    return false;  // a link or a fact will bring us back
  }
  Fetch fetch;
  fetch.job = next_job_++;
  fetch.collection = object.first;
  fetch.path = object.second;
  fetch.object = *winner;
  if (has_own) fetch.replaces = own->second.root;
  fetch.sources = sources;
  fetch.priority = collection->priority;
  auto hurried = hurried_.find(object.first);
  if (hurried != hurried_.end()) fetch.priority = std::min(fetch.priority, hurried->second);
  fetch.bandwidth_mbps = config_.transport.bandwidth_total_mbps;
  fetches_[fetch.job] = {fetch.job, object,       *winner, sources,
                         now,       wanted.since, 0,       wanted.failures};
  job_of_[object] = fetch.job;
  ++places_taken_.of(winner->size_bytes);
  out.push_back(std::move(fetch));
  return true;
}

// settle() could not end it: what will bring it back?
void Objects::set_aside(const ObjectId& object, const Wanted& wanted) {
  const ObjectVersion* winner = view_.winner(object);
  if (wanted.retry_at) {
    retries_.insert({*wanted.retry_at, object});
  } else if (winner != nullptr && !has_place(winner->size_bytes)) {
    make_ready(object);
  } else {
    sourceless_.insert(object);
  }
}

void Objects::plan(core::Instant now, Actions& out) {
  auto look = [&](const ObjectId& object) {
    auto it = unsettled_.find(object);
    if (it == unsettled_.end()) return;
    if (settle(object, it->second, now, out)) {
      unsettled_.erase(it);
    } else {
      set_aside(object, it->second);
    }
  };
  // A change may make a running fetch pointless, so it is looked at although no place is free …
  const std::set<ObjectId> changed = std::exchange(changed_, {});
  for (const ObjectId& object : changed) look(object);
  while (!retries_.empty() && retries_.begin()->first <= now) {
    const ObjectId object = retries_.begin()->second;
    retries_.erase(retries_.begin());
    unsettled_.at(object).retry_at.reset();
    make_ready(object);
  }
  // … all others wait for a place: a turn costs nothing while thousands are queued.
  is_more_ready_ = false;
  for (const std::uint64_t size : {std::uint64_t{0}, kSmallObjectBytes + 1}) {
    std::set<ObjectId>& ready = ready_.of(size);
    for (int left = kLooksMax; left > 0 && !ready.empty() && has_place(size); --left) {
      look(ready.extract(ready.begin()).value());
    }
    is_more_ready_ |= !ready.empty() && has_place(size);
  }
  looked_at_ = now;
  if (unsettled_.empty() && fetches_.empty()) hurried_.clear();
}

std::optional<core::Instant> Objects::next_wake() const {
  if (is_more_ready_) return looked_at_;
  if (retries_.empty()) return std::nullopt;
  return retries_.begin()->first;
}

std::size_t Objects::waiting(const core::CollectionName& collection) const {
  std::size_t count = 0;
  for (const auto& [object, wanted] : unsettled_) count += object.first == collection ? 1 : 0;
  for (const auto& [object, job] : job_of_) count += object.first == collection ? 1 : 0;
  return count;
}

std::optional<core::Instant> Objects::oldest_waiting(const core::CollectionName& collection) const {
  std::optional<core::Instant> oldest;
  if (!wants(collection)) return oldest;
  for (const auto& [object, wanted] : unsettled_) {
    if (object.first != collection) continue;
    if (!oldest || wanted.since < *oldest) oldest = wanted.since;
  }
  for (const auto& [job, fetch] : fetches_) {
    if (fetch.object.first != collection) continue;
    if (!oldest || fetch.wanted_since < *oldest) oldest = fetch.wanted_since;
  }
  return oldest;
}

std::string Objects::why_waiting(const core::CollectionName& collection) const {
  for (const auto& [object, wanted] : unsettled_) {
    if (object.first == collection && !wanted.why.empty()) return object.second + ": " + wanted.why;
  }
  for (const auto& [object, job] : job_of_) {
    if (object.first == collection) return object.second + " is being fetched";
  }
  return {};
}

}  // namespace syncline::engine
