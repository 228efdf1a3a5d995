#include "simulation/disk.hpp"

#include <algorithm>
#include <tuple>

namespace syncline::simulation {

void Replica::merge(const core::LogId& log, const core::Record& record) {
  merged[log][record.seq.value] = record;
  Row row{record.hlc, log.origin, record.unit.hash, record.unit.bytes};
  std::vector<Row>& rows = units[record.unit.key];
  if (rows.empty()) {
    fingerprint.add(record.unit.key, row.hash);
    rows.push_back(std::move(row));
    return;
  }
  Row& known = rows.front();
  if (std::tie(row.hlc, row.origin) <= std::tie(known.hlc, known.origin)) return;
  fingerprint.remove(record.unit.key, known.hash);
  fingerprint.add(record.unit.key, row.hash);
  known = std::move(row);
}

bool Disk::has(const core::LogId& log, std::uint64_t seq) const {
  auto journalled = logs.find(log);
  if (journalled != logs.end() && journalled->second.payloads.count(seq) > 0) return true;
  auto merged = replica.merged.find(log);
  return merged != replica.merged.end() && merged->second.count(seq) > 0;
}

core::SeqSet Disk::have(const core::LogId& log) const {
  core::SeqSet all;
  auto journalled = logs.find(log);
  if (journalled != logs.end()) {
    for (const auto& [seq, record] : journalled->second.payloads) all.insert(seq, seq);
  }
  auto merged = replica.merged.find(log);
  if (merged != replica.merged.end()) {
    for (const auto& [seq, record] : merged->second) all.insert(seq, seq);
  }
  return all;
}

core::Duration Disk::fsync_time() {
  if (is_slow) return random_->between(core::milliseconds(50), core::milliseconds(1000));
  return random_->between(core::milliseconds(1), core::milliseconds(12));
}

void Disk::enqueue(Queue& queue, Write write, Done done) {
  queue.jobs.push_back({std::move(write), std::move(done)});
  if (!queue.is_busy) next(queue);
}

void Disk::next(Queue& queue) {
  queue.is_busy = !queue.jobs.empty();
  if (!queue.is_busy) return;
  timeline_->after(fsync_time(), [this, &queue, life = life_] {
    if (life != life_) return;  // power failed meanwhile
    const Job job = std::move(queue.jobs.front());
    queue.jobs.pop_front();
    const bool is_written = !is_full;
    if (is_written) job.write();
    next(queue);
    job.done(is_written);
  });
}

void Disk::crash() {
  ++life_;
  // The write under way may have reached the platter although nobody was told.
  if (!journal_.jobs.empty() && !is_full && random_->chance(30)) journal_.jobs.front().write();
  journal_ = {};
  merges_ = {};
}

void Disk::wipe() {
  logs.clear();
  cursors.clear();
  versions.clear();
  removed_nodes.clear();
  last_epoch = 0;
  replica = {};
  files.clear();
  source.clear();
}

}  // namespace syncline::simulation
