#include "facade/types.hpp"

namespace syncline::facade {

const char* to_string(Backend backend) {
  switch (backend) {
    case Backend::kHybrid:
      return "hybrid";
    case Backend::kBroadcast:
      return "broadcast";
    case Backend::kRouter:
      return "router";
    case Backend::kEphemeral:
      return "ephemeral";
    case Backend::kPull:
      return "pull";
    case Backend::kTransfer:
      return "transfer";
  }
  return "?";
}

}  // namespace syncline::facade
