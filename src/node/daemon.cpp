#include "node/daemon.hpp"

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
  set_process_limits();
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
  Node node(std::move(config).value(), std::move(identity).value());
  if (const core::Status started = node.start(); !started.ok()) {
    return complain(started.error(), kExitFailed);
  }
  return node.run() ? kExitDone : kExitNotDurable;
}

}  // namespace syncline::node
