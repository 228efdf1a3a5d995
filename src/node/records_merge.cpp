// Records and replicas: merging, sending what the journal has given up, re-reading for proof.
#include "node/log.hpp"
#include "node/records_state.hpp"

namespace syncline::node {

using core::CollectionName;
using core::SeqSet;

namespace {
constexpr std::size_t kSendBytesMax = 4u << 20;
constexpr std::size_t kAnnouncedMax = 10'000;      // files that rows name, looked up for status
constexpr std::size_t kMergeBytesMax = 16u << 20;  // of the journal in memory at once, per batch
}  // namespace

core::Status Lane::open_replica() {
  if (replica) return {};
  SYNCLINE_ASSIGN(replica, live::Replica::open(config));
  return {};
}

// The replica is the truth of what was merged: it may be ahead of the journal's note, or have been
// removed by somebody. Journalled records are merged again; those that were trimmed are not held
// any more, and are fetched from whoever has them.
core::Status RecordsShell::State::compare_with_replica(const Lane& lane,
                                                       engine::Recovered& recovered) {
  const auto in_replica = lane.replica->merged_all();
  for (auto& [log, one] : recovered.logs) {
    if (log.collection != lane.config.name) continue;
    auto it = in_replica.find(log);
    one.merged = it == in_replica.end() ? SeqSet() : it->second.intersect(one.held);
    const SeqSet lost = one.trimmed.minus(one.merged);
    if (lost.empty()) continue;
    SYNCLINE_TRY(store->forget(log, lost));
    one.held = one.held.minus(lost);
    one.trimmed = one.trimmed.minus(lost);
  }
  return {};
}

void RecordsShell::carry_out(const engine::Merge& action) {
  State& s = *state_;
  Lane* lane = s.lane(action.log.collection);
  if (lane == nullptr || !lane->replica_thread) {
    s.ports.post(
        engine::MergeFailed{action.log,
                            action.seqs,
                            {core::ErrorKind::kMissing, "the collection has no replica here", ""}});
    return;
  }
  s.journal.post([&s, lane, action] {
    std::vector<core::RecordBatchPtr> batches;
    SeqSet left = action.seqs;
    while (!left.empty()) {
      auto batch = s.read_journal(action.log, left, kMergeBytesMax);
      if (!batch.ok() || batch->records.empty()) break;
      left = left.minus(seqs_of(*batch));
      batches.push_back(std::make_shared<core::RecordBatch>(std::move(batch).value()));
    }
    lane->replica_thread->post(
        [&s, lane, action, batches = std::move(batches)] { s.merge(*lane, action, batches); });
  });
}

namespace {
std::set<std::string> announced_in(const Lane& lane) {
  const core::AnnounceConfig& announces = lane.config.announces;
  if (announces.table.empty()) return {};
  auto names = lane.replica->texts(announces.table, announces.column, kAnnouncedMax);
  if (names.ok()) return *std::move(names);
  log_warning(core::to_string(names.error()));
  return {};
}
}  // namespace

engine::ReplicaMeasured RecordsShell::State::measured(const Lane& lane) {
  live::DerivedReport derived = lane.replica->derived();
  return {lane.config.name,
          lane.replica->units(),
          to_string(lane.replica->fingerprint()),
          lane.replica->aside_count(),
          std::move(derived.text),
          std::move(derived.problem),
          announced_in(lane)};
}

void RecordsShell::State::merge(Lane& lane, const engine::Merge& action,
                                const std::vector<core::RecordBatchPtr>& batches) {
  if (const core::Status opened = lane.open_replica(); !opened.ok()) {
    ports.post(engine::MergeFailed{action.log, action.seqs, opened.error()});
    return;
  }
  SeqSet done;
  for (const auto& batch : batches) done.insert(seqs_of(*batch));
  const auto report = lane.replica->merge(batches);
  if (!report.ok()) {
    ports.post(engine::MergeFailed{action.log, action.seqs, report.error()});
    return;
  }
  for (const std::string& problem : report->problems) log_warning(problem);
  journal.post([this, action, done] {
    const std::lock_guard lock(store_mutex);
    const core::Status noted = store->mark_merged(action.log, done);
    (void)noted;  // the replica itself knows; the note only spares work at the next start
  });
  ports.post(engine::Merged{action.log, done});
  const SeqSet left = action.seqs.minus(done);
  if (!left.empty()) {
    ports.post(engine::MergeFailed{
        action.log,
        left,
        {core::ErrorKind::kMissing, "the journal could not be read for merging", ""}});
  }
  ports.post(measured(lane));
}

void RecordsShell::State::give_up(const engine::SendRecords& action, const SeqSet& lost,
                                  std::string why) {
  {
    const std::lock_guard lock(store_mutex);
    const core::Status forgotten = store->forget(action.log, lost);
    if (!forgotten.ok()) log_error(core::to_string(forgotten.error()));
  }
  ports.post(engine::RecordsUnavailable{action.peer, action.log, lost, std::move(why)});
}

void RecordsShell::verify(const CollectionName& collection) {
  State& s = *state_;
  Lane* lane = s.lane(collection);
  if (lane == nullptr || !lane->replica_thread) {
    s.ports.post(engine::VerifyDone{collection, 0, {}});
    return;
  }
  lane->replica_thread->post([&s, lane, collection] {
    engine::VerifyDone done{collection, 0, {}};
    if (const core::Status opened = lane->open_replica(); !opened.ok()) {
      done.damaged.push_back(core::to_string(opened.error()));
      s.ports.post(std::move(done));
      return;
    }
    auto scrub = lane->replica->scrub(std::size_t(-1));
    if (scrub.ok()) {
      done.checked = scrub->checked;
      done.damaged = scrub->damaged;
    } else {
      done.damaged.push_back(core::to_string(scrub.error()));
    }
    s.ports.post(std::move(done));
  });
}

void RecordsShell::State::send_from_replica(Lane& lane, const engine::SendRecords& action,
                                            const SeqSet& wanted) {
  SeqSet left = wanted;
  std::uint64_t bytes = 0;
  if (!lane.open_replica().ok()) return;  // told by the next merge; the peer asks again
  while (!left.empty()) {
    auto batch = lane.replica->read(action.log, left, kSendBytesMax);
    if (!batch.ok()) return;  // unreadable now is not gone: the peer asks again
    if (batch->records.empty()) break;
    left = left.minus(seqs_of(*batch));
    for (const core::Record& record : batch->records) bytes += record.unit.bytes.size();
    auto shared = std::make_shared<core::RecordBatch>(std::move(batch).value());
    if (!ports.send(action.peer, core::AppendRecords{std::move(shared)})) return;
  }
  if (bytes > 0) ports.post(engine::RecordsSent{action.peer, action.log, bytes});
  if (!left.empty()) give_up(action, left, "neither journal nor replica has them");
}

}  // namespace syncline::node
