#include "cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <memory>

#include "core/nearest.hpp"

namespace syncline::cli {
namespace {

// Values as CLI11 fills them, until they are handed over.
struct Slot {
  std::string name;
  std::vector<std::string> values;
  bool is_flag_set = false;
};

struct Parser {
  CLI::App app{"", "syncline"};
  std::map<const CLI::App*, const CommandSpec*> specs;
  std::map<std::string, CLI::App*> groups;  // "config"
  std::map<const CLI::App*, std::vector<std::unique_ptr<Slot>>> slots;
};

void add_option(Parser& parser, CLI::App* app, const OptionSpec& spec) {
  auto& slot = parser.slots[app].emplace_back(std::make_unique<Slot>());
  slot->name = spec.name;
  if (spec.kind == ValueKind::kFlag) {
    app->add_flag(spec.name, slot->is_flag_set)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    return;
  }
  auto* option = app->add_option(spec.name, slot->values)->allow_extra_args(false);
  option->type_name(spec.value);
  if (!spec.is_repeatable) option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::Throw);
}

void add_positional(Parser& parser, CLI::App* app, const PositionalSpec& spec) {
  auto& slot = parser.slots[app].emplace_back(std::make_unique<Slot>());
  slot->name = spec.name;
  auto* option = app->add_option(spec.name, slot->values);
  option->required(spec.is_required)->allow_extra_args(spec.is_repeatable);
  if (spec.is_repeatable) {
    option->expected(spec.is_required ? 1 : 0, CLI::detail::expected_max_vector_size);
  } else {
    option->expected(1);
  }
}

// "config check" becomes check below config.
CLI::App* make_app(Parser& parser, const std::string& name) {
  const std::size_t space = name.find(' ');
  if (space == std::string::npos) return parser.app.add_subcommand(name);
  const std::string group = name.substr(0, space);
  CLI::App*& parent = parser.groups[group];
  if (parent == nullptr) parent = parser.app.add_subcommand(group);
  return parent->add_subcommand(name.substr(space + 1));
}

void build(Parser& parser) {
  parser.app.set_help_flag("-h,--help");
  parser.app.set_version_flag("--version", SYNCLINE_VERSION);
  for (const auto& option : common_options()) add_option(parser, &parser.app, option);
  for (const auto& option : ask_options()) add_option(parser, &parser.app, option);
  for (const CommandSpec& command : commands()) {
    CLI::App* app = make_app(parser, command.name);
    parser.specs[app] = &command;
    for (const auto& option : common_options()) add_option(parser, app, option);
    for (const auto& option : command.options) add_option(parser, app, option);
    for (const auto& positional : command.positionals) add_positional(parser, app, positional);
  }
}

// The command that was reached: "config check", else "config", else the program itself.
CLI::App* deepest(CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return app;
}

std::string full_name(const CLI::App* app) {
  if (app->get_parent() == nullptr) return "";
  const std::string above = full_name(app->get_parent());
  return above.empty() ? app->get_name() : above + " " + app->get_name();
}

std::vector<std::string> subcommand_names(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app->get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string see_help(const std::string& command) {
  return "; see 'syncline " + (command.empty() ? "" : command + " ") + "--help'";
}

std::string explain_extra(CLI::App& root, const std::string& extra) {
  CLI::App* app = deepest(&root);
  const std::string command = full_name(app);
  if (extra.starts_with('-')) {
    const std::string name = extra.substr(0, extra.find('='));
    const std::string hint = core::did_you_mean(name, option_names(app));
    const std::string what = command.empty() ? "unknown option '" : command + ": unknown option '";
    return what + name + "'" + (hint.empty() ? see_help(command) : hint);
  }
  const auto subcommands = subcommand_names(app);
  if (!subcommands.empty()) {
    const std::string hint = core::did_you_mean(extra, subcommands);
    const std::string whole = command.empty() ? extra : command + " " + extra;
    return "unknown command '" + whole + "'" + (hint.empty() ? see_help(command) : hint);
  }
  return command + ": '" + extra + "' is one argument too many" + see_help(command);
}

std::string explain(CLI::App& root, const CLI::ParseError& error) {
  const auto extras = root.remaining(true);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !extras.empty()) {
    return explain_extra(root, extras.front());
  }
  const std::string command = full_name(deepest(&root));
  // A mistyped option leaves something required out; the typing mistake is the news.
  for (const std::string& extra : extras) {
    if (extra.starts_with("--")) return explain_extra(root, extra);
  }
  return (command.empty() ? "" : command + ": ") + std::string(error.what()) + see_help(command);
}

bool is_number(const std::string& text, bool is_whole) {
  double number = 0;
  std::int64_t whole = 0;
  const char* end = text.data() + text.size();
  const auto parsed = is_whole ? std::from_chars(text.data(), end, whole)
                               : std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(number) && number >= 0 &&
         whole >= 0;
}

std::string check_value(const OptionSpec& spec, const std::string& value) {
  if (spec.kind == ValueKind::kWhole && !is_number(value, true)) {
    return spec.name + " must be a whole number, not '" + value + "'";
  }
  if (spec.kind == ValueKind::kNumber && !is_number(value, false)) {
    return spec.name + " must be a number, not '" + value + "'";
  }
  if (spec.kind == ValueKind::kChoice &&
      std::find(spec.choices.begin(), spec.choices.end(), value) == spec.choices.end()) {
    std::string list;
    for (const auto& choice : spec.choices) list += (list.empty() ? "" : ", ") + choice;
    return spec.name + " must be one of " + list + ", not '" + value + "'" +
           core::did_you_mean(value, spec.choices);
  }
  return "";
}

std::string check_values(const CommandSpec& command, const Arguments& arguments) {
  for (const OptionSpec& option : command.options) {
    for (const std::string& value : arguments.list(option.name)) {
      if (option.kind == ValueKind::kFlag) continue;
      const std::string error = check_value(option, value);
      if (!error.empty()) return command.name + ": " + error;
    }
  }
  for (const PositionalSpec& positional : command.positionals) {
    if (!positional.is_closed) continue;
    for (const std::string& value : arguments.list(positional.name)) {
      const OptionSpec as_option{positional.name, ValueKind::kChoice, "", "",
                                 false,           positional.choices};
      const std::string error = check_value(as_option, value);
      if (!error.empty()) return command.name + ": " + error;
    }
  }
  return "";
}

void take_values(Parser& parser, const CLI::App* app, Arguments& out) {
  for (const auto& slot : parser.slots[app]) {
    if (slot->is_flag_set) out.set(slot->name, {"true"});
    if (!slot->values.empty()) out.set(slot->name, slot->values);
  }
}

}  // namespace

std::string Arguments::text(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() || found->second.empty() ? "" : found->second.front();
}

std::vector<std::string> Arguments::list(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::optional<std::int64_t> Arguments::whole(const std::string& name) const {
  if (!has(name)) return std::nullopt;
  std::int64_t value = 0;
  const std::string given = text(name);
  std::from_chars(given.data(), given.data() + given.size(), value);
  return value;
}

std::optional<double> Arguments::number(const std::string& name) const {
  if (!has(name)) return std::nullopt;
  double value = 0;
  const std::string given = text(name);
  std::from_chars(given.data(), given.data() + given.size(), value);
  return value;
}

void Arguments::set(const std::string& name, std::vector<std::string> values) {
  values_[name] = std::move(values);
}

ParsedLine parse_line(const std::vector<std::string>& line) {
  ParsedLine out;
  Parser parser;
  build(parser);
  try {
    // CLI11 takes them from the back.
    parser.app.parse(std::vector<std::string>(line.rbegin(), line.rend()));
  } catch (const CLI::CallForHelp&) {
    const auto found = parser.specs.find(deepest(&parser.app));
    out.help = found == parser.specs.end() ? overview_help() : command_help(*found->second);
    return out;
  } catch (const CLI::CallForVersion&) {
    out.help = std::string("syncline ") + SYNCLINE_VERSION + "\n";
    return out;
  } catch (const CLI::ParseError& error) {
    out.error = explain(parser.app, error);
    return out;
  }
  CLI::App* app = deepest(&parser.app);
  const auto found = parser.specs.find(app);
  if (found == parser.specs.end()) {
    if (full_name(app).empty()) {
      out.help = overview_help();
      return out;
    }
    std::string list;
    for (const auto& name : subcommand_names(app)) list += (list.empty() ? "" : ", ") + name;
    out.error = full_name(app) + " needs one of " + list + see_help("");
    return out;
  }
  take_values(parser, &parser.app, out.arguments);
  take_values(parser, app, out.arguments);
  out.error = check_values(*found->second, out.arguments);
  if (out.error.empty()) out.command = found->second;
  return out;
}

}  // namespace syncline::cli
