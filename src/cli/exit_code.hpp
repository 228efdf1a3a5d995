// The exit codes of every command: a contract with scripts.
#pragma once

#include "syncline/result.hpp"
#include "syncline/values.hpp"

namespace syncline::cli {

enum ExitCode : int {
  kDone = 0,  // done and verified
  kFailed = 1,
  kUsage = 2,
  kPartlyDone = 3,
  kNotDurable = 4,  // by the deadline
  kNoDaemon = 5,    // not reachable
};

int exit_code_of(const Error& error);
// 0 verified everywhere · 3 verified at some · 4 nothing failed, but time ran out · 1 else.
// For a dry run: 0 if there is a node to go to.
int exit_code_of(const SyncResponse& response, bool is_dry_run);
int exit_code_of(const StatusReport& status);  // 1 when not safe or over a target
int exit_code_of(const RouteReport& route);    // 1 when no node is chosen
int exit_code_of(const FlushReport& flush);    // 4 when not durable
int exit_code_of(const VerifyReport& report);  // 1 when anything differs or is damaged

}  // namespace syncline::cli
