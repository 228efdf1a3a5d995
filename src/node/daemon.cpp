#include "node/daemon.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>

#include "engine/line.hpp"
#include "env/config_file.hpp"
#include "identity/fleet.hpp"
#include "node/log.hpp"
#include "node/node.hpp"

namespace syncline::node {

namespace {

constexpr int kExitDone = 0;
constexpr int kExitFailed = 1;
constexpr int kExitNotDurable = 4;

// Frames of 256 KiB come and go all the time. By itself glibc gives the memory of each back to the
// kernel and has it filled with zeros for the next: a third of the time of a large transfer.
constexpr int kKeptBytes = 64 << 20;        // free memory beyond this is given back
constexpr int kOwnMappingBytes = 32 << 20;  // what is larger is mapped for itself; the highest
constexpr int kGrownAtOnceBytes = 1 << 20;

void keep_memory_of_frames() {
  mallopt(M_MMAP_THRESHOLD, kOwnMappingBytes);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  mallopt(M_TOP_PAD, kGrownAtOnceBytes);
}

// Programs that we start may look at each number below the limit: not more than is of use.
constexpr rlim_t kOpenFilesMax = 64 * 1024;

// Each file that is being fetched is open. The usual soft limit, 1024, is for programs that call
// select(2).
void raise_limit_of_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kOpenFilesMax));
  ::setrlimit(RLIMIT_NOFILE, &limit);
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
  keep_memory_of_frames();
  raise_limit_of_files();
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
