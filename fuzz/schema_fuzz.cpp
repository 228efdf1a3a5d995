// Schemas of a peer: refused, or read back as they were written, under the same id.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "reconcile/schema.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto schema = reconcile::decode_schema(bytes);
  if (!schema.ok()) return 0;
  const auto again = reconcile::decode_schema(reconcile::encode(*schema));
  if (!again.ok() || reconcile::id_of(*again) != reconcile::id_of(*schema)) std::abort();
  return 0;
}
