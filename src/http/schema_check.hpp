// For tests only: checks a JSON text against a JSON Schema, as far as our schemas use it: type,
// properties, required, additionalProperties, items, enum, anyOf, minimum, $ref into $defs.
#pragma once

#include <string>

namespace syncline::http {

// "" when it fits; else where and why not. A keyword that is not known here is a failure too.
std::string misfit(const std::string& json, const std::string& schema);

}  // namespace syncline::http
