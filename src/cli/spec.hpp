// The command table: what can be typed, and what it means. Parsing, help, shell completion and the
// man page are all made from it.
#pragma once

#include <string>
#include <vector>

namespace syncline::cli {

enum class ValueKind {
  kFlag,  // stands alone
  kText,
  kChoice,  // one of `choices`
  kWhole,   // whole number, not negative
  kNumber,  // not negative
  kPath,    // completed as a file
};

struct OptionSpec {
  std::string name;  // "--target"
  ValueKind kind = ValueKind::kFlag;
  std::string value;  // "NODE"; empty for flags
  std::string help;   // one line
  bool is_repeatable = false;
  std::vector<std::string> choices = {};
};

struct PositionalSpec {
  std::string name;  // "TYPE"
  std::string help;
  bool is_required = true;
  bool is_repeatable = false;
  std::vector<std::string> choices = {};  // for completion; with is_closed also for checking
  bool is_closed = false;
  ValueKind kind = ValueKind::kText;
};

struct Example {
  std::string line;  // after "syncline "
  std::string meaning;
};

class Arguments;
struct Context;

struct CommandSpec {
  std::string name;     // "sync", "config check"
  std::string summary;  // one line
  std::string text;     // a paragraph: what it does, what its exit code tells
  std::vector<PositionalSpec> positionals;
  std::vector<OptionSpec> options;
  std::vector<Example> examples;
  int (*run)(Context&, const Arguments&) = nullptr;  // answers the exit code
};

// In the order in which help shows them.
const std::vector<CommandSpec>& commands();

// Every command takes these: --config, --dir, --help; those that ask a daemon also kAskOptions.
const std::vector<OptionSpec>& common_options();
// --json, --api, --token-file
const std::vector<OptionSpec>& ask_options();

}  // namespace syncline::cli
