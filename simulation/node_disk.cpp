// How a simulated machine carries out what touches its disk: the journal, the sources, the
// replica and the files.
#include <algorithm>

#include "core/sha256.hpp"
#include "simulation/node.hpp"

namespace syncline::simulation {

namespace {
constexpr std::size_t kReadMax = 16;  // games in one read: bounds are reached often
constexpr std::size_t kSendMax = 32;  // records in one message
constexpr double kFileBytesPerSecond = 100e6;
}  // namespace

// ── journal ─────────────────────────────────────────────────────────────────────────────────────

void Node::carry_out(const engine::Append& action) {
  auto write = [this, action] {
    JournalLog& log = disk_.logs[action.batch->log];
    for (const core::Record& record : action.batch->records) {
      if (log.held.contains(record.seq.value)) continue;
      log.payloads[record.seq.value] = record;
      log.held.insert(record.seq.value, record.seq.value);
    }
    auto progress = progress_.find(action.read_id);
    if (action.read_id != 0 && progress != progress_.end()) {
      disk_.cursors[action.batch->log.collection] = progress->second;
    }
    world_.watch.journalled(*this, action.batch->log, *action.batch);
    if (world_.bug == Bug::kTrimUncopied && action.batch->log.origin == id()) {
      for (const core::Record& record : action.batch->records) {
        log.payloads.erase(record.seq.value);
        log.trimmed.insert(record.seq.value, record.seq.value);
      }
    }
  };
  const bool is_early = world_.bug == Bug::kAckBeforeFsync;
  disk_.journal(write, [this, action, is_early](bool is_written) {
    progress_.erase(action.read_id);
    if (is_early) return;
    if (is_written) {
      step(engine::Appended{action.append_id});
    } else {
      step(engine::AppendFailed{action.append_id,
                                {core::ErrorKind::kExhausted, "no space is left on the disk", ""}});
    }
  });
  if (is_early) later(core::Duration(0), engine::Appended{action.append_id});
}

void Node::carry_out(const engine::SendRecords& action) {
  disk_.journal(
      [] {},
      [this, action](bool) {
        if (!is_running()) return;
        core::RecordBatch batch;
        batch.log = action.log;
        core::SeqSet left = action.seqs;
        std::uint64_t bytes = 0;
        auto flush = [&] {
          if (batch.records.empty()) return;
          world_.network.send(index_, world_.index_of(action.peer),
                              core::AppendRecords{std::make_shared<core::RecordBatch>(batch)});
          batch.records.clear();
        };
        auto take = [&](const std::map<std::uint64_t, core::Record>& from) {
          for (const auto& [seq, record] : from) {
            if (!left.contains(seq)) continue;
            left.erase(seq, seq);
            bytes += record.unit.bytes.size();
            batch.records.push_back(record);
            if (batch.records.size() == kSendMax) flush();
          }
        };
        take(disk_.logs[action.log].payloads);
        take(disk_.replica.merged[action.log]);
        flush();
        if (bytes > 0)
          later(core::Duration(0), engine::RecordsSent{action.peer, action.log, bytes});
        if (left.empty()) return;
        later(core::Duration(0), engine::RecordsUnavailable{action.peer, action.log, left,
                                                            "neither journal nor replica"});
      });
}

void Node::carry_out(const engine::Trim& action) {
  if (action.is_forgotten) world_.watch.forgotten(*this, action.log, action.seqs);
  disk_.journal(
      [this, action] {
        JournalLog& log = disk_.logs[action.log];
        for (const core::SeqRange& r : action.seqs.ranges()) {
          log.payloads.erase(log.payloads.lower_bound(r.first), log.payloads.upper_bound(r.last));
        }
        if (action.is_forgotten) {
          log.held = log.held.minus(action.seqs);
          log.merged = log.merged.minus(action.seqs);
          log.trimmed = log.trimmed.minus(action.seqs);
        } else {
          log.trimmed.insert(action.seqs);
        }
      },
      [](bool) {});
}

void Node::carry_out(const engine::SaveAcks& action) {
  disk_.journal([this, action] { disk_.logs[action.log].acks[action.peer] = action.held; },
                [](bool) {});
}

void Node::carry_out(const engine::PersistFacts& action) {
  for (const core::Fact& fact : action.facts) {
    if (auto object = catalog::parse_object_key(fact.key)) {
      disk_.journal(
          [this, fact, id = engine::ObjectId{object->first, object->second}] {
            auto version = core::decode_object_version(fact.value);
            if (fact.is_removed || !version.ok()) {
              disk_.versions.erase(id);
            } else {
              disk_.versions[id] = *version;
            }
          },
          [](bool) {});
    } else if (fact.key.rfind("removed/", 0) == 0) {
      disk_.journal([this, fact] { disk_.removed_nodes.insert(core::NodeId(fact.key.substr(8))); },
                    [](bool) {});
    }
  }
}

// ── sources and the replica ─────────────────────────────────────────────────────────────────────

core::EncodedUnit Node::encode(const Game& game) const {
  core::EncodedUnit unit;
  unit.key = game.key;
  unit.config_key = core::ConfigKey("hex8_2p");
  unit.bytes = game.key + " version " + std::to_string(game.version);
  unit.hash = core::sha256(unit.bytes);
  return unit;
}

void Node::carry_out(const engine::ReadSource& action) {
  const auto takes = world_.random.between(core::milliseconds(1), core::milliseconds(10));
  world_.timeline.after(takes, [this, action, life = life_] {
    if (!is_running() || life != life_) return;
    engine::UnitsRead read;
    read.collection = action.collection;
    read.read_id = action.read_id;
    read.noticed_at = world_.timeline.now();
    std::size_t cursor = std::min(disk_.cursors[action.collection], disk_.source.size());
    while (cursor < disk_.source.size() && read.units.size() < kReadMax) {
      read.units.push_back(encode(disk_.source[cursor++]));
      read.seen_at.push_back(wall());
    }
    read.has_more = cursor < disk_.source.size();
    if (world_.bug == Bug::kReaderSkips && read.has_more) ++cursor;
    progress_[action.read_id] = cursor;
    if (world_.bug == Bug::kCursorFirst) disk_.cursors[action.collection] = cursor;
    step(read);
  });
}

void Node::carry_out(const engine::Merge& action) {
  auto write = [this, action] {
    JournalLog& log = disk_.logs[action.log];
    for (const auto& [seq, record] : log.payloads) {
      if (!action.seqs.contains(seq)) continue;
      const bool is_again = disk_.replica.merged[action.log].count(seq) > 0;
      disk_.replica.merge(action.log, record);
      if (world_.bug == Bug::kMergeTwice && (is_again || world_.random.chance(2))) {
        auto& rows = disk_.replica.units[record.unit.key];
        rows.push_back(rows.front());
      }
    }
  };
  auto done = [this, action] {
    core::SeqSet merged;
    for (const auto& [seq, record] : disk_.replica.merged[action.log]) {
      if (action.seqs.contains(seq)) merged.insert(seq, seq);
    }
    step(engine::Merged{action.log, world_.bug == Bug::kMergeNotDone ? action.seqs : merged});
    step(engine::ReplicaMeasured{action.log.collection, disk_.replica.units.size(),
                                 to_string(disk_.replica.fingerprint), 0, "", ""});
  };
  if (world_.bug == Bug::kMergeNotDone && world_.random.chance(20)) {
    later(core::Duration(0), engine::Merged{action.log, action.seqs});
    return;
  }
  disk_.merge(write, [this, action, done](bool is_written) {
    if (!is_running()) return;
    if (is_written) {
      done();
    } else {
      step(engine::MergeFailed{action.log,
                               action.seqs,
                               {core::ErrorKind::kExhausted, "no space is left on the disk", ""}});
    }
  });
}

// ── files ───────────────────────────────────────────────────────────────────────────────────────

void Node::carry_out(const engine::ScanFiles& action) {
  const auto takes = world_.random.between(core::milliseconds(2), core::milliseconds(30));
  if (world_.random.chance(30)) {  // as of a large tree: told in parts
    world_.timeline.after(takes / 2, [this, action, life = life_] {
      if (!is_running() || life != life_) return;
      engine::FilesScanned part = scan(action);
      part.is_part = true;
      part.gone.clear();
      part.changed.resize((part.changed.size() + 1) / 2);
      step(part);
    });
  }
  world_.timeline.after(takes, [this, action, life = life_] {
    if (is_running() && life == life_) step(scan(action));
  });
}

engine::FilesScanned Node::scan(const engine::ScanFiles& action) const {
  engine::FilesScanned scan;
  scan.collection = action.collection;
  scan.scan_id = action.scan_id;
  scan.scanned_at = wall();
  for (const auto& [path, file] : disk_.files) {
    auto known = disk_.versions.find({action.collection, path});
    if (known != disk_.versions.end() && known->second.root == file.root) continue;
    scan.changed.push_back({path, file.root, file.size_bytes, wall().ms, 0644});
  }
  for (const auto& [object, version] : disk_.versions) {
    const bool is_gone = !version.is_deleted && disk_.files.count(object.second) == 0;
    if (object.first == action.collection && is_gone) scan.gone.push_back(object.second);
  }
  return scan;
}

void Node::carry_out(const engine::Fetch& action) {
  const int source = world_.index_of(action.sources[world_.random.below(action.sources.size())]);
  const auto takes =
      core::from_seconds(static_cast<double>(action.object.size_bytes) / kFileBytesPerSecond) +
      world_.random.between(core::milliseconds(2), core::milliseconds(200));
  world_.timeline.after(takes, [this, action, source, life = life_] {
    if (is_running() && life == life_) finish_fetch(action, source);
  });
}

void Node::finish_fetch(const engine::Fetch& fetch, int source) {
  if (cancelled_.count(fetch.job) > 0) return;
  engine::FetchDone done;
  done.job = fetch.job;
  const Node& from = *world_.nodes[static_cast<std::size_t>(source)];
  auto theirs = from.disk().files.find(fetch.path);
  auto ours = disk_.files.find(fetch.path);
  const core::Root here = ours == disk_.files.end() ? core::Root{} : ours->second.root;
  if (!world_.network.is_linked(index_, source) || theirs == from.disk().files.end() ||
      theirs->second.root != fetch.object.root) {
    done.status = core::Error{core::ErrorKind::kUnreachable, "the holder did not deliver", ""};
  } else if (disk_.is_full) {
    done.status = core::Error{core::ErrorKind::kExhausted, "no space is left on the disk", ""};
  } else if (here != fetch.replaces) {
    done.status = core::Error{core::ErrorKind::kConflict, "the file was changed meanwhile", ""};
  } else {
    disk_.files[fetch.path] = {fetch.object.root, fetch.object.size_bytes};
    done.bytes = fetch.object.size_bytes;
    done.served_by = from.id();
  }
  step(done);
}

void Node::carry_out(const engine::CancelFetch& action) {
  cancelled_[action.job] = true;
}

void Node::carry_out(const engine::RemoveFile& action) {
  auto file = disk_.files.find(action.path);
  if (file != disk_.files.end() && file->second.root == action.expected) disk_.files.erase(file);
  later(core::milliseconds(1), engine::SourceChanged{action.collection});
}

}  // namespace syncline::simulation
