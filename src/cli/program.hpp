// The command line as a function: everything `main` does but for the real terminal and process.
#pragma once

#include <string>
#include <vector>

#include "cli/context.hpp"

namespace syncline::cli {

// `line` without the program's name. Answers the exit code.
int run_program(Context& context, const std::vector<std::string>& line);

}  // namespace syncline::cli
