// Completion scripts for bash, zsh and fish, from the command table.
#include "cli/completion.hpp"

#include <map>
#include <ostream>
#include <set>

#include "cli/exit_code.hpp"
#include "cli/runs.hpp"

namespace syncline::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// Text inside single quotes of a shell.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::vector<OptionSpec> options_of(const CommandSpec& command) {
  std::vector<OptionSpec> options = command.options;
  options.insert(options.end(), common_options().begin(), common_options().end());
  options.push_back({"--help", ValueKind::kFlag, "", "what this command does"});
  return options;
}

// "config" -> check, show, import
std::map<std::string, std::vector<std::string>> groups() {
  std::map<std::string, std::vector<std::string>> out;
  for (const CommandSpec& command : commands()) {
    const std::size_t space = command.name.find(' ');
    if (space != std::string::npos) {
      out[command.name.substr(0, space)].push_back(command.name.substr(space + 1));
    }
  }
  return out;
}

std::vector<std::string> first_words() {
  std::vector<std::string> words;
  std::set<std::string> seen;
  for (const CommandSpec& command : commands()) {
    const std::string word = command.name.substr(0, command.name.find(' '));
    if (seen.insert(word).second) words.push_back(word);
  }
  return words;
}

std::string group_cases(const std::string& then_begin, const std::string& then_end) {
  std::string out;
  for (const auto& [group, subcommands] : groups()) {
    out += "    " + group + ") " + then_begin + joined(subcommands) + then_end + " ;;\n";
  }
  return out;
}

}  // namespace

std::string bash_completion() {
  std::string out =
      "# bash completion for syncline; made by 'syncline completion bash'\n"
      "_syncline() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local command=${COMP_WORDS[1]} words=''\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W " +
      quoted(joined(first_words()) + " --help --version") +
      " -- \"$current\")); return\n  fi\n"
      "  case $command in\n" +
      group_cases("[ \"$COMP_CWORD\" -eq 2 ] && words='", "'") +
      "  esac\n"
      "  if [ -n \"$words\" ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$current\")); return; "
      "fi\n"
      "  case $command in\n";
  for (const auto& [group, unused] : groups())
    out += "    " + group + ") command+=\" ${COMP_WORDS[2]}\" ;;\n";
  out += "  esac\n  case \"$command|$previous\" in\n";
  for (const CommandSpec& command : commands()) {
    for (const OptionSpec& option : options_of(command)) {
      if (option.kind == ValueKind::kFlag) continue;
      out += "    '" + command.name + "|" + option.name + "') ";
      if (option.kind == ValueKind::kPath) {
        out += "COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n";
      } else {
        out += "COMPREPLY=($(compgen -W '" + joined(option.choices) +
               "' -- \"$current\")); return ;;\n";
      }
    }
  }
  out += "  esac\n  case $command in\n";
  for (const CommandSpec& command : commands()) {
    std::vector<std::string> choices;
    bool takes_file = false;
    for (const auto& positional : command.positionals) {
      choices.insert(choices.end(), positional.choices.begin(), positional.choices.end());
      takes_file = takes_file || positional.kind == ValueKind::kPath;
    }
    std::vector<std::string> names;
    for (const OptionSpec& option : options_of(command)) names.push_back(option.name);
    out += "    '" + command.name + "')\n      case $current in\n        -*) words='" +
           joined(names) + "' ;;\n        *) words='" + joined(choices) + "'";
    out += takes_file ? "; COMPREPLY=($(compgen -f -- \"$current\")); return" : "";
    out += " ;;\n      esac ;;\n";
  }
  return out +
         "  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n"
         "complete -F _syncline syncline\n";
}

std::string zsh_completion() {
  std::string out =
      "#compdef syncline\n# zsh completion for syncline; made by 'syncline completion zsh'\n"
      "_syncline() {\n  local -a list\n  local command=$words[2]\n"
      "  if (( CURRENT == 2 )); then\n    list=(\n";
  std::set<std::string> seen;
  for (const CommandSpec& command : commands()) {
    const std::string word = command.name.substr(0, command.name.find(' '));
    if (!seen.insert(word).second) continue;
    const std::string what = word == command.name ? command.summary : "more commands";
    out += "      " + quoted(word + ":" + what) + "\n";
  }
  out += "    )\n    _describe command list; return\n  fi\n  case $command in\n";
  for (const auto& [group, subcommands] : groups()) {
    out += "    " + group + ") if (( CURRENT == 3 )); then compadd " + joined(subcommands) +
           "; return; fi; command+=\" $words[3]\" ;;\n";
  }
  out += "  esac\n  case $command in\n";
  for (const CommandSpec& command : commands()) {
    out += "    " + quoted(command.name) + ") _arguments";
    for (const OptionSpec& option : options_of(command)) {
      std::string spec = (option.is_repeatable ? "*" : "") + option.name + "[" + option.help + "]";
      if (option.kind == ValueKind::kPath) {
        spec += ":" + option.value + ":_files";
      } else if (option.kind != ValueKind::kFlag) {
        spec += ":" + option.value + ":(" + joined(option.choices) + ")";
      }
      out += " \\\n      " + quoted(spec);
    }
    for (const auto& positional : command.positionals) {
      const std::string values =
          positional.kind == ValueKind::kPath ? "_files" : "(" + joined(positional.choices) + ")";
      out += " \\\n      " + quoted("*:" + positional.name + ":" + values);
    }
    out += " ;;\n";
  }
  return out + "  esac\n}\n_syncline \"$@\"\n";
}

std::string fish_completion() {
  std::string out =
      "# fish completion for syncline; made by 'syncline completion fish'\n"
      "complete -c syncline -f\n";
  for (const CommandSpec& command : commands()) {
    const std::size_t space = command.name.find(' ');
    const std::string first = command.name.substr(0, space);
    const std::string last = space == std::string::npos ? first : command.name.substr(space + 1);
    const std::string reached =
        space == std::string::npos
            ? "__fish_seen_subcommand_from " + first
            : "__fish_seen_subcommand_from " + first + "; and __fish_seen_subcommand_from " + last;
    const std::string before = space == std::string::npos ? "__fish_use_subcommand"
                                                          : "__fish_seen_subcommand_from " + first;
    out += "complete -c syncline -n " + quoted(before) + " -a " + quoted(last) + " -d " +
           quoted(command.summary) + "\n";
    if (space != std::string::npos) {
      out += "complete -c syncline -n __fish_use_subcommand -a " + first + "\n";
    }
    for (const OptionSpec& option : options_of(command)) {
      out += "complete -c syncline -n " + quoted(reached) + " -l " + option.name.substr(2);
      if (option.kind != ValueKind::kFlag)
        out += option.kind == ValueKind::kPath ? " -r -F" : " -x";
      if (!option.choices.empty()) out += " -a " + quoted(joined(option.choices));
      out += " -d " + quoted(option.help) + "\n";
    }
    for (const auto& positional : command.positionals) {
      if (positional.kind == ValueKind::kPath) {
        out += "complete -c syncline -n " + quoted(reached) + " -F\n";
      } else if (!positional.choices.empty()) {
        out += "complete -c syncline -n " + quoted(reached) + " -a " +
               quoted(joined(positional.choices)) + "\n";
      }
    }
  }
  return out;
}

int run_completion(Context& context, const Arguments& arguments) {
  const std::string shell = arguments.text("SHELL");
  context.out << (shell == "bash"  ? bash_completion()
                  : shell == "zsh" ? zsh_completion()
                                   : fish_completion());
  return kDone;
}

}  // namespace syncline::cli
