// Prints an answer as JSON or as text.
#pragma once

#include <ostream>
#include <string>

#include "cli/arguments.hpp"
#include "cli/context.hpp"
#include "http/json.hpp"

namespace syncline::cli {

// One JSON document: indented for people at a terminal, else on one line.
void print_json(Context& context, const std::string& json);

inline bool wants_json(const Arguments& arguments) {
  return arguments.has("--json");
}

template <typename T>
void print_as_json(Context& context, const T& value) {
  print_json(context, http::to_json(value));
}

}  // namespace syncline::cli
