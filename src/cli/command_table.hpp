// The parts of the command table; commands() puts them together.
#pragma once

#include <vector>

#include "cli/spec.hpp"

namespace syncline::cli {

void add_setup_commands(std::vector<CommandSpec>& table);   // table_setup.cpp
void add_ask_commands(std::vector<CommandSpec>& table);     // table_ask.cpp
void add_config_commands(std::vector<CommandSpec>& table);  // table_setup.cpp

}  // namespace syncline::cli
