#include "facade/sentence.hpp"

#include <map>

#include "core/text.hpp"

namespace syncline::facade {

namespace {

using core::say_list;
using core::say_number;

constexpr std::size_t kExplained = 3;  // targets whose points are told
constexpr std::size_t kNamed = 8;      // nodes named in one breath
constexpr std::size_t kReasonsShown = 6;

std::string by_transport(const RouteVerdict& verdict) {
  return verdict.transport.empty() ? "" : " by " + verdict.transport;
}

std::string say_target(const RouteVerdict& verdict) {
  // A host without a daemon has no score: this node alone sees to it.
  const std::string points = verdict.score == 0 ? "" : say_number(verdict.score, 1) + " points: ";
  return verdict.node + by_transport(verdict) + " (" + points + verdict.reason + ")";
}

std::string say_chosen(const std::vector<const RouteVerdict*>& chosen) {
  if (chosen.empty()) return "No node can take it now.";
  if (chosen.size() == 1) return "It goes to " + say_target(*chosen.front()) + ".";
  std::string said = "It goes to " + say_target(*chosen.front()) + " first";
  std::vector<std::string> next;
  for (std::size_t i = 1; i < chosen.size() && i < kExplained; ++i) {
    next.push_back(say_target(*chosen[i]));
  }
  said += ", then to " + say_list(next);
  if (chosen.size() > kExplained) {
    std::vector<std::string> rest;
    for (std::size_t i = kExplained; i < chosen.size(); ++i) {
      rest.push_back(chosen[i]->node + by_transport(*chosen[i]));
    }
    said += "; after them to " + say_list(rest, kNamed);
  }
  return said + ".";
}

// Nodes with the same reason are named together.
std::string say_left_out(const std::vector<const RouteVerdict*>& left_out) {
  if (left_out.empty()) return {};
  std::vector<std::string> reasons;  // in the order of the verdicts
  std::map<std::string, std::vector<std::string>> nodes;
  for (const RouteVerdict* verdict : left_out) {
    auto& same = nodes[verdict->reason];
    if (same.empty()) reasons.push_back(verdict->reason);
    same.push_back(verdict->node);
  }
  std::vector<std::string> clauses;
  std::size_t untold = 0;
  for (const std::string& reason : reasons) {
    if (clauses.size() == kReasonsShown) {
      untold += nodes[reason].size();
      continue;
    }
    clauses.push_back(say_list(nodes[reason], kNamed) + ": " + reason);
  }
  std::string said = "Left out: ";
  for (std::size_t i = 0; i < clauses.size(); ++i) said += (i > 0 ? "; " : "") + clauses[i];
  if (untold > 0) said += "; and " + core::say_count(untold, "other");
  return said + ".";
}

}  // namespace

std::string sentence(const RouteReport& report) {
  std::vector<const RouteVerdict*> chosen;
  std::vector<const RouteVerdict*> left_out;
  for (const RouteVerdict& verdict : report.verdicts) {
    (verdict.is_chosen ? chosen : left_out).push_back(&verdict);
  }
  std::string said = report.collection + " is synced by " + report.backend;
  if (!report.why.empty()) said += ", because " + report.why;
  said += ". " + say_chosen(chosen);
  if (report.verdicts.empty()) said += " No other node is known.";
  const std::string others = say_left_out(left_out);
  if (!others.empty()) said += " " + others;
  return said;
}

}  // namespace syncline::facade
