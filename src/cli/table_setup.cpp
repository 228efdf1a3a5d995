// Commands that make, describe and run a node.
#include "cli/command_table.hpp"
#include "cli/runs.hpp"

namespace syncline::cli {
namespace {

const OptionSpec kDirectory{"--dir", ValueKind::kPath, "D",
                            "folder of the node: its syncline.toml and its state"};

std::vector<OptionSpec> node_options() {
  return {
      {"--id", ValueKind::kText, "NAME", "the node's id; default: the host's name"},
      {"--peer-listen", ValueKind::kText, "HOST:PORT",
       "where other nodes reach it; default: 0.0.0.0:8750"},
      {"--http-listen", ValueKind::kText, "ADDRESS",
       "where commands reach it; default: unix:state/api.sock"},
      {"--role",
       ValueKind::kChoice,
       "R",
       "what this node does",
       true,
       {"selfplay", "training", "coordinator", "backup", "voter"}},
  };
}

CommandSpec init_command() {
  CommandSpec c;
  c.name = "init";
  c.summary = "make a new fleet, with this machine as its first node";
  c.text =
      "Makes the fleet's certificate authority and key, this node's certificate, and a commented "
      "syncline.toml in which every setting stands with its default. Overwrites nothing.";
  c.options = node_options();
  c.options.insert(c.options.begin(),
                   {"--fleet", ValueKind::kText, "NAME", "the fleet's name; default: fleet"});
  c.examples = {{"init --fleet chess", "in the current folder"},
                {"init --dir /var/lib/syncline --id home --role coordinator --role backup",
                 "with everything said"}};
  c.run = run_init;
  return c;
}

CommandSpec invite_command() {
  CommandSpec c;
  c.name = "invite";
  c.summary = "print a one-time token with which another machine joins";
  c.text =
      "Prints one line: a token that lets one machine join this fleet, once, until it expires. "
      "Hand it over by a way that you trust; who has it can join. This node's daemon must be "
      "running when the token is used.";
  c.options = {
      {"--role",
       ValueKind::kChoice,
       "R",
       "role of the new node",
       true,
       {"selfplay", "training", "coordinator", "backup", "voter"}},
      {"--valid", ValueKind::kNumber, "S", "seconds until it expires; default: 3600"},
      {"--address", ValueKind::kText, "HOST:PORT",
       "where the new machine reaches this one; default: as configured"},
  };
  c.examples = {{"invite", "valid for an hour"},
                {"invite --role selfplay --valid 600", "for a self-play node, ten minutes"}};
  c.run = run_invite;
  return c;
}

CommandSpec join_command() {
  CommandSpec c;
  c.name = "join";
  c.summary = "make this machine a node of an existing fleet";
  c.text =
      "Uses a token of 'syncline invite' up: asks the inviting node to sign a certificate, and "
      "writes syncline.toml with that node as seed. Overwrites nothing.";
  c.positionals = {{"TOKEN", "what 'syncline invite' printed"}};
  c.options = node_options();
  c.examples = {{"join $TOKEN", "in the current folder"},
                {"join $TOKEN --dir /var/lib/syncline --id spot-7", "with everything said"}};
  c.run = run_join;
  return c;
}

CommandSpec daemon_command() {
  CommandSpec c;
  c.name = "daemon";
  c.summary = "run this node";
  c.text =
      "Runs until SIGTERM or SIGINT: then intake stops, what is not durable is pushed out until "
      "spot.drain_deadline_s has passed, and the last line says what is durable and what is not. "
      "Under systemd it tells when it is ready (Type=notify) and that it lives (WatchdogSec).";
  c.examples = {{"daemon", "with the syncline.toml of this folder"},
                {"daemon --config /etc/syncline/syncline.toml", "with another one"}};
  c.run = run_daemon_command;
  return c;
}

CommandSpec config_check_command() {
  CommandSpec c;
  c.name = "config check";
  c.summary = "check a configuration file; say what is wrong, and where";
  c.text = "Reads the file as the daemon would and changes nothing. 0: it is in order.";
  c.positionals = {{"FILE",
                    "default: the configuration of this folder",
                    false,
                    false,
                    {},
                    false,
                    ValueKind::kPath}};
  c.examples = {{"config check", "the file of this folder"}};
  c.run = run_config_check;
  return c;
}

CommandSpec config_show_command() {
  CommandSpec c;
  c.name = "config show";
  c.summary = "print the configuration as the daemon has it in force";
  c.text = "Asks the running daemon; defaults are filled in and secrets left out.";
  c.options = ask_options();
  c.examples = {{"config show", "as TOML"}};
  c.run = run_config_show;
  return c;
}

CommandSpec config_import_command() {
  CommandSpec c;
  c.name = "config import";
  c.summary = "turn the older system's hosts YAML into Syncline configurations";
  c.text =
      "Reads distributed_hosts.yaml and writes one <host>.toml per host into the folder given "
      "with --out, and import-report.txt: every section and key of the file is translated or "
      "named there as not applicable, with the reason. Nothing is dropped in silence.";
  c.positionals = {{"FILE", "the YAML file", true, false, {}, false, ValueKind::kPath}};
  c.options = {{"--out", ValueKind::kPath, "D", "folder for the results; default: imported"},
               {"--poll-by", ValueKind::kText, "HOST",
                "HOST runs the only daemon and polls the others over SSH; only its file is made"},
               {"--json", ValueKind::kFlag, "", "print the report as JSON"}};
  c.examples = {{"config import distributed_hosts.yaml --out fleet", "into the folder fleet"},
                {"config import distributed_hosts.yaml --poll-by home",
                 "no daemon on the others yet: home collects their games as before"}};
  c.run = run_config_import;
  return c;
}

CommandSpec completion_command() {
  CommandSpec c;
  c.name = "completion";
  c.summary = "print the completion script of a shell";
  c.text = "Prints what makes the shell complete commands, options and their values.";
  c.positionals = {{"SHELL", "bash, zsh or fish", true, false, {"bash", "zsh", "fish"}, true}};
  c.examples = {{"completion bash > /etc/bash_completion.d/syncline", "for everyone, bash"},
                {"completion fish > ~/.config/fish/completions/syncline.fish", "for you, fish"}};
  c.run = run_completion;
  return c;
}

CommandSpec man_command() {
  CommandSpec c;
  c.name = "man";
  c.summary = "print the manual page (troff)";
  c.text = "Prints syncline(1), made from the same table as this help.";
  c.examples = {{"man | man -l -", "read it"}};
  c.run = run_man;
  return c;
}

}  // namespace

const std::vector<OptionSpec>& common_options() {
  static const std::vector<OptionSpec> options = {
      {"--config", ValueKind::kPath, "F",
       "configuration file; default: $SYNCLINE_CONFIG, ./syncline.toml, "
       "/etc/syncline/syncline.toml"},
      kDirectory,
  };
  return options;
}

const std::vector<OptionSpec>& ask_options() {
  static const std::vector<OptionSpec> options = {
      {"--json", ValueKind::kFlag, "", "print the API's JSON"},
      {"--api", ValueKind::kText, "ADDRESS",
       "ask this daemon: unix:/path/api.sock or http://host:port; default: as configured"},
      {"--token-file", ValueKind::kPath, "F", "file with the token for --api http://…"},
  };
  return options;
}

void add_setup_commands(std::vector<CommandSpec>& table) {
  table.insert(table.end(), {init_command(), invite_command(), join_command(), daemon_command()});
}

void add_config_commands(std::vector<CommandSpec>& table) {
  table.insert(table.end(), {config_check_command(), config_show_command(), config_import_command(),
                             completion_command(), man_command()});
}

}  // namespace syncline::cli
