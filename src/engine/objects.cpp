#include "engine/objects.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"
#include "core/find_configured.hpp"

namespace syncline::engine {

using core::CollectionName;
using core::NodeId;
using core::ObjectVersion;

namespace {
constexpr core::Duration kDiskRetry = core::seconds(5);
// A request's own timeout is not told to its targets.
constexpr core::Duration kForcedFor = core::seconds(300);
}  // namespace

Objects::Objects(const core::Config& config, const FleetView& view, const Peers& peers,
                 ObjectsDoor door)
    : config_(config),
      self_(config.node.id),
      view_(view),
      peers_(peers),
      door_(std::move(door)),
      ways_(config, view, peers),
      line_(config) {}

const core::CollectionConfig* Objects::find(const core::CollectionName& name) const {
  return core::find_collection(config_, name);
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
    if (!line_.has_place(object)) line_.leave(object, now);
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
  changed_.merge(sourceless_);
  sourceless_.clear();
}

void Objects::wanted_anew(const CollectionName& collection, core::Instant now) {
  const auto& all = view_.objects();
  for (auto it = all.lower_bound({collection, {}}); it != all.end(); ++it) {
    if (it->first.first != collection) break;
    object_changed(it->first, now);
  }
}

void Objects::hurry(const CollectionName& collection, core::Priority priority,
                    const std::string& transport, double bandwidth_mbps, core::Instant now) {
  auto [it, is_new] = hurried_.try_emplace(collection, Hurry{priority, {}, 0, {}});
  const Hurry before = it->second;
  it->second.priority = std::min(it->second.priority, priority);
  if (!transport.empty()) it->second.transport = transport;
  if (bandwidth_mbps > 0) it->second.bandwidth_mbps = bandwidth_mbps;
  const bool has_new_terms = is_new || before.priority != it->second.priority ||
                             before.bandwidth_mbps != it->second.bandwidth_mbps;
  if (has_new_terms) {  // those that wait take their place by the new terms
    for (auto one = unsettled_.lower_bound({collection, {}});
         one != unsettled_.end() && one->first.first == collection; ++one) {
      if (!line_.is_known(one->first) || line_.has_place(one->first)) continue;
      line_.leave(one->first, now);
      changed_.insert(one->first);
    }
  }
  if (!transport.empty() || bandwidth_mbps > 0) it->second.forced_until = now + kForcedFor;
  for (auto retry = retries_.begin(); retry != retries_.end();) {
    const ObjectId object = retry->second;
    if (object.first != collection) {
      ++retry;
      continue;
    }
    retry = retries_.erase(retry);
    unsettled_.at(object).retry_at.reset();
    changed_.insert(object);
  }
}

// ── a turn ──────────────────────────────────────────────────────────────────────────────────────

Objects::Settled Objects::settle(const ObjectId& object, Wanted& wanted, core::Instant now,
                                 Actions& out) {
  const ObjectHolders& holders = view_.holders(object);
  const ObjectVersion* winner = view_.winner(object);
  if (winner == nullptr) return Settled::kDone;
  auto own = holders.find(self_);
  const bool has_own = own != holders.end();
  if (has_own && own->second.root == winner->root && own->second.is_deleted == winner->is_deleted) {
    // The same content: only the versions have to be joined.
    const auto differs = [&](const auto& holder) {
      return holder.second.root == winner->root && !(holder.second.version == own->second.version);
    };
    if (std::none_of(holders.begin(), holders.end(), differs)) return Settled::kDone;
    ObjectVersion joined = *winner;
    for (const auto& [node, version] : holders) {
      if (version.root == winner->root) {
        joined.version = core::join(joined.version, version.version);
      }
    }
    if (!(joined.version == own->second.version)) door_.tell_version(object, &joined);
    return Settled::kDone;
  }
  if (!wants(object.first)) return Settled::kDone;
  const core::CollectionConfig* collection = find(object.first);
  if (collection == nullptr || collection->kind != core::Kind::kFiles) return Settled::kDone;
  if (winner->is_deleted) {
    if (has_own && collection->replicate_deletes) {
      out.push_back(RemoveFile{object.first, object.second, own->second.root});
    }
    return Settled::kDone;
  }
  if (has_own && !core::wins_over(*winner, own->second)) return Settled::kDone;

  auto running = job_of_.find(object);
  if (running != job_of_.end()) {
    FetchState& fetch = fetches_.at(running->second);
    if (fetch.version.root == winner->root) return Settled::kFetching;  // fetch_done looks again
    if (!fetch.is_waiting) out.push_back(CancelFetch{fetch.job});
    take_fetch(fetches_.find(fetch.job));
    line_.leave(object, now);
  }
  const core::Status may = door_.may_take(reserved_bytes_ + winner->size_bytes);
  if (!is_intake_open_ || !may.ok()) {
    wanted.why = may.ok() ? "intake is closed on this node" : may.error().what;
    wanted.retry_at = now + kDiskRetry;
    return Settled::kAside;
  }
  std::set<NodeId> sources;
  for (const auto& [node, version] : holders) {
    if (node != self_ && version.root == winner->root) sources.insert(node);
  }
  core::Priority priority = collection->priority;
  std::string forced;
  double bandwidth_mbps = 0;
  auto hurried = hurried_.find(object.first);
  if (hurried != hurried_.end()) {
    priority = std::min(priority, hurried->second.priority);
    if (now < hurried->second.forced_until) {
      forced = hurried->second.transport;
      bandwidth_mbps = hurried->second.bandwidth_mbps;
    }
  }
  const std::size_t others = others_wanting(object, winner->size_bytes, sources).size();
  auto choice = ways_.choose(object.first, winner->size_bytes, sources, forced, now,
                             static_cast<int>(others) + 1);
  if (!choice.ok()) {
    wanted.why = choice.error().what;
    const auto wake = ways_.next_wake(now);
    if (wake) wanted.retry_at = std::max(*wake, now + kRetryMin);
    if (!forced.empty()) wanted.retry_at = now + kDiskRetry;
    return Settled::kAside;  // else a link or a fact will bring us back
  }
  if (!line_.has_place(object)) {
    wanted.why.clear();  // the line knows
    submit(object, *winner, *choice, priority, bandwidth_mbps, now);
    // With a place at once it need not be looked at a second time.
    if (starts_left_ == 0 || !line_.has_place(object)) return Settled::kInLine;
    --starts_left_;
  }
  FetchState fetch;
  fetch.object = object;
  fetch.version = *winner;
  fetch.started_at = now;
  fetch.wanted_since = wanted.since;
  fetch.failures = wanted.failures;
  fetch.priority = priority;
  fetch.bandwidth_mbps = bandwidth_mbps;
  if (has_own) fetch.replaces = own->second.root;
  fetch.escalation.emplace(std::move(choice).value(), config_.transport, now);
  reserved_bytes_ += winner->size_bytes;
  attempt(std::move(fetch), now, out);
  return Settled::kFetching;
}

// settle() could not end it: what will bring it back?
void Objects::set_aside(const ObjectId& object, const Wanted& wanted) {
  if (wanted.retry_at) {
    retries_.insert({*wanted.retry_at, object});
  } else {
    sourceless_.insert(object);
  }
}

void Objects::look(const ObjectId& object, core::Instant now, Actions& out) {
  auto it = unsettled_.find(object);
  if (it == unsettled_.end()) return;
  const Settled settled = settle(object, it->second, now, out);
  if (settled == Settled::kInLine) return;
  if (settled == Settled::kAside) {
    set_aside(object, it->second);
  } else {
    unsettled_.erase(it);
  }
  if (settled != Settled::kFetching) line_.leave(object, now);
}

void Objects::plan(core::Instant now, Actions& out) {
  try_again(now, out);
  line_.tick(now);
  // A change may make a running fetch pointless, so it is looked at although no place is free.
  while (!retries_.empty() && retries_.begin()->first <= now) {
    const ObjectId object = retries_.begin()->second;
    retries_.erase(retries_.begin());
    unsettled_.at(object).retry_at.reset();
    changed_.insert(object);
  }
  starts_left_ = kStartsMax;
  const std::set<ObjectId> changed = std::exchange(changed_, {});
  for (const ObjectId& object : changed) look(object, now, out);
  take_from_line(now, out);
  looked_at_ = now;
  if (unsettled_.empty() && fetches_.empty()) {
    std::erase_if(hurried_, [&](const auto& one) { return now >= one.second.forced_until; });
  }
}

std::optional<core::Instant> Objects::next_wake() const {
  if (is_more_ready_ || !changed_.empty()) return looked_at_;
  std::optional<core::Instant> wake = line_.next_wake();
  if (!retries_.empty() && (!wake || retries_.begin()->first < *wake)) {
    wake = retries_.begin()->first;
  }
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
    if (object.first != collection) continue;
    const std::string why = wanted.why.empty() ? line_.why_waiting(object, looked_at_) : wanted.why;
    if (!why.empty()) return object.second + ": " + why;
  }
  for (const auto& [object, job] : job_of_) {
    if (object.first == collection) return object.second + " is being fetched";
  }
  return {};
}

}  // namespace syncline::engine
