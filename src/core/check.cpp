#include "core/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace syncline::core {

void invariant_failed(const char* condition, const char* file, int line,
                      const std::string& values) {
  std::fprintf(stderr, "syncline: invariant broken: %s at %s:%d: %s\n", condition, file, line,
               values.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace syncline::core
