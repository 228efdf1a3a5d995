// The answer to a sync, and routes.
#include <algorithm>

#include "cli/report_text.hpp"
#include "cli/table.hpp"
#include "core/text.hpp"

namespace syncline::cli {
namespace {

Cell outcome_cell(const NodeSyncResult& node) {
  if (node.outcome == "verified") return {"verified", Colour::kGood};
  if (node.outcome == "pending") return {"pending", Colour::kWarn};
  if (node.outcome == "failed") return {"failed", Colour::kBad};
  return {"not eligible", Colour::kDim};
}

std::string details_of(const SyncResponse& response, bool has_colour) {
  Table table({"NODE", "OUTCOME", "MISSING", "REASON"});
  for (const NodeSyncResult& node : response.nodes) {
    table.add({Cell(node.node, Colour::kBold), outcome_cell(node),
               number(node.missing == 0 ? "–" : std::to_string(node.missing)),
               Cell(node.reason.empty() ? "–" : node.reason)});
  }
  std::string out = table.empty() ? "" : table.text(has_colour);
  for (const std::string& error : response.errors) {
    out += painted("! " + printable(error), Colour::kBad, has_colour) + "\n";
  }
  return out;
}

std::string summary_of(const SyncResponse& response, const std::string& name, bool has_colour) {
  const auto wanted = std::count_if(response.nodes.begin(), response.nodes.end(),
                                    [](const auto& n) { return n.outcome != "not_eligible"; });
  const std::string how = " (" +
                          (response.backend_used.empty() ? "" : response.backend_used + ", ") +
                          core::say_bytes(static_cast<double>(response.bytes_transferred)) + ", " +
                          core::say_seconds(response.duration_s) + ")\n";
  if (response.success) {
    std::vector<std::string> nodes;
    for (const std::string& node : response.nodes_synced) nodes.push_back(printable(node));
    return painted("✓ ", Colour::kGood, has_colour) + name + ": " +
           (nodes.empty() ? "nothing to do" : "verified on " + core::say_list(nodes, 8)) + how;
  }
  return painted("✗ ", Colour::kBad, has_colour) + name + ": verified on " +
         std::to_string(response.nodes_synced.size()) + " of " + std::to_string(wanted) + " nodes" +
         how;
}

// What a person would do next.
std::string hint_of(const SyncResponse& response, const std::string& name) {
  const auto has = [&response](const char* outcome) {
    return std::any_of(response.nodes.begin(), response.nodes.end(),
                       [outcome](const NodeSyncResult& node) { return node.outcome == outcome; });
  };
  if (has("pending") && !has("failed")) {
    return "It goes on in the background; 'syncline status' shows when it is durable.\n";
  }
  return "See 'syncline route " + name + " --explain' for each node, and 'syncline nodes'.\n";
}

}  // namespace

std::string text_of(const SyncResponse& response, const std::string& data_type, bool has_colour) {
  const std::string name = printable(data_type);
  if (response.parts.empty()) {
    std::string out = summary_of(response, name, has_colour);
    if (response.success) return out;
    return out + details_of(response, has_colour) + hint_of(response, name);
  }
  std::string out;
  for (const SyncResponse& part : response.parts) {
    out += summary_of(part, printable(part.route.collection), has_colour);
    if (!part.success) out += details_of(part, has_colour);
  }
  for (const std::string& error : response.errors) {
    out += painted("! " + printable(error), Colour::kBad, has_colour) + "\n";
  }
  return out;
}

std::string table_of(const RouteReport& route, bool has_colour) {
  std::string out = painted(printable(route.collection), Colour::kBold, has_colour) + " goes by " +
                    route.backend + (route.why.empty() ? "" : ": " + printable(route.why)) + "\n";
  if (route.verdicts.empty()) return out + "No other node is known.\n";
  Table table({"NODE", "CHOSEN", "SCORE", "BY", "REASON"});
  for (const RouteVerdict& v : route.verdicts) {
    table.add({Cell(v.node, Colour::kBold),
               v.is_chosen ? Cell("yes", Colour::kGood) : Cell("no", Colour::kDim),
               number(core::say_number(v.score)), Cell(v.transport.empty() ? "–" : v.transport),
               Cell(v.reason.empty() ? "–" : v.reason)});
  }
  return out + table.text(has_colour);
}

}  // namespace syncline::cli
