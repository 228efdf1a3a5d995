#include "engine/reports.hpp"

#include "engine/announced.hpp"

#include <algorithm>

#include "core/sha256.hpp"

namespace syncline::engine {

using core::CollectionName;
using core::NodeId;

namespace {

std::string plural(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string seconds_text(double seconds) {
  if (seconds < 120) return std::to_string(static_cast<int>(seconds)) + " s";
  if (seconds < 7200) return std::to_string(static_cast<int>(seconds / 60)) + " min";
  return std::to_string(static_cast<int>(seconds / 3600)) + " h";
}

// Why records of this node are not durable yet, in one sentence.
std::string why_pending(const Engine& engine, const replication::WriterLog& writer) {
  const int acks = engine.config().durability.acks;
  const auto& receivers = writer.receivers();
  std::set<NodeId> linked;
  for (const NodeId& node : receivers) {
    if (engine.peers().is_linked(node)) linked.insert(node);
  }
  const int domains = engine.view().count_domains(linked, engine.config().node.id);
  if (domains < acks) {
    return "needs " + plural(static_cast<std::uint64_t>(acks), "other failure domain") +
           " and sees " + std::to_string(domains) +
           "; start or invite another node, or see "
           "`syncline nodes`";
  }
  std::string names;
  for (const NodeId& node : linked) names += (names.empty() ? "" : ", ") + node.text;
  return "on its way to " + names;
}

void add_records(const Engine& engine, const core::CollectionConfig& collection, core::Instant now,
                 facade::CollectionStatus& status) {
  const NodeId& self = engine.config().node.id;
  const int acks = engine.config().durability.acks;
  std::set<core::LogId> logs;
  for (const auto& [log, holders] : engine.view().logs()) {
    if (log.collection == collection.name) logs.insert(log);
  }
  for (const auto& [log, holding] : engine.records().holdings().all()) {
    if (log.collection == collection.name && !holding.held.empty()) logs.insert(log);
  }
  std::map<std::string, facade::OriginLag> origins;
  for (const core::LogId& log : logs) {
    core::SeqSet known = engine.view().known(log);
    const core::SeqSet& held = engine.records().holdings().held(log);
    known.insert(held);
    status.known += known.count();
    auto writer = engine.records().own_logs().find(log);
    if (writer != engine.records().own_logs().end()) {
      const replication::WriterLog& own = writer->second;
      status.durable += own.durable().count();
      status.pending += own.pending_count() + own.lapsed().count();
      status.pending_bytes += own.pending_bytes();
      if (const auto* oldest = own.oldest_pending()) {
        const double age = core::to_seconds(now - oldest->local_at);
        if (age >= status.oldest_pending_age_s) status.why = why_pending(engine, own);
        status.oldest_pending_age_s = std::max(status.oldest_pending_age_s, age);
      } else if (!own.lapsed().empty() && status.why.empty()) {
        status.why = "nodes that had copies are gone: " + why_pending(engine, own);
      }
    } else {
      status.durable += engine.view().count_durable(log, acks);
    }
    facade::OriginLag& lag = origins[log.origin.text];
    lag.origin = log.origin.text;
    lag.known += known.count();
    lag.held += held.count();
    auto link = engine.peers().all().find(log.origin);
    if (link != engine.peers().all().end() && link->second.heard_at && log.origin != self) {
      lag.age_s = core::to_seconds(now - *link->second.heard_at);
    }
  }
  for (auto& [name, lag] : origins) status.origins.push_back(std::move(lag));
  for (const auto& [log, problem] : engine.records().merge_problems()) {
    if (log.collection == collection.name) status.problems.push_back(problem);
  }
}

void add_objects(const Engine& engine, const core::CollectionConfig& collection,
                 facade::CollectionStatus& status) {
  const NodeId& self = engine.config().node.id;
  const int acks = engine.config().durability.acks;
  for (const auto& [object, holders] : engine.view().objects()) {
    if (object.first != collection.name) continue;
    const core::ObjectVersion* winner = engine.view().winner(object);
    if (winner == nullptr || winner->is_deleted) continue;
    ++status.known;
    if (engine.view().is_durable(object, acks)) {
      ++status.durable;
      continue;
    }
    auto own = holders.find(self);
    if (own == holders.end() || own->second.root != winner->root) continue;
    ++status.pending;
    status.pending_bytes += winner->size_bytes;
    if (status.why.empty()) {
      status.why = object.second + " is held by " + plural(holders.size(), "node") + ", " +
                   std::to_string(acks) + " beside its origin are needed";
    }
  }
  const std::size_t waiting = engine.objects().waiting(collection.name);
  if (waiting > 0 && status.why.empty()) status.why = engine.objects().why_waiting(collection.name);
}

facade::CollectionStatus collection_of(const Engine& engine,
                                       const core::CollectionConfig& collection,
                                       core::Instant now) {
  facade::CollectionStatus status;
  status.name = collection.name.text;
  status.kind = core::to_string(collection.kind);
  status.freshness_target_s = static_cast<double>(collection.freshness_target_s);
  if (collection.kind == core::Kind::kSqlite) {
    add_records(engine, collection, now, status);
  } else {
    add_objects(engine, collection, status);
    status.oldest_pending_age_s = engine.oldest_object_age_s(collection.name, now);
  }
  const CollectionState& state = engine.collections().at(collection.name);
  status.open_units = state.open_units;
  status.replica_units = state.replica_units;
  status.fingerprint = state.fingerprint;
  if (state.proved_at) status.last_proof_age_s = core::to_seconds(now - *state.proved_at);
  status.problems.insert(status.problems.end(), state.problems.begin(), state.problems.end());
  for (const std::string& damaged : state.damaged) {
    status.problems.push_back("damaged here: " + damaged);
  }
  if (state.aside > 0) {
    status.problems.push_back(plural(state.aside, "record") +
                              " cannot be merged into the replica here; `syncline dead-letter "
                              "list` has the reasons");
  }
  status.derived = state.derived;
  status.announced = announced_text(engine, collection);
  if (!state.derive_problem.empty()) {
    status.problems.push_back("derived tables are not up to date: " + state.derive_problem);
  }
  if (state.blocked_since) {
    const double age = core::to_seconds(now - *state.blocked_since);
    status.oldest_pending_age_s = std::max(status.oldest_pending_age_s, age);
  }
  double lag_s = 0;
  if (const auto since = engine.records().incomplete_since(collection.name)) {
    lag_s = core::to_seconds(now - *since);
  }
  const double behind_s = std::max(status.oldest_pending_age_s, lag_s);
  status.is_over_target = behind_s > status.freshness_target_s;
  if (status.is_over_target && status.why.empty()) {
    status.why = lag_s >= status.oldest_pending_age_s
                     ? "has lacked records that others hold for " + seconds_text(lag_s)
                     : "behind for " + seconds_text(behind_s);
  }
  return status;
}

}  // namespace

facade::StatusReport status_of(const Engine& engine, core::Instant now) {
  facade::StatusReport report;
  report.node = engine.config().node.id.text;
  report.fleet = engine.config().fleet;
  report.state = engine.is_draining() ? "draining" : "running";
  report.acks = engine.config().durability.acks;
  report.journal_bytes = engine.disk().journal_bytes;
  report.journal_max_bytes =
      static_cast<std::uint64_t>(engine.config().durability.journal_max_bytes);
  if (engine.disk().total_bytes > 0) {
    report.disk_used_percent = 100.0 - 100.0 * static_cast<double>(engine.disk().free_bytes) /
                                           static_cast<double>(engine.disk().total_bytes);
  }
  report.is_intake_open = engine.records().intake().is_open;
  report.intake_closed_why = engine.records().intake().why;
  report.is_safe = report.is_intake_open || engine.is_draining();
  for (const auto& collection : engine.config().collections) {
    report.collections.push_back(collection_of(engine, collection, now));
    const facade::CollectionStatus& status = report.collections.back();
    if (status.is_over_target || !status.problems.empty()) report.is_safe = false;
  }
  if (!report.is_intake_open) {
    report.problems.push_back("intake is closed: " + report.intake_closed_why);
  }
  for (const auto& collection : engine.config().collections) {
    const strategy::Wanted& wanted = engine.placement().wanted(collection.name);
    if (wanted.copies < collection.copies && !wanted.why.empty()) {
      report.problems.push_back(collection.name.text + ": " + wanted.why);
    }
  }
  if (engine.key_ring().is_rotating() && !engine.key_ring().missing().empty()) {
    report.problems.push_back("the fleet's new key waits for " +
                              plural(engine.key_ring().missing().size(), "node") + ", such as " +
                              engine.key_ring().missing().begin()->text +
                              ": the older one is in use until they have it");
  }
  for (const core::CollectionName& name : engine.objects().paused()) {
    report.problems.push_back((name.empty() ? "transfers of files are" : name.text + " is") +
                              std::string(" paused by a person; `syncline resume") +
                              (name.empty() ? "" : " " + name.text) + "` lets it go on");
  }
  const coordination::Leadership& leadership = engine.leadership();
  report.leader = leadership.leader.empty()
                      ? "nobody leads: " + leadership.why + "; broadcasts pause, all else goes on"
                      : leadership.leader.text + " leads (epoch " +
                            std::to_string(leadership.epoch) + ", " + leadership.why + ")";
  report.peers = peers_of(engine, now);
  return report;
}

std::vector<facade::PeerStatus> peers_of(const Engine& engine, core::Instant now) {
  std::map<NodeId, facade::PeerStatus> rows;
  const NodeId& self = engine.config().node.id;
  for (const auto& [id, about] : engine.view().nodes()) {
    facade::PeerStatus& row = rows[id];
    row.roles = about.roles;
    row.provider = about.provider;
    row.domain = about.host;
    if (about.storage != "local:" + about.host) row.domain += " on " + about.storage;
    row.is_ephemeral = about.is_ephemeral;
    row.address = about.advertise;
    if (about.total_bytes > 0) {
      row.disk_free_bytes = about.free_bytes;
      row.disk_used_percent = 100.0 - 100.0 * static_cast<double>(about.free_bytes) /
                                          static_cast<double>(about.total_bytes);
    }
  }
  for (const auto& [id, link] : engine.peers().all()) {
    facade::PeerStatus& row = rows[id];
    if (!link.address.empty()) row.address = link.address;
    row.state = link.is_up ? "connected" : link.has_left ? "left" : "unreachable";
    const membership::Member* member = engine.membership().members().find(id);
    // Alive by hearsay and yet without a link is what a person must know: it stays "unreachable".
    if (!link.is_up && member != nullptr && member->standing.state != core::MemberState::kAlive) {
      row.state = to_string(member->standing.state);
    }
    row.open_circuits = engine.objects().ways().open_circuits(id, now);
    if (link.heard_at) row.last_heard_age_s = core::to_seconds(now - *link.heard_at);
  }
  std::vector<facade::PeerStatus> out;
  for (auto& [id, row] : rows) {
    row.id = id.text;
    if (id == self) row.state = "this node";
    if (row.state.empty()) row.state = "unreachable";
    out.push_back(std::move(row));
  }
  return out;
}

std::vector<facade::FreshnessRow> freshness_of(const Engine& engine, core::Instant now) {
  std::vector<facade::FreshnessRow> rows;
  for (const auto& collection : engine.config().collections) {
    const facade::CollectionStatus status = collection_of(engine, collection, now);
    const CollectionState& state = engine.collections().at(collection.name);
    facade::FreshnessRow row;
    row.collection = status.name;
    row.age_s = status.oldest_pending_age_s;
    row.target_s = status.freshness_target_s;
    row.next_run_s = std::max(0.0, core::to_seconds(state.next_poll - now));
    row.waiting_for = status.why;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<facade::TransferRow> transfers_of(const Engine& engine, core::Instant now) {
  std::vector<facade::TransferRow> rows;
  for (const auto& [job, fetch] : engine.objects().fetches()) {
    facade::TransferRow row;
    row.id = std::to_string(job);
    row.collection = fetch.object.first.text;
    row.object = fetch.object.second;
    for (const NodeId& node : fetch.sources) {
      row.source += (row.source.empty() ? "" : ",") + node.text;
    }
    row.target = engine.config().node.id.text;
    row.transport = transfer::to_string(fetch.escalation->attempt()->transport);
    row.state = fetch.is_waiting ? "queued" : "running";
    row.detail = fetch.escalation->say(now);
    row.bytes_total = fetch.version.size_bytes;
    row.bytes_done = fetch.bytes_done;
    const double age = core::to_seconds(now - fetch.started_at);
    if (age > 0) row.rate_bytes_per_s = static_cast<double>(fetch.bytes_done) / age;
    rows.push_back(std::move(row));
  }
  return rows;
}

namespace {
// What a node says it holds of a files collection, as one hash: path and content root of each.
std::string fingerprint_of_files(const Engine& engine, const CollectionName& collection,
                                 const NodeId& node) {
  std::string all;
  for (const auto& [object, holders] : engine.view().objects()) {
    if (object.first != collection) continue;
    auto held = holders.find(node);
    if (held == holders.end() || held->second.is_deleted) continue;
    all += object.second + '\0';
    all += core::to_hex(held->second.root) + '\n';
  }
  return core::to_hex(core::sha256(all));
}
}  // namespace

facade::VerifyReport verify_of(const Engine& engine, const core::CollectionConfig& collection) {
  facade::VerifyReport report;
  const NodeId& self = engine.config().node.id;
  const CollectionState& state = engine.collections().at(collection.name);
  report.collection = collection.name.text;
  report.fingerprint = state.fingerprint;
  report.damaged = state.damaged;
  report.checked = state.checked;
  const bool is_files = collection.kind == core::Kind::kFiles;
  if (is_files) report.fingerprint = fingerprint_of_files(engine, collection.name, self);
  for (const NodeId& node : engine.placement().wanted_by(collection.name)) {
    if (is_files && engine.view().find(node) != nullptr) {
      report.fingerprint_by_node[node.text] = fingerprint_of_files(engine, collection.name, node);
    } else if (const std::string* print = engine.view().fingerprint(node, collection.name)) {
      report.fingerprint_by_node[node.text] = *print;
    }
    std::uint64_t lacking = 0;
    for (const auto& [log, holders] : engine.view().logs()) {
      if (log.collection != collection.name) continue;
      const core::SeqSet known = engine.view().known(log);
      auto held = holders.find(node);
      lacking += held == holders.end() ? known.count() : known.minus(held->second).count();
    }
    if (lacking > 0) {
      report.differences.push_back({node.text, plural(lacking, "record") + " missing"});
    }
    for (const auto& [object, holders] : engine.view().objects()) {
      if (object.first != collection.name) continue;
      const core::ObjectVersion* winner = engine.view().winner(object);
      if (winner == nullptr || winner->is_deleted) continue;
      auto held = holders.find(node);
      if (held == holders.end()) {
        report.differences.push_back({node.text, object.second + " is missing"});
      } else if (held->second.root != winner->root) {
        report.differences.push_back({node.text, object.second + " is an older version"});
      }
    }
  }
  // Equal records and another fingerprint: a replica that was changed by somebody else's hand.
  for (const auto& [node, print] : report.fingerprint_by_node) {
    const bool lacks = std::any_of(report.differences.begin(), report.differences.end(),
                                   [&](const auto& d) { return d.node == node; });
    if (!is_files && node != self.text && !lacks && !report.fingerprint.empty() &&
        print != report.fingerprint) {
      report.differences.push_back({node, "its replica has other units than this node's"});
    }
  }
  return report;
}

}  // namespace syncline::engine
