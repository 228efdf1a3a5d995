#include "cli/report_text.hpp"

#include <algorithm>
#include <ctime>

#include "cli/table.hpp"
#include "core/text.hpp"

namespace syncline::cli {
namespace {

using core::say_bytes;
using core::say_count;
using core::say_list;
using core::say_number;
using core::say_percent;
using core::say_seconds;

// 1204 -> "1,204"
std::string grouped(std::uint64_t value) {
  std::string out = std::to_string(value);
  for (int at = static_cast<int>(out.size()) - 3; at > 0; at -= 3) {
    out.insert(static_cast<std::size_t>(at), ",");
  }
  return out;
}

std::string maybe_seconds(const std::optional<double>& seconds, const std::string& otherwise) {
  return seconds ? say_seconds(*seconds) : otherwise;
}

constexpr const char* kThisNode = "this node";  // the state of the node that answers

Cell state_of(const CollectionStatus& collection) {
  if (!collection.problems.empty()) return {"problem", Colour::kBad};
  if (collection.is_over_target) return {"over target", Colour::kBad};
  if (collection.pending > 0) return {"on the way", Colour::kWarn};
  return {"safe", Colour::kGood};
}

Cell state_of(const PeerStatus& peer) {
  if (peer.state == "connected" || peer.state == kThisNode) return {peer.state, Colour::kGood};
  if (peer.state == "suspect") return {peer.state, Colour::kWarn};
  if (peer.state == "left") return {peer.state, Colour::kDim};
  return {peer.state, Colour::kBad};
}

Table collections_table(const std::vector<CollectionStatus>& collections) {
  Table table({"COLLECTION", "KIND", "KNOWN", "DURABLE", "NOT YET", "AT RISK", "OLDEST", "TARGET",
               "PROVED", "STATE"});
  for (const CollectionStatus& c : collections) {
    const bool has_pending = c.pending > 0;
    table.add({Cell(c.name, Colour::kBold), Cell(c.kind), number(grouped(c.known)),
               number(grouped(c.durable)),
               number(grouped(c.pending), has_pending ? Colour::kWarn : Colour::kPlain),
               number(has_pending ? say_bytes(static_cast<double>(c.pending_bytes)) : "–"),
               number(has_pending ? say_seconds(c.oldest_pending_age_s) : "–"),
               number(say_seconds(c.freshness_target_s)),
               number(c.last_proof_age_s ? say_seconds(*c.last_proof_age_s) + " ago" : "not yet"),
               state_of(c)});
    if (!c.why.empty()) table.add_note(c.why, c.is_over_target ? Colour::kBad : Colour::kWarn);
    for (const std::string& problem : c.problems) table.add_note(problem, Colour::kBad);
    if (!c.derived.empty()) table.add_note(c.derived);
    if (!c.announced.empty()) table.add_note(c.announced, Colour::kWarn);
    if (c.open_units > 0) {
      table.add_note(say_count(c.open_units, "unit is", "units are") +
                     " still being written by a program; taken when complete");
    }
  }
  return table;
}

Table agentless_table(const std::vector<AgentlessRow>& hosts) {
  Table table({"AGENTLESS", "STATE", "ADDRESS", "LOOKED AT", "NEXT", "TAKEN", "GIVEN", "BYTES"});
  for (const AgentlessRow& host : hosts) {
    const Colour colour = host.is_late ? Colour::kBad : Colour::kPlain;
    table.add(
        {Cell(host.id, Colour::kBold), Cell(host.state, colour), Cell(host.address),
         number(host.looked_age_s ? say_seconds(*host.looked_age_s) + " ago" : "never", colour),
         number(say_seconds(host.next_look_s)), number(grouped(host.taken)),
         number(grouped(host.given)), number(say_bytes(static_cast<double>(host.bytes)))});
    for (const std::string& problem : host.problems) table.add_note(problem, Colour::kBad);
    if (host.unstable > 0) {
      table.add_note(say_count(host.unstable, "file is", "files are") +
                     " being written there; taken once settled");
    }
  }
  return table;
}

std::string verdict_of(const StatusReport& status, bool has_colour) {
  std::vector<std::string> late;
  std::uint64_t pending = 0;
  for (const CollectionStatus& c : status.collections) {
    if (c.is_over_target || !c.problems.empty()) late.push_back(c.name);
    pending += c.pending;
  }
  for (const AgentlessRow& host : status.agentless) {
    if (host.is_late) late.push_back("host " + host.id);
  }
  const std::string domains =
      say_count(static_cast<std::uint64_t>(std::max(0, status.acks)), "other failure domain");
  if (!status.is_safe || !late.empty()) {
    return painted(late.empty() ? "Not safe." : "Not safe: " + say_list(late) + ".", Colour::kBad,
                   has_colour);
  }
  if (pending > 0) {
    return painted("On the way: " + say_count(pending, "unit is", "units are") +
                       " not durable yet, within the target.",
                   Colour::kWarn, has_colour);
  }
  return painted("Safe: all that is known here is on disk at " + domains + ".", Colour::kGood,
                 has_colour);
}

std::string clock_of(std::int64_t at_ms) {
  const std::time_t seconds = at_ms / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
  return text;
}

}  // namespace

std::string text_of(const StatusReport& status, bool has_colour) {
  std::string out = painted(status.node, Colour::kBold, has_colour) +
                    (status.fleet.empty() ? "" : " of fleet " + status.fleet) + " · " +
                    status.state + " for " + say_seconds(status.uptime_s) + " · syncline " +
                    status.version + "\n" + verdict_of(status, has_colour) + "\n";
  if (!status.is_intake_open) {
    out += painted("Intake is closed: " + printable(status.intake_closed_why), Colour::kBad,
                   has_colour) +
           "\n";
  }
  for (const std::string& problem : status.problems) {
    out += painted("! " + printable(problem), Colour::kBad, has_colour) + "\n";
  }
  out += "\n";
  out += status.collections.empty()
             ? "No collection is declared; add a [[collection]] to the configuration.\n"
             : collections_table(status.collections).text(has_colour);
  if (!status.agentless.empty()) out += "\n" + agentless_table(status.agentless).text(has_colour);
  std::vector<std::string> up;
  std::vector<std::string> down;
  for (const PeerStatus& peer : status.peers) {
    if (peer.state == "left" || peer.state == kThisNode) continue;
    (peer.state == "connected" ? up : down).push_back(printable(peer.id));
  }
  out += "\nNodes: " + std::to_string(up.size()) + " connected" +
         (up.empty() ? "" : " (" + say_list(up, 6) + ")");
  if (!down.empty()) {
    out += ", " + painted(std::to_string(down.size()) + " not (" + say_list(down, 6) + ")",
                          Colour::kBad, has_colour);
  }
  for (const HookRow& hook : status.hooks) {
    if (hook.last_error.empty() && hook.given_up == 0) continue;
    std::string line = "\nHook " + hook.name + ": " + say_count(hook.waiting, "event") + " waiting";
    if (hook.given_up > 0) line += ", " + std::to_string(hook.given_up) + " given up";
    if (!hook.last_error.empty()) line += " (" + hook.last_error + ")";
    out += painted(printable(line.substr(1)).insert(0, "\n"), Colour::kWarn, has_colour);
  }
  out += "\nJournal: " + say_bytes(static_cast<double>(status.journal_bytes)) + " of " +
         say_bytes(static_cast<double>(status.journal_max_bytes)) + " · disk " +
         say_percent(status.disk_used_percent) + " used\n";
  if (!status.leader.empty()) out += "Broadcasts: " + printable(status.leader) + "\n";
  if (!down.empty()) out += "See 'syncline nodes' for why.\n";
  return out;
}

std::string text_of(const std::vector<PeerStatus>& nodes, bool has_colour) {
  if (nodes.empty()) {
    return "No other node is known yet; run 'syncline invite' here and 'syncline join' there.\n";
  }
  Table table(
      {"NODE", "STATE", "ROLES", "ADDRESS", "DOMAIN", "PROVIDER", "DISK USED", "FREE", "HEARD"});
  for (const PeerStatus& n : nodes) {
    std::string roles;
    for (const std::string& role : n.roles) roles += (roles.empty() ? "" : ",") + role;
    if (n.is_ephemeral) roles += roles.empty() ? "spot" : ",spot";
    table.add({Cell(n.id, Colour::kBold), state_of(n), Cell(roles.empty() ? "–" : roles),
               Cell(n.address), Cell(n.domain.empty() ? "–" : n.domain),
               Cell(n.provider.empty() ? "–" : n.provider),
               number(n.disk_used_percent ? say_percent(*n.disk_used_percent) : "–"),
               number(n.disk_free_bytes ? say_bytes(static_cast<double>(*n.disk_free_bytes)) : "–"),
               number(maybe_seconds(n.last_heard_age_s, "–"))});
    for (const std::string& circuit : n.open_circuits) table.add_note(circuit, Colour::kWarn);
  }
  return table.text(has_colour);
}

std::string text_of(const std::vector<FreshnessRow>& rows, bool has_colour) {
  if (rows.empty()) return "Nothing is known yet.\n";
  Table table({"COLLECTION", "CONFIG KEY", "AGE", "TARGET", "NEXT RUN", "WAITING FOR"});
  for (const FreshnessRow& row : rows) {
    const bool is_late = row.target_s > 0 && row.age_s > row.target_s;
    table.add({Cell(row.collection, Colour::kBold),
               Cell(row.config_key.empty() ? "–" : row.config_key),
               number(say_seconds(row.age_s), is_late ? Colour::kBad : Colour::kPlain),
               number(say_seconds(row.target_s)), number(maybe_seconds(row.next_run_s, "–")),
               Cell(row.waiting_for.empty() ? "–" : row.waiting_for)});
  }
  return table.text(has_colour);
}

std::string text_of(const StatsReport& stats, bool has_colour) {
  std::string out = say_count(stats.total_syncs, "sync") + ", " +
                    say_bytes(static_cast<double>(stats.total_bytes)) + ", " +
                    say_count(stats.total_errors, "error") + " since the daemon started.\n";
  if (stats.durable_p99_ms > 0) {
    out += "From commit to durable: " + say_number(stats.durable_p50_ms) + " ms for half of the " +
           "last units, " + say_number(stats.durable_p99_ms) + " ms for 99 %.\n";
  }
  if (!stats.by_backend.empty()) {
    Table table({"BACKEND", "SYNCS", "BYTES", "ERRORS", "ERROR RATE", "MEAN LATENCY"});
    for (const BackendStats& b : stats.by_backend) {
      table.add({Cell(b.backend, Colour::kBold), number(grouped(b.syncs)),
                 number(say_bytes(static_cast<double>(b.bytes))),
                 number(grouped(b.errors), b.errors > 0 ? Colour::kWarn : Colour::kPlain),
                 number(say_percent(100 * b.error_rate)), number(say_seconds(b.latency_mean_s))});
    }
    out += "\n" + table.text(has_colour);
  }
  if (!stats.counters.empty()) {
    Table table({"COUNTER", "VALUE"});
    for (const auto& [name, value] : stats.counters)
      table.add({Cell(name), number(grouped(value))});
    out += "\n" + table.text(has_colour);
  }
  return out;
}

std::string text_of(const std::vector<TransferRow>& transfers, bool has_colour) {
  if (transfers.empty()) return "Nothing is being moved.\n";
  Table table({"OBJECT", "FROM", "TO", "BY", "DONE", "OF", "RATE", "STATE"});
  for (const TransferRow& t : transfers) {
    const Colour colour = t.state == "failed"    ? Colour::kBad
                          : t.state == "running" ? Colour::kGood
                                                 : Colour::kPlain;
    const bool is_known = t.bytes_total > 0;
    const double share =
        is_known ? 100.0 * static_cast<double>(t.bytes_done) / static_cast<double>(t.bytes_total)
                 : 0;
    table.add({Cell(t.object, Colour::kBold), Cell(t.source), Cell(t.target), Cell(t.transport),
               number(is_known ? say_percent(share) : "–"),
               number(is_known ? say_bytes(static_cast<double>(t.bytes_total)) : "–"),
               number(t.state == "running" ? say_bytes(t.rate_bytes_per_s) + "/s" : "–"),
               Cell(t.state, colour)});
    if (!t.detail.empty()) table.add_note(t.detail);
  }
  return table.text(has_colour);
}

std::string text_of(const std::vector<DeadLetterRow>& rows, bool has_colour) {
  if (rows.empty()) return "No dead letters: every record that came could be merged.\n";
  Table table({"ID", "COLLECTION", "UNIT", "SIZE"});
  for (const DeadLetterRow& row : rows) {
    table.add({Cell(row.id, Colour::kBold), Cell(row.collection), Cell(row.key),
               number(say_bytes(static_cast<double>(row.bytes)))});
    table.add_note(row.reason, Colour::kWarn);
  }
  return table.text(has_colour) +
         "\nThey are kept. After an upgrade or other table rules: syncline dead-letter retry\n";
}

std::string text_of(const FlushReport& flush, bool has_colour) {
  const std::string domains =
      say_count(static_cast<std::uint64_t>(std::max(0, flush.acks)), "other failure domain");
  if (flush.is_durable) {
    return painted("Durable", Colour::kGood, has_colour) + ": everything local is on disk at " +
           domains + " (" + grouped(flush.durable) + " units and objects, " +
           say_seconds(flush.duration_s) + ").\n";
  }
  std::string out = painted("Not durable", Colour::kBad, has_colour) + " after " +
                    say_seconds(flush.duration_s) + " at " + domains +
                    "; what is still missing:\n\n";
  out += collections_table(flush.pending).text(has_colour);
  return out + "\nDo not give this machine up yet. 'syncline nodes' shows who can be reached.\n";
}

std::string text_of(const std::vector<VerifyReport>& reports, bool has_colour) {
  std::string out;
  for (const VerifyReport& r : reports) {
    const bool is_good = r.differences.empty() && r.damaged.empty();
    const std::string what = printable(r.collection) + ": " + grouped(r.checked) + " re-hashed, " +
                             say_count(r.fingerprint_by_node.size(), "node") + " compared";
    out += is_good ? painted("✓ ", Colour::kGood, has_colour) + what + ", no difference\n"
                   : painted("✗ ", Colour::kBad, has_colour) + what + "\n";
    for (const std::string& damaged : r.damaged) {
      out += "  " + painted("damaged here: " + printable(damaged), Colour::kBad, has_colour) + "\n";
    }
    for (const VerifyDifference& d : r.differences) {
      out += "  " + printable(d.node) + ": " + printable(d.what) + "\n";
    }
  }
  return out.empty() ? "No collection is declared.\n" : out;
}

std::string text_of(const EventRow& event, bool has_colour) {
  const bool is_bad = event.type.find("failed") != std::string::npos;
  std::string about;
  for (const std::string& word : {event.collection, event.node}) {
    if (!word.empty()) about += " " + printable(word);
  }
  return painted(clock_of(event.at_ms), Colour::kDim, has_colour) + "  " +
         painted(printable(event.type), is_bad ? Colour::kBad : Colour::kBold, has_colour) + about +
         (event.message.empty() ? "" : "  " + printable(event.message)) + "\n";
}

}  // namespace syncline::cli
