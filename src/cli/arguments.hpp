// What was typed, checked against the command table.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/spec.hpp"

namespace syncline::cli {

// The values of one command line. Names are those of the table: "--target", "TYPE".
class Arguments {
 public:
  bool has(const std::string& name) const { return values_.count(name) != 0; }
  // "" if it was not given.
  std::string text(const std::string& name) const;
  std::vector<std::string> list(const std::string& name) const;
  std::optional<std::int64_t> whole(const std::string& name) const;
  std::optional<double> number(const std::string& name) const;

  void set(const std::string& name, std::vector<std::string> values);

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

struct ParsedLine {
  const CommandSpec* command = nullptr;  // null: only help or version was asked for, or an error
  Arguments arguments;
  std::string help;   // --help: this is to be printed; nothing is to be run
  std::string error;  // one line: what is wrong and what was probably meant; exit code 2
};

// `line` without the program's name.
ParsedLine parse_line(const std::vector<std::string>& line);

// The text of `syncline --help` and of `syncline COMMAND --help`.
std::string overview_help();
std::string command_help(const CommandSpec& command);

}  // namespace syncline::cli
