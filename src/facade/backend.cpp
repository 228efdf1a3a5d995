#include "facade/backend.hpp"

#include <algorithm>
#include <iterator>

#include "core/nearest.hpp"
#include "core/text.hpp"

namespace syncline::facade {

namespace {

constexpr Backend kBackends[] = {Backend::kHybrid,    Backend::kBroadcast, Backend::kRouter,
                                 Backend::kEphemeral, Backend::kPull,      Backend::kTransfer};

struct Rule {
  std::vector<Backend> order;
  std::string why;
};

// The rule of the design. Every order ends with hybrid: gossip goes on by itself, so what it is
// given arrives when the fleet is well again.
Rule rule_for(const SyncRequest& request) {
  if (request.prefer_ephemeral) {
    return {{Backend::kEphemeral, Backend::kRouter, Backend::kTransfer, Backend::kHybrid},
            "the request prefers the ephemeral path"};
  }
  if (request.priority == core::Priority::kCritical || request.priority == core::Priority::kHigh) {
    const std::string priority = request.priority == core::Priority::kHigh ? "high" : "critical";
    return {{Backend::kBroadcast, Backend::kRouter, Backend::kTransfer, Backend::kHybrid},
            "its priority is " + priority};
  }
  if (!request.targets.empty()) {
    return {{Backend::kRouter, Backend::kTransfer, Backend::kHybrid},
            core::say_count(request.targets.size(), "target is", "targets are") + " named (" +
                core::say_list(request.targets, 4) + ")"};
  }
  return {{Backend::kHybrid, Backend::kRouter, Backend::kTransfer},
          "nothing special was asked for"};
}

// Why this backend cannot work now; empty if it can.
std::string hindrance(Backend backend, const BackendView& view) {
  if (backend == Backend::kBroadcast && !view.has_leader) {
    return view.no_leader_why.empty() ? "nobody leads the fleet now" : view.no_leader_why;
  }
  if (view.unavailable.count(backend) > 0) return "it is not available now";
  return {};
}

}  // namespace

BackendChoice choose_backend(const SyncRequest& request, const BackendView& view) {
  const Rule rule = rule_for(request);
  std::vector<Backend> able;
  std::vector<std::string> passed_over;
  for (const Backend backend : rule.order) {
    const std::string why_not = hindrance(backend, view);
    if (why_not.empty()) {
      able.push_back(backend);
    } else if (able.empty()) {
      passed_over.push_back(std::string(to_string(backend)) + " is passed over: " + why_not);
    }
  }
  BackendChoice choice;
  choice.why = rule.why;
  if (able.empty()) {
    // Nothing works: the rule's first is asked all the same, and its failure is the answer.
    choice.backend = rule.order.front();
    choice.fallbacks.assign(rule.order.begin() + 1, rule.order.end());
    choice.why += "; no backend can work now";
  } else {
    choice.backend = able.front();
    choice.fallbacks.assign(able.begin() + 1, able.end());
  }
  for (const std::string& passed : passed_over) {
    if (!able.empty()) choice.why += "; " + passed;
  }
  if (!view.has_peers) choice.why += "; no other node is alive, so nothing can leave this one yet";
  return choice;
}

std::optional<Backend> next_backend(const BackendChoice& choice, Backend failed) {
  if (failed == choice.backend) {
    if (choice.fallbacks.empty()) return std::nullopt;
    return choice.fallbacks.front();
  }
  const auto at = std::find(choice.fallbacks.begin(), choice.fallbacks.end(), failed);
  if (at == choice.fallbacks.end() || std::next(at) == choice.fallbacks.end()) return std::nullopt;
  return *std::next(at);
}

core::Result<Backend> parse_backend(std::string_view text) {
  std::vector<std::string> names;
  for (const Backend backend : kBackends) {
    if (text == to_string(backend)) return backend;
    names.emplace_back(to_string(backend));
  }
  return core::Error{
      core::ErrorKind::kInvalid,
      "there is no backend '" + std::string(text) + "'" + core::did_you_mean(text, names),
      std::string(text)};
}

}  // namespace syncline::facade
