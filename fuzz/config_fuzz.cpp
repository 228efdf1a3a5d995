// Configuration files: refused with a sentence, or written out as a file that loads to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto config = core::parse_config(bytes, "/etc/syncline/syncline.toml");
  if (!config.ok()) {
    if (config.error().what.empty()) std::abort();
    return 0;
  }
  const std::string text = core::config_to_toml(*config);
  const auto again = core::parse_config(text, "/etc/syncline/syncline.toml");
  if (!again.ok() || core::config_to_toml(*again) != text) std::abort();
  return 0;
}
