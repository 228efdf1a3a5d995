#include "core/result.hpp"

namespace syncline::core {

const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kMissing:
      return "missing";
    case ErrorKind::kUnreachable:
      return "unreachable";
    case ErrorKind::kOverloaded:
      return "overloaded";
    case ErrorKind::kExhausted:
      return "exhausted";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kConflict:
      return "conflict";
    case ErrorKind::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

std::string to_string(const Error& error) {
  if (error.subject.empty()) return error.what;
  return error.what + " (" + error.subject + ")";
}

}  // namespace syncline::core
