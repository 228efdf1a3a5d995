#include "engine/objects.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"

namespace syncline::engine {

using core::CollectionName;
using core::NodeId;
using core::ObjectVersion;

namespace {
constexpr core::Duration kDiskRetry = core::seconds(5);
// A request's own timeout is not told to its targets.
constexpr core::Duration kForcedFor = core::seconds(300);
// Objects looked at in one turn: a long queue must not hold up the records.
constexpr int kLooksMax = 512;
}  // namespace

Objects::Objects(const core::Config& config, const FleetView& view, const Peers& peers,
                 ObjectsDoor door)
    : config_(config),
      self_(config.node.id),
      view_(view),
      peers_(peers),
      door_(std::move(door)),
      ways_(config, view, peers) {}

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

void Objects::link_up(const NodeId& peer, core::Instant now) {
  ways_.link_up(peer, now);
  reach_changed();
}

void Objects::reach_changed() {
  for (const ObjectId& object : std::exchange(sourceless_, {})) make_ready(object);
}

void Objects::make_ready(const ObjectId& object) {
  const ObjectVersion* winner = view_.winner(object);
  ready_.of(winner == nullptr ? 0 : winner->size_bytes).insert(object);
}

int Objects::places(std::uint64_t bytes) const {
  return bytes <= kSmallObjectBytes ? config_.transport.small_jobs_max : config_.transport.jobs_max;
}

void Objects::wanted_anew(const CollectionName& collection, core::Instant now) {
  const auto& all = view_.objects();
  for (auto it = all.lower_bound({collection, {}}); it != all.end(); ++it) {
    if (it->first.first != collection) break;
    object_changed(it->first, now);
  }
}

void Objects::hurry(const CollectionName& collection, core::Priority priority,
                    const std::string& transport, core::Instant now) {
  auto [it, is_new] = hurried_.try_emplace(collection, Hurry{priority, {}, {}});
  it->second.priority = std::min(it->second.priority, priority);
  if (!transport.empty()) {
    it->second.transport = transport;
    it->second.forced_until = now + kForcedFor;
  }
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
    if (!fetch.is_waiting) out.push_back(CancelFetch{fetch.job});
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
  std::set<NodeId> sources;
  for (const auto& [node, version] : holders) {
    if (node != self_ && version.root == winner->root) sources.insert(node);
  }
  core::Priority priority = collection->priority;
  std::string forced;
  auto hurried = hurried_.find(object.first);
  if (hurried != hurried_.end()) {
    priority = std::min(priority, hurried->second.priority);
    if (now < hurried->second.forced_until) forced = hurried->second.transport;
  }
  auto choice = ways_.choose(object.first, winner->size_bytes, sources, forced, now);
  if (!choice.ok()) {
    wanted.why = choice.error().what;
    const auto wake = ways_.next_wake(now);
    if (wake) wanted.retry_at = std::max(*wake, now + kRetryMin);
    if (!forced.empty()) wanted.retry_at = now + kDiskRetry;
    return false;  // else a link or a fact will bring us back
  }
  FetchState fetch;
  fetch.object = object;
  fetch.version = *winner;
  fetch.started_at = now;
  fetch.wanted_since = wanted.since;
  fetch.failures = wanted.failures;
  fetch.priority = priority;
  if (has_own) fetch.replaces = own->second.root;
  fetch.escalation.emplace(std::move(choice).value(), config_.transport, now);
  ++places_taken_.of(winner->size_bytes);
  attempt(std::move(fetch), now, out);
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
  try_again(now, out);
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
  if (unsettled_.empty() && fetches_.empty()) {
    std::erase_if(hurried_, [&](const auto& one) { return now >= one.second.forced_until; });
  }
}

std::optional<core::Instant> Objects::next_wake() const {
  if (is_more_ready_) return looked_at_;
  std::optional<core::Instant> wake;
  if (!retries_.empty()) wake = retries_.begin()->first;
  if (!waiting_.empty() && (!wake || waiting_.begin()->first < *wake)) {
    wake = waiting_.begin()->first;
  }
  return wake;
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
