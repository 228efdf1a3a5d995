// status, nodes, freshness, stats, transfers, config show: one question, one answer.
#include "cli/answer.hpp"
#include "cli/door.hpp"
#include "cli/exit_code.hpp"
#include "cli/report_text.hpp"
#include "cli/runs.hpp"

namespace syncline::cli {
namespace {

template <typename Value, typename AsJson>
int print(Context& context, const Arguments& arguments, const Result<Value>& answer,
          AsJson as_json) {
  if (!answer) return complain(context, answer.error());
  if (wants_json(arguments)) {
    print_as_json(context, as_json(*answer));
  } else {
    context.out << text_of(*answer, context.has_colour);
  }
  return kDone;
}

}  // namespace

void print_json(Context& context, const std::string& json) {
  context.out << (context.is_out_terminal ? http::indented(json) : json) << "\n";
}

int run_status(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  const auto status = door.client->status();
  const int code = print(context, arguments, status, [](const StatusReport& s) { return s; });
  return code == kDone ? exit_code_of(*status) : code;
}

int run_nodes(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  return print(context, arguments, door.client->nodes(),
               [](const auto& rows) { return http::NodesOf<PeerStatus>{rows}; });
}

int run_freshness(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  return print(context, arguments, door.client->freshness(),
               [](const auto& rows) { return http::FreshnessOf<FreshnessRow>{rows}; });
}

int run_stats(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  return print(context, arguments, door.client->stats(), [](const StatsReport& s) { return s; });
}

int run_transfers(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  return print(context, arguments, door.client->transfers(),
               [](const auto& rows) { return http::TransfersOf<TransferRow>{rows}; });
}

int run_config_show(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  const auto toml = door.client->config_toml();
  if (!toml) return complain(context, toml.error());
  if (wants_json(arguments)) {
    print_json(context, http::to_json(http::ConfigAnswer{*toml}));
  } else {
    context.out << *toml;
  }
  return kDone;
}

}  // namespace syncline::cli
