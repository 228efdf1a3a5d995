#include "node/daemon.hpp"

#include <algorithm>
#include <string>

#include "engine/line.hpp"
#include "env/config_file.hpp"
#include "identity/fleet.hpp"
#include "node/log.hpp"
#include "node/node.hpp"
#include "node/process_limits.hpp"

namespace syncline::node {

namespace {

constexpr int kExitDone = 0;
constexpr int kExitFailed = 1;
constexpr int kExitNotDurable = 4;

// Each small file that is being fetched is open; the other half is for all else.
void keep_within(std::uint64_t open_files_max, core::Config& config) {
  const int most = static_cast<int>(std::max<std::uint64_t>(open_files_max / 2, 1));
  if (config.transport.small_jobs_max <= most) return;
  config.transport.small_jobs_max = most;
  log_warning("this process may have " + std::to_string(open_files_max) + " files open: at most " +
              std::to_string(most) +
              " small files are fetched at once; raise its limit (ulimit -Hn, LimitNOFILE)");
}

int complain(const core::Error& error, int code) {
  log_error(core::to_string(error));
  return code;
}

}  // namespace

core::Status check(const core::Config& config) {
  SYNCLINE_TRY(engine::schedules_of(config));
  return {};
}

int run_daemon(const std::string& config_path) {
  const std::uint64_t open_files_max = set_process_limits();
  start_log();
  auto config = env::load_config(config_path);
  if (!config.ok()) return complain(config.error(), kExitFailed);
  auto identity = identity::load_identity(config->node.state_dir);
  if (!identity.ok()) return complain(identity.error(), kExitFailed);
  if (identity->node != config->node.id) {
    return complain({core::ErrorKind::kInvalid,
                     "node.id is " + config->node.id.text + ", but the certificate in " +
                         config->node.state_dir + " is of " + identity->node.text +
                         ": correct node.id, or join again with a new state_dir",
                     config_path},
                    kExitFailed);
  }
  keep_within(open_files_max, *config);
  Node node(std::move(config).value(), std::move(identity).value());
  if (const core::Status started = node.start(); !started.ok()) {
    return complain(started.error(), kExitFailed);
  }
  return node.run() ? kExitDone : kExitNotDurable;
}

}  // namespace syncline::node
