// syncline(1).
#include <ostream>

#include "cli/completion.hpp"
#include "cli/exit_code.hpp"
#include "cli/runs.hpp"

namespace syncline::cli {
namespace {

// Text that troff must not take for commands of its own.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string option_entry(const OptionSpec& option) {
  std::string out = ".TP\n.B " + plain(option.name);
  if (!option.value.empty()) out += " \\fI" + plain(option.value) + "\\fR";
  out += "\n" + plain(option.help);
  if (!option.choices.empty()) {
    out += ":";
    for (std::size_t i = 0; i < option.choices.size(); ++i) {
      out += (i == 0 ? " " : ", ") + plain(option.choices[i]);
    }
  }
  return out + (option.is_repeatable ? "; may be given again.\n" : ".\n");
}

std::string command_entry(const CommandSpec& command) {
  std::string out = ".SS " + plain("syncline " + command.name);
  for (const auto& positional : command.positionals) {
    const std::string name = "\\fI" + plain(positional.name) + "\\fR";
    out += positional.is_required ? " " + name : " [" + name + "]";
  }
  out += "\n" + plain(command.text) + "\n";
  for (const auto& positional : command.positionals) {
    out += ".TP\n.I " + plain(positional.name) + "\n" + plain(positional.help) + ".\n";
  }
  for (const OptionSpec& option : command.options) out += option_entry(option);
  for (const Example& example : command.examples) {
    out += ".PP\n" + plain("Example, " + example.meaning) + ":\n.PP\n.RS\n.nf\n" +
           plain("syncline " + example.line) + "\n.fi\n.RE\n";
  }
  return out;
}

}  // namespace

std::string manual_page() {
  std::string out =
      ".TH SYNCLINE 1 \"\" \"syncline " + std::string(SYNCLINE_VERSION) +
      "\" \"User commands\"\n"
      ".SH NAME\nsyncline \\- keep the data of a machine\\-learning fleet in sync and "
      "safe\n"
      ".SH SYNOPSIS\n.B syncline\n\\fICOMMAND\\fR [\\fIoptions\\fR]\n"
      ".SH DESCRIPTION\nSelf\\-play games, model checkpoints, training archives, "
      "ratings and registries travel between the nodes of a fleet. A record is counted "
      "as durable only when it is on disk in enough distinct failure domains; what is "
      "not yet, and why, is shown at once.\n.SH COMMANDS\n";
  for (const CommandSpec& command : commands()) out += command_entry(command);
  out += ".SH OPTIONS OF EVERY COMMAND\n";
  for (const OptionSpec& option : common_options()) out += option_entry(option);
  out += ".SH EXIT STATUS\n";
  const std::pair<int, const char*> codes[] = {{kDone, "done and verified"},
                                               {kFailed, "failed"},
                                               {kUsage, "usage"},
                                               {kPartlyDone, "partly done"},
                                               {kNotDurable, "not durable by the deadline"},
                                               {kNoDaemon, "daemon not reachable"}};
  for (const auto& [code, meaning] : codes) {
    out += ".TP\n.B " + std::to_string(code) + "\n" + plain(meaning) + "\n";
  }
  return out +
         ".SH ENVIRONMENT\n.TP\n.B SYNCLINE_CONFIG\nThe configuration file, where \\-\\-config is "
         "not given.\n.TP\n.B SYNCLINE_STATE_DIR\nThe state directory, instead of "
         "node.state_dir.\n.TP\n.B NO_COLOR\nWhen set, no colours.\n"
         ".SH FILES\n.TP\n.I syncline.toml\nThe configuration; 'syncline init' writes one with "
         "every setting explained.\n";
}

int run_man(Context& context, const Arguments&) {
  context.out << manual_page();
  return kDone;
}

}  // namespace syncline::cli
