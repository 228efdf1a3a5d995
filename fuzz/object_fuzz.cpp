// Versions of objects: refused, or read back as they were written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/object.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto object = core::decode_object_version(bytes);
  if (!object.ok()) return 0;
  const auto again = core::decode_object_version(core::encode(*object));
  if (!again.ok() || !(*again == *object)) std::abort();
  if (core::wins_over(*object, *object) && core::wins_over(*again, *object)) std::abort();
  return 0;
}
