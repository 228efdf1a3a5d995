// Errors of the daemon ↔ HTTP status codes and the error body.
#pragma once

#include <string>

#include "core/result.hpp"

namespace syncline::http {

// invalid 400 · missing 404 · conflict 409 · overloaded 429 · unreachable 503 · cancelled 504 ·
// exhausted 507 · corrupt 500
int status_of(core::ErrorKind kind);

// {"error": {"kind": …, "what": …, "subject": …}}
std::string error_body(const core::Error& error);

// For what has no core::ErrorKind: "denied" (401, 403), "invalid" (405, 413) …
std::string error_body(const std::string& kind, const std::string& what);

}  // namespace syncline::http
