#include "transports/ssh/safe_path.hpp"

namespace syncline::transports::ssh {

bool is_safe_path(const std::string& path) {
  if (path.empty() || path.size() > 4096 || path.front() == '/' || path.back() == '/' ||
      path.find('\0') != std::string::npos) {
    return false;
  }
  const std::string framed = "/" + path + "/";
  return framed.find("/../") == std::string::npos && framed.find("/./") == std::string::npos &&
         framed.find("//") == std::string::npos;
}

}  // namespace syncline::transports::ssh
