// daemon.
#include "cli/door.hpp"
#include "cli/exit_code.hpp"
#include "cli/runs.hpp"

namespace syncline::cli {

int run_daemon_command(Context& context, const Arguments& arguments) {
  const auto path = find_config(context, arguments);
  return path ? context.run_daemon(*path) : static_cast<int>(kUsage);
}

}  // namespace syncline::cli
