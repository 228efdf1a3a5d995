// sync and route.
#include "cli/answer.hpp"
#include "cli/door.hpp"
#include "cli/exit_code.hpp"
#include "cli/explain.hpp"
#include "cli/progress.hpp"
#include "cli/report_text.hpp"
#include "cli/runs.hpp"

namespace syncline::cli {
namespace {

Priority priority_of(const std::string& text) {
  if (text == "critical") return Priority::kCritical;
  if (text == "high") return Priority::kHigh;
  if (text == "low") return Priority::kLow;
  return text == "background" ? Priority::kBackground : Priority::kNormal;
}

SyncRequest request_from(const Arguments& arguments) {
  SyncRequest request;
  request.data_type = arguments.text("TYPE");
  request.targets = arguments.list("--target");
  request.exclude_nodes = arguments.list("--exclude");
  request.priority = priority_of(arguments.text("--priority"));
  request.board_type = arguments.text("--board-type");
  if (const auto players = arguments.whole("--num-players")) {
    request.num_players = static_cast<int>(std::min<std::int64_t>(*players, 1'000'000));
  }
  request.prefer_ephemeral = arguments.has("--prefer-ephemeral");
  request.require_confirmation = arguments.has("--confirm");
  request.timeout_s = arguments.number("--timeout").value_or(request.timeout_s);
  request.bandwidth_limit_mbps = arguments.number("--bandwidth-limit").value_or(0);
  request.transport = arguments.text("--transport");
  request.is_dry_run = arguments.has("--explain") || arguments.has("--dry-run");
  return request;
}

void print_route(Context& context, const Arguments& arguments, const RouteReport& route) {
  context.out << (arguments.has("--explain") ? explained(route)
                                             : table_of(route, context.has_colour));
}

void print_plan(Context& context, const Arguments& arguments, const SyncResponse& response) {
  if (response.parts.empty()) return print_route(context, arguments, response.route);
  for (std::size_t i = 0; i < response.parts.size(); ++i) {
    if (i > 0) context.out << "\n";
    print_route(context, arguments, response.parts[i].route);
  }
}

Result<SyncResponse> ask(Context& context, const Client& client, const SyncRequest& request) {
  if (request.is_dry_run) return client.sync(request);
  const Progress progress(context, "syncing " + request.data_type, [&client] {
    const auto transfers = client.transfers();
    return transfers ? describe_transfers(*transfers) : std::string();
  });
  return client.sync(request);
}

}  // namespace

int run_sync(Context& context, const Arguments& arguments) {
  const SyncRequest request = request_from(arguments);
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  const auto response = ask(context, *door.client, request);
  if (!response) return complain(context, response.error());
  if (wants_json(arguments)) {
    print_as_json(context, *response);
  } else if (request.is_dry_run) {
    print_plan(context, arguments, *response);
  } else {
    context.out << text_of(*response, request.data_type, context.has_colour);
  }
  return exit_code_of(*response, request.is_dry_run);
}

int run_route(Context& context, const Arguments& arguments) {
  SyncRequest request = request_from(arguments);
  request.is_dry_run = true;
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  const auto route = door.client->route(request);
  if (!route) return complain(context, route.error());
  if (wants_json(arguments)) {
    print_as_json(context, *route);
  } else {
    print_route(context, arguments, *route);
  }
  return exit_code_of(*route);
}

}  // namespace syncline::cli
