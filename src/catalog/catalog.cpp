#include "catalog/catalog.hpp"

#include <algorithm>

namespace syncline::catalog {

using core::Fact;
using core::NodeId;

namespace {
constexpr std::size_t kFactOverheadBytes = 24;  // version, lengths, flags on the wire

// Ascending versions inside (after, up_to], within bounds.
bool is_well_formed(const core::CatalogDelta::Part& part, const CatalogLimits& limits) {
  if (part.owner.empty() || part.after > part.up_to) return false;
  std::uint64_t last = part.after;
  for (const Fact& fact : part.facts) {
    if (fact.version <= last || fact.version > part.up_to) return false;
    if (fact.key.empty() || fact.key.size() > limits.key_bytes_max) return false;
    if (fact.value.size() > limits.value_bytes_max) return false;
    last = fact.version;
  }
  return true;
}
}  // namespace

Catalog::Catalog(NodeId self, std::uint64_t incarnation, CatalogLimits limits)
    : self_(std::move(self)), limits_(limits) {
  logs_[self_].mark.incarnation = incarnation;
}

// REQUIRES: its version is above all of the log.
const Fact* Catalog::put(Log& log, Fact fact) {
  const auto found = log.by_key.find(std::string_view(fact.key));
  if (found != log.by_key.end()) {
    const std::uint64_t older = (*found)->version;
    log.by_key.erase(found);
    log.by_version.erase(older);
  }
  const std::uint64_t version = fact.version;
  const Fact* kept =
      &log.by_version.emplace_hint(log.by_version.end(), version, std::move(fact))->second;
  log.by_key.insert(kept);
  return kept;
}

const Fact* Catalog::assert_own(const std::string& key, const std::string& value) {
  Log& log = logs_[self_];
  const Fact* found = log.find(key);
  if (found != nullptr && !found->is_removed && found->value == value) return nullptr;
  return put(log, {++log.mark.version, key, value, false});
}

const Fact* Catalog::remove_own(const std::string& key) {
  Log& log = logs_[self_];
  const Fact* found = log.find(key);
  if (found == nullptr || found->is_removed) return nullptr;
  return put(log, {++log.mark.version, key, {}, true});
}

core::CatalogDigest Catalog::digest() const {
  core::CatalogDigest digest;
  for (const auto& [owner, log] : logs_) digest.marks.emplace(owner, log.mark);
  return digest;
}

core::OwnerMark Catalog::mark(const NodeId& owner) const {
  auto log = logs_.find(owner);
  return log == logs_.end() ? core::OwnerMark{} : log->second.mark;
}

core::CatalogDelta Catalog::delta_for(const core::CatalogDigest& theirs,
                                      std::size_t bytes_max) const {
  core::CatalogDelta delta;
  std::size_t bytes = 0;
  for (const auto& [owner, log] : logs_) {
    auto mark = theirs.marks.find(owner);
    std::uint64_t after = 0;
    if (mark != theirs.marks.end()) {
      if (mark->second.incarnation > log.mark.incarnation) continue;
      if (mark->second.incarnation == log.mark.incarnation) after = mark->second.version;
    }
    const bool is_new_log =
        mark == theirs.marks.end() || mark->second.incarnation < log.mark.incarnation;
    if (after >= log.mark.version && !is_new_log) continue;
    core::CatalogDelta::Part part;
    part.owner = owner;
    part.incarnation = log.mark.incarnation;
    part.after = after;
    part.up_to = after;
    bool is_whole = true;
    for (auto it = log.by_version.upper_bound(after); it != log.by_version.end(); ++it) {
      const Fact& fact = it->second;
      const std::size_t size = fact.key.size() + fact.value.size() + kFactOverheadBytes;
      if (bytes + size > bytes_max && bytes > 0) {
        is_whole = false;
        break;
      }
      bytes += size;
      part.up_to = fact.version;
      part.facts.push_back(fact);
    }
    // Versions above the last kept fact were replaced by it: the mark may move over them.
    if (is_whole) part.up_to = log.mark.version;
    if (part.up_to > part.after || is_new_log) delta.parts.push_back(std::move(part));
    if (!is_whole) break;
  }
  return delta;
}

std::vector<FactChange> Catalog::void_facts(const NodeId& owner, Log& log) {
  std::vector<FactChange> changes;
  for (const Fact* fact : log.by_key) {
    if (fact->is_removed) continue;
    Fact gone = *fact;
    gone.is_removed = true;
    gone.value.clear();
    changes.push_back({owner, std::move(gone)});
  }
  log.by_key.clear();
  log.by_version.clear();
  return changes;
}

std::vector<FactChange> Catalog::apply(const core::CatalogDelta& delta) {
  std::vector<FactChange> changes;
  for (const core::CatalogDelta::Part& part : delta.parts) {
    if (part.owner == self_ || !is_well_formed(part, limits_)) continue;
    if (logs_.count(part.owner) == 0 && logs_.size() >= limits_.owners_max) continue;
    Log& log = logs_[part.owner];
    if (part.incarnation < log.mark.incarnation) continue;
    if (part.incarnation > log.mark.incarnation) {
      if (part.after != 0) continue;  // its beginning is missing: wait for a whole one
      // The facts of the older life are void, except those the new one repeats at once.
      for (FactChange& change : void_facts(part.owner, log)) changes.push_back(std::move(change));
      log.mark = {part.incarnation, 0};
    }
    if (part.after > log.mark.version) continue;  // a gap: the next digest asks for it
    for (const Fact& fact : part.facts) {
      if (fact.version <= log.mark.version) continue;
      if (log.by_key.size() >= limits_.facts_per_owner_max && log.find(fact.key) == nullptr) {
        continue;
      }
      put(log, fact);
      changes.push_back({part.owner, fact});
    }
    log.mark.version = std::max(log.mark.version, part.up_to);
  }
  return changes;
}

bool Catalog::outbid(std::uint64_t incarnation) {
  Log& log = logs_[self_];
  if (incarnation < log.mark.incarnation) return false;
  log.mark.incarnation = incarnation + 1;
  return true;
}

const Fact* Catalog::find(const NodeId& owner, const std::string& key) const {
  auto log = logs_.find(owner);
  if (log == logs_.end()) return nullptr;
  return log->second.find(key);
}

void Catalog::for_each(const std::function<void(const NodeId&, const Fact&)>& visit) const {
  for (const auto& [owner, log] : logs_) {
    for (const Fact* fact : log.by_key) {
      if (!fact->is_removed) visit(owner, *fact);
    }
  }
}

std::size_t Catalog::facts() const {
  std::size_t count = 0;
  for (const auto& [owner, log] : logs_) count += log.by_key.size();
  return count;
}

std::vector<FactChange> Catalog::forget(const NodeId& owner) {
  auto log = logs_.find(owner);
  if (log == logs_.end() || owner == self_) return {};
  // The mark stays: an old delta from a slow peer does not bring the facts back.
  return void_facts(owner, log->second);
}

}  // namespace syncline::catalog
