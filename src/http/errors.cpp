#include "http/errors.hpp"

#include "http/json.hpp"

namespace syncline::http {

int status_of(core::ErrorKind kind) {
  switch (kind) {
    case core::ErrorKind::kInvalid:
      return 400;
    case core::ErrorKind::kMissing:
      return 404;
    case core::ErrorKind::kUnreachable:
      return 503;
    case core::ErrorKind::kOverloaded:
      return 429;
    case core::ErrorKind::kExhausted:
      return 507;
    case core::ErrorKind::kCorrupt:
      return 500;
    case core::ErrorKind::kConflict:
      return 409;
    case core::ErrorKind::kCancelled:
      return 504;
  }
  return 500;
}

std::string error_body(const core::Error& error) {
  return to_json(ErrorAnswer{{core::to_string(error.kind), error.what, error.subject}});
}

std::string error_body(const std::string& kind, const std::string& what) {
  return to_json(ErrorAnswer{{kind, what, ""}});
}

}  // namespace syncline::http
