// Commands that ask the running daemon.
#include "cli/command_table.hpp"
#include "cli/runs.hpp"

namespace syncline::cli {
namespace {

const std::vector<std::string> kTypes = {"all", "games", "models", "npz", "elo", "registry"};

std::vector<OptionSpec> with_ask(std::vector<OptionSpec> options) {
  options.insert(options.end(), ask_options().begin(), ask_options().end());
  return options;
}

std::vector<OptionSpec> request_options() {
  return {
      {"--target", ValueKind::kText, "NODE", "only to this node; a glob is allowed", true, {}},
      {"--exclude", ValueKind::kText, "NODE", "not to this node; a glob is allowed", true, {}},
      {"--priority",
       ValueKind::kChoice,
       "P",
       "how much of the bandwidth, and which backend",
       false,
       {"critical", "high", "normal", "low", "background"}},
      {"--board-type", ValueKind::kText, "B", "only this board, such as hex8", false, {}},
      {"--num-players", ValueKind::kWhole, "N", "only this number of players", false, {}},
      {"--prefer-ephemeral", ValueKind::kFlag, "", "by the backend for spot nodes", false, {}},
      {"--confirm",
       ValueKind::kFlag,
       "",
       "succeed only when every target's fsync was seen",
       false,
       {}},
      {"--timeout",
       ValueKind::kNumber,
       "S",
       "seconds; then the answer says what is pending",
       false,
       {}},
      {"--bandwidth-limit",
       ValueKind::kNumber,
       "MBPS",
       "megabytes per second, for this request",
       false,
       {}},
      {"--transport",
       ValueKind::kChoice,
       "T",
       "only by this transport",
       false,
       {"p2p", "swarm", "aria2", "ssh", "nfs"}},
  };
}

CommandSpec sync_command() {
  CommandSpec c;
  c.name = "sync";
  c.summary = "bring a collection to where it is wanted, and prove that it arrived";
  c.text =
      "Asks the daemon to sync TYPE at once and waits. Every argument is honoured, or the request "
      "is refused with a reason. Success is what was verified at each node, never what was sent: 0 "
      "all verified, 3 some, 4 still on the way at the timeout, 1 failed.";
  c.positionals = {{"TYPE", "a collection's name, or all", true, false, kTypes, false}};
  c.options = request_options();
  c.options.push_back({"--explain", ValueKind::kFlag, "",
                       "say where it would go and why, for every node; move nothing"});
  c.options.push_back({"--dry-run", ValueKind::kFlag, "", "the same as a table; move nothing"});
  c.options = with_ask(c.options);
  c.examples = {
      {"sync games", "to every node that wants games"},
      {"sync models --target trainer-1 --priority high --confirm", "a model, urgently, with proof"},
      {"sync games --board-type hex8 --num-players 2", "one config key"},
      {"sync games --explain", "what would happen, and why"},
      {"sync all --json | jq .parts", "everything, for a script"}};
  c.run = run_sync;
  return c;
}

CommandSpec route_command() {
  CommandSpec c;
  c.name = "route";
  c.summary = "show where a collection would go, and why each node is chosen or not";
  c.text =
      "Moves nothing. 0: there is a node to go to. 1: none is eligible, and the reasons say why.";
  c.positionals = {{"TYPE", "a collection's name", true, false, kTypes, false}};
  c.options = request_options();
  c.options.push_back({"--explain", ValueKind::kFlag, "", "in sentences"});
  c.options = with_ask(c.options);
  c.examples = {{"route games --explain", "in sentences"},
                {"route models --target 'spot-*'", "restricted to some nodes"}};
  c.run = run_route;
  return c;
}

CommandSpec report(const char* name, const char* summary, const char* text,
                   int (*run)(Context&, const Arguments&), std::vector<Example> examples) {
  CommandSpec c;
  c.name = name;
  c.summary = summary;
  c.text = text;
  c.options = with_ask({});
  c.examples = std::move(examples);
  c.run = run;
  return c;
}

CommandSpec events_command() {
  CommandSpec c;
  c.name = "events";
  c.summary = "what happened lately; --follow to go on watching";
  c.text =
      "Prints the events that the daemon keeps, oldest first. With --follow it stays and prints "
      "new ones as they happen, also across a restart of the daemon. With --json each event is one "
      "line of JSON while following.";
  c.options = with_ask({{"--follow", ValueKind::kFlag, "", "stay, and print what happens"},
                        {"--after", ValueKind::kWhole, "ID", "only events after this id"},
                        {"--type", ValueKind::kText, "T", "only events of this type", true, {}}});
  c.examples = {{"events", "what is kept"},
                {"events --follow --type data_sync_failed", "watch for failures"}};
  c.run = run_events;
  return c;
}

CommandSpec flush_command() {
  CommandSpec c;
  c.name = "flush";
  c.summary = "wait until all local data is durable elsewhere";
  c.text =
      "For scripts that are about to give a machine up. 0: everything that was local when it began "
      "is on disk at K other failure domains. 4: not by the deadline, and it says what is not.";
  c.options =
      with_ask({{"--acks", ValueKind::kWhole, "K", "failure domains; default: as configured"},
                {"--deadline", ValueKind::kNumber, "S", "seconds; default: 60"}});
  c.examples = {{"flush --acks 2 --deadline 25 || echo 'not safe yet'", "before a shutdown"}};
  c.run = run_flush;
  return c;
}

CommandSpec verify_command() {
  CommandSpec c;
  c.name = "verify";
  c.summary = "re-hash replicas and compare them across the fleet";
  c.text =
      "Reads every unit and object of this node again, compares it with its hash, and compares the "
      "whole with what the other nodes hold. 0: no difference. 1: each one is named.";
  c.positionals = {{"TYPE", "a collection; default: each of them", false, true, kTypes, false}};
  c.options = with_ask({});
  c.examples = {{"verify", "everything"}, {"verify games", "one collection"}};
  c.run = run_verify;
  return c;
}

CommandSpec pause_command(bool is_pause) {
  CommandSpec c;
  c.name = is_pause ? "pause" : "resume";
  c.summary = is_pause ? "let fetches of files wait on this node" : "let paused fetches go on";
  c.text =
      "Files of one collection, or of all. What is under way stops and keeps what has arrived. It "
      "lasts until 'syncline resume' or a restart of the daemon, and status says so. Records are "
      "never paused: they are what would be lost.";
  c.positionals = {{"TYPE", "collection of files; all if not given", false, false, {}, false}};
  c.options = with_ask({});
  c.examples = is_pause ? std::vector<Example>{{"pause models", "no model is fetched"}}
                        : std::vector<Example>{{"resume", "everything goes on"}};
  c.run = is_pause ? run_pause : run_resume;
  return c;
}

CommandSpec rotate_key_command() {
  CommandSpec c;
  c.name = "rotate-key";
  c.summary = "make a new key for the fleet's datagrams";
  c.text =
      "Membership's datagrams are sealed with a key that every node has. A new one travels over "
      "the TLS links, and each node seals with it once every live node has it. Do so after "
      "'syncline "
      "remove', and as often as docs/operations.md says.";
  c.options = with_ask({});
  c.examples = {{"rotate-key", "on any node"}};
  c.run = run_rotate_key;
  return c;
}

CommandSpec export_command() {
  CommandSpec c;
  c.name = "export";
  c.summary = "describe one file for aria2c or a BitTorrent client";
  c.text =
      "Prints a metalink (RFC 5854: size, SHA-256 as a whole and by pieces, and the holders that "
      "serve objects over HTTPS) or a .torrent (BitTorrent v2, open to clients with a certificate "
      "of this fleet) of a file that this node holds. For a metalink all of it is read.";
  c.positionals = {{"FORM", "metalink or torrent", true, false, {"metalink", "torrent"}, true},
                   {"TYPE", "collection of files", true, false, {}, false},
                   {"PATH", "of the file, below the collection's root", true, false, {}, false}};
  c.options = with_ask({{"--out", ValueKind::kText, "FILE", "write it there", false, {}}});
  c.examples = {{"export metalink models hex8/best.pth --out best.meta4", "for aria2c"},
                {"export torrent models hex8/best.pth --out best.torrent", "for BitTorrent"}};
  c.run = run_export;
  return c;
}

CommandSpec notify_command() {
  CommandSpec c;
  c.name = "notify";
  c.summary = "tell the daemon that something happened";
  c.text =
      "For programs that know more than the files show: a finished game, a promoted model, a "
      "training run that begins. What the event needs is given as NAME=VALUE.";
  c.positionals = {{"EVENT",
                    "what happened",
                    true,
                    false,
                    {"game-completed", "model-promoted", "training-started", "training-completed",
                     "node-recovered", "orphans-detected"},
                    false},
                   {"NAME=VALUE", "details", false, true, {}, false}};
  c.options = with_ask({});
  c.examples = {
      {"notify model-promoted model=canonical_hex8_2p.pth", "a better model"},
      {"notify training-started node=trainer-1 config_key=hex8_2p", "data is wanted there"}};
  c.run = run_notify;
  return c;
}

CommandSpec remove_command() {
  CommandSpec c;
  c.name = "remove";
  c.summary = "take a node out of the fleet for good";
  c.text =
      "For a machine that will not come back. Its copies count no more, others are made where they "
      "are wanted, and no node talks to it again, whatever it does. Stop its daemon first. Data "
      "that "
      "only it had is lost: 'syncline status' there, or a flush, says whether there is any.";
  c.positionals = {{"NODE", "its id, as 'syncline nodes' shows it", true, false, {}, false}};
  c.options = with_ask({});
  c.examples = {{"remove spot-17", "the provider took it, and its disk"}};
  c.run = run_remove;
  return c;
}

CommandSpec dead_letter_command() {
  CommandSpec c;
  c.name = "dead-letter";
  c.summary = "records that cannot be merged on this node: list, retry, drop";
  c.text =
      "A record whose bytes or schema do not fit this node's replica is kept beside it, with the "
      "reason; other nodes may have merged it. 'retry' merges again, after an upgrade or other "
      "table rules; 'drop' forgets it here for good. Without an ID: all of them.";
  c.positionals = {{"ACTION", "list, retry or drop", true, false, {"list", "retry", "drop"}, true},
                   {"ID", "as the list shows it", false, true, {}, false}};
  c.options = with_ask({});
  c.examples = {{"dead-letter list", "with the reasons"},
                {"dead-letter retry", "after an upgrade"},
                {"dead-letter drop spot-1/1790000000000/17", "one of them"}};
  c.run = run_dead_letter;
  return c;
}

}  // namespace

void add_ask_commands(std::vector<CommandSpec>& table) {
  table.push_back(sync_command());
  table.push_back(report(
      "status", "what is safe, and what is not yet, and why",
      "Shows for each collection what is known, durable and not durable yet, the age of the oldest "
      "and the reason. 0: safe. 1: something is over its freshness target, or stuck.",
      run_status, {{"status", "for people"}, {"status --json | jq .is_safe", "for scripts"}}));
  table.push_back(report("nodes", "the nodes of the fleet, their state and their disks",
                         "Shows every node that this one knows of, and transports that are paused.",
                         run_nodes, {{"nodes", "all of them"}}));
  table.push_back(report("freshness", "how old each collection's oldest unsynced data is",
                         "Shows age and target per collection and config key, the next run, and "
                         "what it is waiting for.",
                         run_freshness, {{"freshness", "all collections"}}));
  table.push_back(report("stats", "how much was synced, by which backend, how fast",
                         "Counts since the daemon started.", run_stats,
                         {{"stats --json | jq .by_backend", "for a script"}}));
  table.push_back(route_command());
  table.push_back(report("transfers", "what is being moved right now",
                         "Shows transfers under way and lately ended, with their progress.",
                         run_transfers, {{"transfers", "all of them"}}));
  table.push_back(events_command());
  table.push_back(flush_command());
  table.push_back(verify_command());
  table.push_back(notify_command());
  table.push_back(pause_command(true));
  table.push_back(pause_command(false));
  table.push_back(remove_command());
  table.push_back(rotate_key_command());
  table.push_back(export_command());
  table.push_back(dead_letter_command());
}

const std::vector<CommandSpec>& commands() {
  static const std::vector<CommandSpec> table = [] {
    std::vector<CommandSpec> all;
    add_setup_commands(all);
    add_ask_commands(all);
    add_config_commands(all);
    return all;
  }();
  return table;
}

}  // namespace syncline::cli
