// Reading a configuration file, with what the environment adds to it.
#pragma once

#include <string>

#include "cli/context.hpp"
#include "core/config.hpp"
#include "core/result.hpp"

namespace syncline::cli {

// kMissing: no such file, or not readable. kInvalid: what is wrong and on which line.
core::Result<core::Config> read_config(const Context& context, const std::string& path);

// The whole file, at most `bytes_max`; kInvalid beyond.
core::Result<std::string> read_text(const std::string& path, std::size_t bytes_max);

}  // namespace syncline::cli
