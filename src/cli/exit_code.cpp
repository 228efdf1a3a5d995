#include "cli/exit_code.hpp"

#include <algorithm>

namespace syncline::cli {
namespace {

bool has_outcome(const SyncResponse& response, const std::string& outcome) {
  return std::any_of(response.nodes.begin(), response.nodes.end(),
                     [&](const NodeSyncResult& node) { return node.outcome == outcome; });
}

int exit_code_of_one(const SyncResponse& response) {
  if (response.success) return kDone;
  if (has_outcome(response, "verified")) return kPartlyDone;
  const bool is_only_late = has_outcome(response, "pending") && !has_outcome(response, "failed");
  return is_only_late ? kNotDurable : kFailed;
}

// All the same: that. Some done: partly. Else the code that asks for more attention: failed.
int exit_code_of_parts(const std::vector<SyncResponse>& parts) {
  std::vector<int> codes;
  for (const SyncResponse& part : parts) codes.push_back(exit_code_of_one(part));
  const bool is_uniform = std::equal(codes.begin() + 1, codes.end(), codes.begin());
  if (is_uniform) return codes.front();
  const bool is_any_done = std::any_of(
      codes.begin(), codes.end(), [](int code) { return code == kDone || code == kPartlyDone; });
  return is_any_done ? kPartlyDone : kFailed;
}

}  // namespace

int exit_code_of(const Error& error) {
  if (!error.is_from_daemon) {
    const bool is_no_answer =
        error.kind == ErrorKind::kUnreachable || error.kind == ErrorKind::kDenied;
    return is_no_answer ? kNoDaemon : kFailed;
  }
  const bool is_our_mistake =
      error.kind == ErrorKind::kInvalid || error.kind == ErrorKind::kMissing;
  return is_our_mistake ? kUsage : kFailed;
}

int exit_code_of(const SyncResponse& response, bool is_dry_run) {
  if (!is_dry_run) {
    return response.parts.empty() || response.success ? exit_code_of_one(response)
                                                      : exit_code_of_parts(response.parts);
  }
  if (response.parts.empty()) return exit_code_of(response.route);
  const auto is_possible = [](const SyncResponse& part) {
    return exit_code_of(part.route) == kDone;
  };
  const auto possible = std::count_if(response.parts.begin(), response.parts.end(), is_possible);
  if (possible == 0) return kFailed;
  return possible == static_cast<long>(response.parts.size()) ? kDone : kPartlyDone;
}

int exit_code_of(const StatusReport& status) {
  const bool is_over = std::any_of(status.collections.begin(), status.collections.end(),
                                   [](const CollectionStatus& c) { return c.is_over_target; });
  return status.is_safe && !is_over ? kDone : kFailed;
}

int exit_code_of(const RouteReport& route) {
  return std::any_of(route.verdicts.begin(), route.verdicts.end(),
                     [](const RouteVerdict& verdict) { return verdict.is_chosen; })
             ? kDone
             : kFailed;
}

int exit_code_of(const FlushReport& flush) {
  return flush.is_durable ? kDone : kNotDurable;
}

int exit_code_of(const VerifyReport& report) {
  return report.differences.empty() && report.damaged.empty() ? kDone : kFailed;
}

}  // namespace syncline::cli
