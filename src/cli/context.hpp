// What a command may touch of the world around it; tests put in strings.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "core/config.hpp"
#include "identity/fleet.hpp"

namespace syncline::cli {

struct Context {
  std::ostream& out;             // answers
  std::ostream& err;             // complaints, hints, progress
  bool is_out_terminal = false;  // colours and columns for people
  bool is_err_terminal = false;  // progress
  bool has_colour = false;       // a terminal, and NO_COLOR is not set
  std::string working_directory = {};
  std::function<std::string(const std::string& name)> environment = {};  // "" if not set
  // What only the daemon's own parts can tell of a configuration; node/, put in by main.
  std::function<core::Status(const core::Config&)> check_config = {};
  std::function<int(const std::string& config_path)> run_daemon = {};  // node/, put in by main
  identity::JoinCall join_call = {};                                   // net/, put in by main
};

}  // namespace syncline::cli
