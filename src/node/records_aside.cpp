// Dead letters: what the replicas could not merge, for people who ask.
#include <future>

#include "node/records_state.hpp"

namespace syncline::node {

using core::Error;
using core::ErrorKind;

namespace {

constexpr std::size_t kListMax = 10'000;  // rows of one answer

// Runs on the replica's thread, with the replica open; waits for it.
template <typename T, typename Work>
core::Result<T> on_replica(Lane& lane, Work work) {
  auto done = std::make_shared<std::promise<core::Result<T>>>();
  auto answer = done->get_future();
  const bool is_posted = lane.replica_thread->post([&lane, done, work] {
    const core::Status opened = lane.open_replica();
    done->set_value(opened.ok() ? work(*lane.replica) : core::Result<T>(opened.error()));
  });
  if (!is_posted) return Error{ErrorKind::kCancelled, "this node stops", lane.config.name.text};
  return answer.get();
}

std::string id_of(const live::AsideRecord& record) {
  return record.log.origin.text + "/" + std::to_string(record.log.epoch.value) + "/" +
         std::to_string(record.seq.value);
}

}  // namespace

core::Result<std::vector<facade::DeadLetterRow>> RecordsShell::dead_letters() {
  std::vector<facade::DeadLetterRow> rows;
  for (auto& [name, lane] : state_->lanes) {
    if (!lane->replica_thread) continue;
    using Records = std::vector<live::AsideRecord>;
    SYNCLINE_ASSIGN(const Records records, on_replica<Records>(*lane, [](live::Replica& replica) {
                      return replica.aside(kListMax);
                    }));
    for (const live::AsideRecord& record : records) {
      rows.push_back({id_of(record), name.text, record.key, record.reason, record.bytes});
    }
  }
  return rows;
}

core::Result<RecordsShell::Handled> RecordsShell::handle_dead_letters(
    bool is_retry, const core::CollectionName& collection,
    const std::set<std::pair<core::LogId, core::Seq>>& only) {
  Handled handled;
  for (auto& [name, lane] : state_->lanes) {
    if (!lane->replica_thread || (!collection.text.empty() && name != collection)) continue;
    std::set<live::RecordId> here;
    for (const auto& [log, seq] : only) here.insert({{name, log.origin, log.epoch}, seq});
    State* const state = state_.get();
    Lane* const one = lane.get();
    SYNCLINE_ASSIGN(
        const Handled part,
        on_replica<Handled>(*lane, [=](live::Replica& replica) -> core::Result<Handled> {
          Handled done;
          if (is_retry) {
            SYNCLINE_ASSIGN(const live::MergeReport report, replica.retry_aside(here));
            done.changed = report.merged;
          } else {
            SYNCLINE_ASSIGN(done.changed, replica.drop_aside(here));
          }
          done.left = replica.aside_count();
          state->ports.post(State::measured(*one));
          return done;
        }));
    handled.changed += part.changed;
    handled.left += part.left;
  }
  return handled;
}

}  // namespace syncline::node
