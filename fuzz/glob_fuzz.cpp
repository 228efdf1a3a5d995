// Patterns and names: an answer in time, whatever they are; everything matches "**".
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos || end > 256 || size > 1024) return 0;
  const std::string_view text = bytes.substr(end + 1);
  core::glob_matches(bytes.substr(0, end), text);
  if (!core::glob_matches("**", text)) std::abort();
  return 0;
}
