// What makes shells complete our commands, and the manual page; all from the command table. Pure.
#pragma once

#include <string>

namespace syncline::cli {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

// syncline(1), troff with the man macros.
std::string manual_page();

}  // namespace syncline::cli
