#include <algorithm>

#include "cli/arguments.hpp"

namespace syncline::cli {
namespace {

constexpr std::size_t kWidth = 92;

// Breaks a paragraph at spaces, each line after the first indented.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string out;
  std::size_t column = indent;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t space = text.find(' ', from);
    const std::string word = text.substr(from, space == std::string::npos ? space : space - from);
    if (column > indent && column + 1 + word.size() > kWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    if (space == std::string::npos) break;
    from = space + 1;
  }
  return out;
}

struct Line {
  std::string left;
  std::string right;
};

std::string aligned(const std::vector<Line>& lines) {
  std::size_t width = 0;
  for (const Line& line : lines)
    width = std::max(width, std::min<std::size_t>(line.left.size(), 30));
  std::string out;
  for (const Line& line : lines) {
    const std::string gap = line.left.size() > width
                                ? "\n" + std::string(width + 4, ' ')
                                : std::string(width - line.left.size() + 2, ' ');
    out += "  " + line.left + gap + wrapped(line.right, width + 4) + "\n";
  }
  return out;
}

Line line_of(const OptionSpec& option) {
  std::string right = option.help;
  if (!option.choices.empty()) {
    right += " (";
    for (std::size_t i = 0; i < option.choices.size(); ++i) {
      right += (i == 0 ? "" : ", ") + option.choices[i];
    }
    right += ")";
  }
  if (option.is_repeatable) right += "; may be given again";
  return {option.name + (option.value.empty() ? "" : " " + option.value), right};
}

std::string usage_of(const CommandSpec& command) {
  std::string usage = "syncline " + command.name;
  for (const PositionalSpec& positional : command.positionals) {
    const std::string name = positional.name + (positional.is_repeatable ? "…" : "");
    usage += positional.is_required ? " " + name : " [" + name + "]";
  }
  return usage + (command.options.empty() ? "" : " [options]");
}

}  // namespace

std::string command_help(const CommandSpec& command) {
  std::string out = usage_of(command) + "\n\n" + wrapped(command.text, 0) + "\n";
  std::vector<Line> lines;
  for (const PositionalSpec& positional : command.positionals) {
    lines.push_back({positional.name, positional.help});
  }
  if (!lines.empty()) out += "\nArguments:\n" + aligned(lines);
  lines.clear();
  for (const OptionSpec& option : command.options) lines.push_back(line_of(option));
  for (const OptionSpec& option : common_options()) lines.push_back(line_of(option));
  lines.push_back({"-h, --help", "this text"});
  out += "\nOptions:\n" + aligned(lines);
  lines.clear();
  for (const Example& example : command.examples) {
    lines.push_back({"syncline " + example.line, example.meaning});
  }
  if (!lines.empty()) {
    out += "\nExamples:\n";
    for (const Line& line : lines) out += "  " + line.left + "\n      " + line.right + "\n";
  }
  return out;
}

std::string overview_help() {
  std::string out =
      "syncline COMMAND [options]\n\n"
      "Keeps the data of a machine-learning fleet in sync and safe.\n\nCommands:\n";
  std::vector<Line> lines;
  for (const CommandSpec& command : commands()) lines.push_back({command.name, command.summary});
  out += aligned(lines);
  lines.clear();
  for (const OptionSpec& option : common_options()) lines.push_back(line_of(option));
  for (const OptionSpec& option : ask_options()) lines.push_back(line_of(option));
  lines.push_back({"-h, --help", "this text; with a command: what it does, with examples"});
  lines.push_back({"--version", "print the version"});
  out += "\nOptions:\n" + aligned(lines);
  out +=
      "\nExit codes:\n"
      "  0 done and verified   1 failed   2 usage   3 partly done\n"
      "  4 not durable by the deadline    5 daemon not reachable\n"
      "\nStart here:\n"
      "  syncline init          make a fleet of this one machine\n"
      "  syncline daemon        run it\n"
      "  syncline invite        let another machine in: run 'syncline join TOKEN' there\n"
      "  syncline status        what is safe, and what is not yet\n";
  return out;
}

}  // namespace syncline::cli
