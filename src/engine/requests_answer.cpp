// What a sync answers: only what was verified counts as success.
#include "engine/requests.hpp"

namespace syncline::engine {

using core::NodeId;

facade::SyncResponse Requests::answer_part(const Sync& sync, const Part& part,
                                           core::Instant now) const {
  facade::SyncResponse response;
  response.backend_used = part.route.backend;
  response.route = part.route;
  response.duration_s = core::to_seconds(now - sync.started_at);
  response.bytes_transferred = part.bytes;
  const bool is_dry_run = sync.request.sync.is_dry_run;
  response.success = !part.targets.empty() || is_dry_run;
  if (!is_dry_run && !part.has_goal) {
    response.success = false;
    response.errors.push_back("the sources of " + part.collection->name.text +
                              " were not read in time; see `syncline status`");
  }
  for (const facade::RouteVerdict& verdict : part.route.verdicts) {
    facade::NodeSyncResult result{verdict.node, facade::NodeOutcome::kNotEligible, verdict.reason,
                                  0};
    if (verdict.is_chosen && !is_dry_run) {
      const NodeId node(verdict.node);
      auto missing = part.missing.find(node);
      result.missing = missing == part.missing.end() ? 0 : missing->second;
      if (part.has_goal && result.missing == 0) {
        result.outcome = facade::NodeOutcome::kVerified;
        response.nodes_synced.push_back(verdict.node);
        auto bytes = part.missing_bytes_at_start.find(node);
        if (bytes != part.missing_bytes_at_start.end()) response.bytes_transferred += bytes->second;
      } else {
        result.outcome = facade::NodeOutcome::kPending;
        result.reason = node == self_ || peers_.is_linked(node)
                            ? std::to_string(result.missing) + " still missing there"
                            : "not reachable from here; " + std::to_string(result.missing) +
                                  " still missing there";
        response.success = false;
        response.errors.push_back(verdict.node + ": " + result.reason);
      }
    } else if (verdict.is_chosen) {
      result.outcome = facade::NodeOutcome::kPending;
    }
    response.nodes.push_back(std::move(result));
  }
  // A target that was named and cannot be served is a failure, not a detail.
  for (const std::string& named : sync.request.sync.targets) {
    for (const facade::RouteVerdict& verdict : part.route.verdicts) {
      if (verdict.node != named || verdict.is_chosen) continue;
      response.success = false;
      response.errors.push_back(named + ": " + verdict.reason);
    }
  }
  if (part.targets.empty() && !is_dry_run) {
    response.errors.push_back("no node is eligible for " + part.collection->name.text +
                              "; `syncline route " + part.collection->name.text +
                              " --explain` says why");
  }
  std::uint64_t records = 0;
  for (const auto& [log, goal] : part.records_goal) records += goal.count();
  response.details["collection"] = part.collection->name.text;
  response.details["goal"] = part.collection->kind == core::Kind::kSqlite
                                 ? std::to_string(records) + " records"
                                 : std::to_string(part.objects_goal.size()) + " objects";
  return response;
}

void Requests::answer(const Sync& sync, core::Instant now, Actions& out) {
  std::vector<facade::SyncResponse> parts;
  for (const Part& part : sync.parts) parts.push_back(answer_part(sync, part, now));
  for (const facade::SyncResponse& part : parts) {
    if (!sync.request.sync.is_dry_run) {
      door_.count(part.backend_used, part.bytes_transferred, part.success, now - sync.started_at);
    }
  }
  if (sync.request.sync.data_type != "all") {
    out.push_back(AnswerSync{sync.request.request,
                             parts.empty() ? facade::SyncResponse{} : std::move(parts.front())});
    return;
  }
  facade::SyncResponse whole;
  whole.success = !parts.empty();
  whole.backend_used = "all";
  whole.duration_s = core::to_seconds(now - sync.started_at);
  std::set<std::string> nodes;
  for (const facade::SyncResponse& part : parts) {
    whole.success = whole.success && part.success;
    whole.bytes_transferred += part.bytes_transferred;
    nodes.insert(part.nodes_synced.begin(), part.nodes_synced.end());
    for (const std::string& error : part.errors) {
      whole.errors.push_back(part.details.at("collection") + ": " + error);
    }
  }
  whole.nodes_synced.assign(nodes.begin(), nodes.end());
  whole.parts = std::move(parts);
  out.push_back(AnswerSync{sync.request.request, std::move(whole)});
}

}  // namespace syncline::engine
