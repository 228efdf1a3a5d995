// Join tokens: refused, or read back as they were written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "identity/token.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const std::string& text : {std::string(bytes), "syncline1." + std::string(bytes)}) {
    const auto token = identity::decode_token(text);
    if (!token.ok()) continue;
    const auto again = identity::decode_token(identity::encode(*token));
    if (!again.ok() || !(*again == *token)) std::abort();
  }
  return 0;
}
