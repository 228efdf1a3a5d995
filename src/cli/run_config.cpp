// config check.
#include <ostream>

#include "cli/door.hpp"
#include "cli/exit_code.hpp"
#include "cli/runs.hpp"
#include "core/config.hpp"
#include "core/text.hpp"
#include "env/config_file.hpp"

namespace syncline::cli {
namespace {

std::string summary_of(const core::Config& config) {
  std::vector<std::string> names;
  for (const auto& collection : config.collections) names.push_back(collection.name.text);
  return "node " + config.node.id.text + ", " +
         (names.empty() ? "no collections" : "collections " + core::say_list(names)) +
         ", durable at " +
         core::say_count(static_cast<std::uint64_t>(config.durability.acks), "ack");
}

}  // namespace

int run_config_check(Context& context, const Arguments& arguments) {
  Arguments where = arguments;
  if (arguments.has("FILE")) where.set("--config", arguments.list("FILE"));
  const auto path = find_config(context, where);
  if (!path) return kUsage;
  const auto config = env::load_config(*path);
  if (!config.ok()) {
    complain(context, config.error().what, config.error().subject);
    return kFailed;
  }
  const core::Status checked =
      context.check_config ? context.check_config(*config) : core::Status();
  if (!checked.ok()) {
    complain(context, *path + ": " + checked.error().what, checked.error().subject);
    return kFailed;
  }
  context.out << *path << " is in order: " << summary_of(*config) << "\n";
  return kDone;
}

}  // namespace syncline::cli
