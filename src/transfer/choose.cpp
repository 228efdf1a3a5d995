#include "transfer/choose.hpp"

#include <algorithm>
#include <cmath>

#include "core/text.hpp"

namespace syncline::transfer {

namespace {

constexpr double kMb = 1e6;
constexpr double kUnknownMbps = 20;     // what routing assumes of a machine nobody has measured
constexpr double kCopyMbps = 500;       // copy_file_range on one machine
constexpr double kSshEfficiency = 0.7;  // one core for the cipher, rsync's own checksums
constexpr double kSwarmOverhead = 1.1;  // pieces that arrive twice, choking
constexpr double kPipelineOverhead = 1.1;
constexpr std::size_t kSourcesMax = 8;  // more connections do not make a full link faster
constexpr double kNearTie = 1.10;

// Until the first byte: handshakes, processes, metadata.
double setup_seconds(Transport transport, bool is_linked) {
  switch (transport) {
    case Transport::kNfs:
      return 0.01;
    case Transport::kP2p:
      return is_linked ? 0.01 : 0.3;
    case Transport::kSwarm:
      return 3;
    case Transport::kAria2:
      return 0.5;
    case Transport::kSsh:
      return 1;
  }
  return 1;
}

double rate_of(const Source& source) {
  return source.bandwidth_mbps > 0 ? source.bandwidth_mbps : kUnknownMbps;
}

// At least 5 %: after enough failures the breaker speaks, not this.
double success_of(const Source& source, Transport transport) {
  const Attempts& attempts = source.history[static_cast<std::size_t>(transport)];
  const double tried = attempts.successes + attempts.failures;
  return std::max((attempts.successes + 1.0) / (tried + 1.0), 0.05);
}

struct Usable {
  std::vector<const Source*> sources;  // best first
  std::string why_not;                 // when there are none
};

std::string why_not_at_all(const Task& task, Transport transport) {
  if (transport == Transport::kNfs) return "no source shares storage or machine with the target";
  const bool is_offered = std::any_of(task.sources.begin(), task.sources.end(),
                                      [&](const Source& s) { return s.can(transport); });
  return is_offered ? "" : "no source can be reached by it";
}

Usable usable_sources(const Task& task, Transport transport, const Breakers& breakers,
                      core::Instant now) {
  Usable usable;
  std::vector<std::string> open;
  for (const Source& source : task.sources) {
    const bool is_able =
        transport == Transport::kNfs ? source.shared != Shared::kNothing : source.can(transport);
    if (!is_able) continue;
    if (breakers.allows(source.id, transport, now)) {
      usable.sources.push_back(&source);
      continue;
    }
    const Breaker* breaker = breakers.find(source.id, transport);
    const auto again = breaker->tries_again_at();
    open.push_back("it failed " + std::to_string(breaker->failures()) + " times with " +
                   source.id.text +
                   (again && *again > now
                        ? ", tried again in " + core::say_seconds(core::to_seconds(*again - now))
                        : ", one try is under way"));
  }
  if (usable.sources.empty()) {
    usable.why_not = open.empty() ? why_not_at_all(task, transport) : core::say_list(open, 2);
  }
  std::stable_sort(
      usable.sources.begin(), usable.sources.end(), [&](const Source* a, const Source* b) {
        if (transport == Transport::kNfs && a->shared != b->shared) {
          return a->shared == Shared::kSameExport;
        }
        return rate_of(*a) * success_of(*a, transport) > rate_of(*b) * success_of(*b, transport);
      });
  if (usable.sources.size() > kSourcesMax) usable.sources.resize(kSourcesMax);
  return usable;
}

// MB/s at which this target gets the bytes.
double rate_to_target(const Task& task, Transport transport,
                      const std::vector<const Source*>& sources) {
  if (transport == Transport::kNfs) return kCopyMbps;
  double all = 0;
  for (const Source* source : sources) all += rate_of(*source);
  const double targets = std::max(task.targets, 1);
  double rate = 0;
  switch (transport) {
    case Transport::kSsh:
      rate = rate_of(*sources.front()) * kSshEfficiency / targets;
      break;
    case Transport::kSwarm:
      rate = all / kSwarmOverhead;
      break;
    case Transport::kP2p:
      rate = task.are_parts_served && targets > 1 ? all / kPipelineOverhead : all / targets;
      break;
    default:
      rate = all / targets;
  }
  return task.downlink_mbps > 0 ? std::min(rate, task.downlink_mbps) : rate;
}

Candidate estimate(const Task& task, Transport transport,
                   const std::vector<const Source*>& sources) {
  Candidate candidate;
  candidate.transport = transport;
  for (const Source* source : sources) candidate.sources.push_back(source->id);
  const Source& best = *sources.front();
  if (transport == Transport::kNfs && best.shared == Shared::kSameExport) {
    candidate.why =
        "it lies on storage that both share (with " + best.id.text + "): nothing has to move";
    return candidate;
  }
  const double rate = rate_to_target(task, transport, sources);
  const double once =
      setup_seconds(transport, best.is_linked) + static_cast<double>(task.bytes) / kMb / rate;
  candidate.seconds = once / success_of(best, transport);
  if (!task.is_explained) return candidate;
  if (transport == Transport::kNfs) {
    candidate.why = "copied on one machine (from " + best.id.text + ")";
  } else {
    const std::size_t used = transport == Transport::kSsh ? 1 : sources.size();
    candidate.why = core::say_count(used, "source") + " at " + core::say_number(rate) + " MB/s";
  }
  if (transport == Transport::kP2p && task.are_parts_served && task.targets > 1) {
    const auto others = static_cast<std::uint64_t>(task.targets - 1);
    candidate.why += ", parts of it exchanged with " + core::say_count(others, "other");
  }
  candidate.why += ", about " + core::say_seconds(candidate.seconds);
  return candidate;
}

// Why a swarm is not worth it; empty if it is.
std::string not_worth_a_swarm(const Task& task) {
  const bool is_worth_it = task.bytes >= kSwarmBytesMin && task.targets >= kSwarmTargetsMin;
  if (!is_worth_it && !task.is_explained) return "a swarm does not pay";
  if (task.bytes < kSwarmBytesMin) {
    return "a swarm does not pay for " + core::say_bytes(static_cast<double>(task.bytes));
  }
  if (task.targets < kSwarmTargetsMin) {
    return "a swarm does not pay for " +
           core::say_count(static_cast<std::uint64_t>(std::max(task.targets, 0)), "target");
  }
  return {};
}

core::Result<Choice> choose_forced(const Task& task, Transport forced, const Breakers& breakers,
                                   core::Instant now) {
  const Usable usable = usable_sources(task, forced, breakers, now);
  if (usable.sources.empty()) {
    return core::Error{core::ErrorKind::kInvalid,
                       std::string(to_string(forced)) + " was asked for and cannot be used: " +
                           usable.why_not + "; name another or leave the choice to the planner",
                       to_string(forced)};
  }
  Choice choice;
  choice.order.push_back(estimate(task, forced, usable.sources));
  choice.why = std::string(to_string(forced)) + ", because it was asked for (" +
               choice.order.front().why + ")";
  return choice;
}

// The cheapest goes first; the others keep the order of escalation.
void put_cheapest_first(std::vector<Candidate>& order) {
  auto best = order.begin();
  for (auto it = order.begin(); it != order.end(); ++it) {
    if (it->seconds * kNearTie < best->seconds) best = it;
  }
  std::rotate(order.begin(), best, best + 1);
}

}  // namespace

core::Result<Choice> choose(const Task& task, const Breakers& breakers, core::Instant now) {
  if (task.sources.empty()) {
    return core::Error{core::ErrorKind::kUnreachable,
                       "nobody who holds it can be reached; it will be tried again when somebody "
                       "comes back",
                       ""};
  }
  if (task.forced) return choose_forced(task, *task.forced, breakers, now);
  Choice choice;
  std::optional<Candidate> unworthy;  // a swarm that does not pay is better than nothing
  for (const Transport transport : kTransports) {
    const Usable usable = usable_sources(task, transport, breakers, now);
    std::string why_not = usable.why_not;
    if (why_not.empty() && transport == Transport::kSwarm) {
      why_not = not_worth_a_swarm(task);
      if (!why_not.empty()) unworthy = estimate(task, transport, usable.sources);
    }
    if (why_not.empty()) {
      choice.order.push_back(estimate(task, transport, usable.sources));
    } else {
      choice.passed_over.push_back({transport, std::move(why_not)});
    }
  }
  if (choice.order.empty() && unworthy) {
    choice.order.push_back(*std::move(unworthy));
    choice.passed_over.erase(
        std::find_if(choice.passed_over.begin(), choice.passed_over.end(),
                     [](const PassedOver& p) { return p.transport == Transport::kSwarm; }));
  }
  if (choice.order.empty()) {
    std::vector<std::string> reasons;
    for (const PassedOver& passed : choice.passed_over) {
      reasons.push_back(std::string(to_string(passed.transport)) + ": " + passed.why);
    }
    return core::Error{core::ErrorKind::kUnreachable,
                       "no transport can be used now (" + core::say_list(reasons) + ")", ""};
  }
  put_cheapest_first(choice.order);
  const Candidate& first = choice.order.front();
  if (task.is_explained) choice.why = std::string(to_string(first.transport)) + ": " + first.why;
  return choice;
}

}  // namespace syncline::transfer
