// init, invite, join: making a node.
#include <chrono>
#include <filesystem>
#include <ostream>

#include "cli/door.hpp"
#include "cli/exit_code.hpp"
#include "cli/runs.hpp"
#include "core/text.hpp"
#include "env/config_file.hpp"
#include "env/files.hpp"
#include "env/own_addresses.hpp"
#include "identity/fleet.hpp"

namespace syncline::cli {
namespace {

constexpr std::int64_t kInviteValidS = 3600;

int failed(Context& context, const core::Error& error) {
  complain(context, error.what, error.subject);
  return error.kind == core::ErrorKind::kUnreachable ? kNoDaemon : kFailed;
}

std::int64_t now_s() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

// What a new node is going to be, before anything is written.
struct Plan {
  std::string folder;  // absolute
  std::string config_path;
  core::InitialSettings settings;
};

core::Result<Plan> plan_node(const Context& context, const Arguments& arguments) {
  const std::filesystem::path here(context.working_directory);
  const auto folder = here / arguments.text("--dir");
  Plan plan;
  plan.folder = folder.lexically_normal().string();
  plan.config_path = arguments.has("--config") ? (here / arguments.text("--config")).string()
                                               : (folder / "syncline.toml").string();
  plan.settings.id = arguments.has("--id") ? arguments.text("--id") : env::host_name();
  plan.settings.peer_listen = arguments.text("--peer-listen");
  plan.settings.http_listen = arguments.text("--http-listen");
  plan.settings.roles = arguments.list("--role");
  if (env::exists(plan.config_path)) {
    return core::Error{core::ErrorKind::kConflict,
                       "there is a configuration already; choose another --dir", plan.config_path};
  }
  return plan;
}

// The new file's text, checked as the daemon will check it.
struct Drafted {
  std::string toml;
  core::Config config;
};
core::Result<Drafted> draft(const Context& context, const Plan& plan) {
  Drafted out;
  out.toml = core::initial_config_toml(plan.settings);
  core::ConfigOverrides overrides;
  overrides.host_name = env::host_name();
  overrides.state_dir = context.environment("SYNCLINE_STATE_DIR");
  SYNCLINE_ASSIGN(out.config, core::parse_config(out.toml, plan.config_path, overrides));
  return out;
}

core::Status write_config(const Plan& plan, const std::string& toml) {
  SYNCLINE_TRY(env::make_folders(env::folder_of(plan.config_path), 0755));
  return env::create_file_atomic(plan.config_path, toml, 0644);
}

std::string daemon_line(const Context& context, const Plan& plan) {
  const bool is_here = plan.folder == std::filesystem::path(context.working_directory) ||
                       plan.folder == context.working_directory + "/";
  return is_here ? "syncline daemon" : "syncline daemon --config " + plan.config_path;
}

// Where others will reach this node's HTTPS listener: part of its certificate.
std::vector<std::string> hosts_of(const core::NodeConfig& node) {
  std::vector<std::string> hosts;
  for (std::string address : env::callable_addresses(node)) {
    address.resize(std::min(address.size(), address.find_last_of(':')));
    if (address.size() > 2 && address.front() == '[') {
      address = address.substr(1, address.size() - 2);
    }
    hosts.push_back(std::move(address));
  }
  return hosts;
}

core::Status make_fleet(Context& context, const Arguments& arguments) {
  SYNCLINE_ASSIGN(const Plan plan, plan_node(context, arguments));
  SYNCLINE_ASSIGN(const Drafted drafted, draft(context, plan));
  const std::string fleet = arguments.has("--fleet") ? arguments.text("--fleet") : "fleet";
  SYNCLINE_ASSIGN(const auto identity,
                  identity::init_fleet(drafted.config.node.state_dir, fleet, drafted.config.node.id,
                                       hosts_of(drafted.config.node)));
  SYNCLINE_TRY(write_config(plan, drafted.toml));
  context.out << "Fleet " << identity.fleet << " has its first node, " << identity.node << ".\n"
              << "  configuration  " << plan.config_path << "\n"
              << "  state          " << drafted.config.node.state_dir << "\n"
              << "Next: declare collections in the configuration, then run\n  "
              << daemon_line(context, plan) << "\n"
              << "and 'syncline invite' for each further machine.\n";
  return {};
}

core::Status join_it(Context& context, const Arguments& arguments) {
  SYNCLINE_ASSIGN(Plan plan, plan_node(context, arguments));
  SYNCLINE_ASSIGN(const Drafted before, draft(context, plan));
  SYNCLINE_ASSIGN(const auto joined,
                  identity::join_fleet(before.config.node.state_dir, arguments.text("TOKEN"),
                                       before.config.node.id, now_s(), context.join_call,
                                       hosts_of(before.config.node)));
  plan.settings.seeds = joined.addresses;
  for (const std::string& role : joined.roles) {
    auto& roles = plan.settings.roles;
    if (std::find(roles.begin(), roles.end(), role) == roles.end()) roles.push_back(role);
  }
  SYNCLINE_ASSIGN(const Drafted drafted, draft(context, plan));
  SYNCLINE_TRY(write_config(plan, drafted.toml));
  context.out << joined.identity.node << " is a node of fleet " << joined.identity.fleet
              << " now.\n"
              << "  configuration  " << plan.config_path << "\n"
              << "  begins with    " << core::say_list(joined.addresses) << "\n"
              << "Next: declare collections in the configuration, then run\n  "
              << daemon_line(context, plan) << "\n";
  return {};
}

}  // namespace

int run_init(Context& context, const Arguments& arguments) {
  const auto status = make_fleet(context, arguments);
  return status.ok() ? static_cast<int>(kDone) : failed(context, status.error());
}

int run_join(Context& context, const Arguments& arguments) {
  const auto status = join_it(context, arguments);
  return status.ok() ? static_cast<int>(kDone) : failed(context, status.error());
}

int run_invite(Context& context, const Arguments& arguments) {
  const auto path = find_config(context, arguments);
  if (!path) return kUsage;
  const auto config = env::load_config(*path);
  if (!config.ok()) return failed(context, config.error());
  identity::InviteOptions options;
  options.roles = arguments.list("--role");
  options.now_s = now_s();
  options.valid_for_s = kInviteValidS;
  if (const auto valid = arguments.number("--valid")) {
    options.valid_for_s = static_cast<std::int64_t>(*valid);
  }
  options.addresses = arguments.has("--address") ? arguments.list("--address")
                                                 : env::callable_addresses(config->node);
  if (options.addresses.empty()) {
    complain(context,
             "this machine has no address that others could dial; give one with --address");
    return kFailed;
  }
  const auto token = identity::create_invite(config->node.state_dir, options);
  if (!token.ok()) return failed(context, token.error());
  // The token alone on the output, so that scripts can take it.
  context.err << "One machine can join with this token within "
              << core::say_seconds(static_cast<double>(options.valid_for_s)) << ", by dialling "
              << core::say_list(options.addresses, 4, "or") << ". Run there:\n"
              << "  syncline join TOKEN\n";
  context.out << *token << "\n";
  return kDone;
}

}  // namespace syncline::cli
