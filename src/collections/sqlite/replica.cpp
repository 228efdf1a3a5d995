// Which database a record belongs to; what they are together.
#include "collections/sqlite/replica.hpp"

#include <algorithm>
#include <list>
#include <mutex>

#include "collections/sqlite/partition.hpp"
#include "collections/sqlite/replica_file.hpp"

namespace syncline::collections::sqlite {

using core::ConfigKey;
using core::Error;
using core::ErrorKind;
using core::LogId;
using core::SeqSet;

namespace {
// Each open database has up to three descriptors and 16 MB of cache.
constexpr std::size_t kOpenMax = 16;
constexpr std::uint64_t kSeqMax = std::uint64_t{1} << 62;
}  // namespace

struct Replica::State {
  struct Place {
    std::map<LogId, SeqSet> merged;
    reconcile::Fingerprint fingerprint;
    std::uint64_t aside = 0;
    Derivation derivation;
  };

  explicit State(const core::CollectionConfig& c) : config(c) {}
  core::CollectionConfig config;
  std::map<ConfigKey, Place> places;                                 // all databases there are
  std::list<std::pair<ConfigKey, std::unique_ptr<Partition>>> open;  // last used first
  mutable std::mutex mutex;                                          // guards `together`
  reconcile::Fingerprint together;

  ConfigKey place_of(const ConfigKey& key) const {
    return has_config_key(config.replica) ? key : ConfigKey();
  }
  core::Result<Partition*> partition(const ConfigKey& key);
  void note(const ConfigKey& key, Partition& partition);
  bool is_merged(const LogId& log, std::uint64_t seq) const;
};

core::Result<Partition*> Replica::State::partition(const ConfigKey& key) {
  auto it = std::find_if(open.begin(), open.end(), [&](const auto& p) { return p.first == key; });
  if (it != open.end()) {
    open.splice(open.begin(), open, it);
    return open.front().second.get();
  }
  SYNCLINE_ASSIGN(auto opened, Partition::open(path_for(config.replica, key), config, key));
  if (open.size() >= kOpenMax) open.pop_back();
  open.emplace_front(key, std::move(opened));
  return open.front().second.get();
}

void Replica::State::note(const ConfigKey& key, Partition& partition) {
  Place& place = places[key];
  place.merged = partition.merged();
  place.fingerprint = partition.fingerprint();
  place.derivation = partition.derivation();
  if (const auto aside = partition.count_aside(); aside.ok()) place.aside = *aside;
  reconcile::Fingerprint sum;
  for (const auto& [name, one] : places) sum.add(one.fingerprint);
  const std::lock_guard lock(mutex);
  together = sum;
}

bool Replica::State::is_merged(const LogId& log, std::uint64_t seq) const {
  return std::any_of(places.begin(), places.end(), [&](const auto& place) {
    auto it = place.second.merged.find(log);
    return it != place.second.merged.end() && it->second.contains(seq);
  });
}

Replica::Replica(std::unique_ptr<State> state) : state_(std::move(state)) {}
Replica::~Replica() = default;

core::Result<std::unique_ptr<Replica>> Replica::open(const core::CollectionConfig& config) {
  auto state = std::make_unique<State>(config);
  std::vector<ConfigKey> keys;
  if (has_config_key(config.replica)) {
    SYNCLINE_ASSIGN(const auto files, files_of(config.replica));
    for (const ReplicaFile& file : files) keys.push_back(file.config_key);
  } else {
    keys.emplace_back();
  }
  for (const ConfigKey& key : keys) {
    SYNCLINE_ASSIGN(Partition* const partition, state->partition(key));
    state->note(key, *partition);
  }
  return std::unique_ptr<Replica>(new Replica(std::move(state)));
}

std::map<LogId, SeqSet> Replica::merged_all() const {
  std::map<LogId, SeqSet> out;
  for (const auto& [key, place] : state_->places) {
    for (const auto& [log, seqs] : place.merged) out[log].insert(seqs);
  }
  return out;
}

core::Result<MergeReport> Replica::merge(std::span<const core::RecordBatchPtr> batches) {
  MergeReport report;
  std::map<ConfigKey, std::vector<Incoming>> by_place;
  for (const core::RecordBatchPtr& batch : batches) {
    for (const core::Record& record : batch->records) {
      if (record.seq.value == 0 || record.seq.value > kSeqMax ||
          batch->log.collection != state_->config.name) {
        report.problems.push_back("a record of '" + batch->log.collection.text + "', seq " +
                                  std::to_string(record.seq.value) + ", is none of collection '" +
                                  state_->config.name.text + "'");
      } else if (state_->is_merged(batch->log, record.seq.value)) {
        ++report.repeated;
      } else {
        by_place[state_->place_of(record.unit.config_key)].push_back({batch.get(), &record});
      }
    }
  }
  for (const auto& [key, records] : by_place) {
    SYNCLINE_ASSIGN(Partition* const partition, state_->partition(key));
    auto merged = partition->merge(records);
    state_->note(key, *partition);
    if (!merged.ok()) return merged.error();
    report.merged += merged->merged;
    report.repeated += merged->repeated;
    report.problems.insert(report.problems.end(), merged->problems.begin(), merged->problems.end());
  }
  return report;
}

core::Result<core::RecordBatch> Replica::read(const LogId& log, const SeqSet& wanted,
                                              std::size_t bytes_max) {
  core::RecordBatch out;
  out.log = log;
  std::size_t bytes = 0;
  for (const auto& [key, place] : state_->places) {
    auto merged = place.merged.find(log);
    if (bytes >= std::max<std::size_t>(bytes_max, 1) || merged == place.merged.end() ||
        merged->second.intersect(wanted).empty()) {
      continue;
    }
    SYNCLINE_ASSIGN(Partition* const partition, state_->partition(key));
    SYNCLINE_TRY(partition->read(log, wanted, std::max<std::size_t>(bytes_max, 1), bytes, out));
  }
  std::sort(out.records.begin(), out.records.end(),
            [](const core::Record& a, const core::Record& b) { return a.seq < b.seq; });
  return out;
}

std::uint64_t Replica::aside_count() const {
  std::uint64_t count = 0;
  for (const auto& [key, place] : state_->places) count += place.aside;
  return count;
}

core::Result<std::vector<AsideRecord>> Replica::aside(std::size_t count_max) {
  std::vector<AsideRecord> out;
  for (const auto& [key, place] : state_->places) {
    if (place.aside == 0) continue;
    SYNCLINE_ASSIGN(Partition* const partition, state_->partition(key));
    SYNCLINE_TRY(partition->list_aside(count_max, out));
  }
  return out;
}

core::Result<MergeReport> Replica::retry_aside(const std::set<RecordId>& only) {
  MergeReport report;
  for (const auto& [key, place] : state_->places) {
    if (place.aside == 0) continue;
    SYNCLINE_ASSIGN(Partition* const partition, state_->partition(key));
    auto one = partition->retry_aside(only);
    state_->note(key, *partition);
    if (!one.ok()) return one.error();
    report.merged += one->merged - one->problems.size();
    report.problems.insert(report.problems.end(), one->problems.begin(), one->problems.end());
  }
  return report;
}

core::Result<std::uint64_t> Replica::drop_aside(const std::set<RecordId>& only) {
  std::uint64_t dropped = 0;
  for (const auto& [key, place] : state_->places) {
    if (place.aside == 0) continue;
    SYNCLINE_ASSIGN(Partition* const partition, state_->partition(key));
    SYNCLINE_ASSIGN(const std::uint64_t here, partition->drop_aside(only));
    state_->note(key, *partition);
    dropped += here;
  }
  return dropped;
}

DerivedReport Replica::derived() const {
  DerivedReport report;
  DerivedCounts sum;
  for (const auto& [key, place] : state_->places) {
    const Derivation& one = place.derivation;
    if (!one.problem.empty()) report.problem = one.problem;
    sum.rated += one.counts.rated;
    sum.without_participants += one.counts.without_participants;
    sum.without_winner += one.counts.without_winner;
    sum.with_unrated += one.counts.with_unrated;
  }
  if (state_->config.derive.by != "elo" || !report.problem.empty()) return report;
  report.text = std::to_string(sum.rated) + (sum.rated == 1 ? " match" : " matches") + " rated";
  const std::pair<std::uint64_t, const char*> skipped[] = {
      {sum.without_participants, "without two participants"},
      {sum.without_winner, "without a known winner"},
      {sum.with_unrated, "with a participant that gets no rating"}};
  const char* before = "; skipped: ";
  for (const auto& [count, why] : skipped) {
    if (count == 0) continue;
    report.text += before + std::to_string(count) + " " + why;
    before = ", ";
  }
  return report;
}

std::uint64_t Replica::units() const {
  return fingerprint().count;
}

reconcile::Fingerprint Replica::fingerprint() const {
  const std::lock_guard lock(state_->mutex);
  return state_->together;
}

core::Result<std::set<std::string>> Replica::texts(const std::string& table,
                                                   const std::string& column,
                                                   std::size_t count_max) {
  std::set<std::string> out;
  for (const auto& [key, place] : state_->places) {
    SYNCLINE_ASSIGN(Partition* const partition, state_->partition(key));
    SYNCLINE_TRY(partition->add_texts(table, column, count_max, out));
  }
  return out;
}

core::Result<ScrubReport> Replica::scrub(std::size_t units_max) {
  ScrubReport report;
  for (const auto& [key, place] : state_->places) {
    SYNCLINE_ASSIGN(Partition* const partition, state_->partition(key));
    SYNCLINE_ASSIGN(ScrubReport one, partition->scrub(units_max));
    report.checked += one.checked;
    report.damaged.insert(report.damaged.end(), one.damaged.begin(), one.damaged.end());
  }
  return report;
}

}  // namespace syncline::collections::sqlite
