// Units: refused, or of exactly one form.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/unit.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto unit = core::decode_unit(bytes);
  if (unit.ok() && core::encode(*unit) != bytes) std::abort();
  core::UnitLimits tight;
  tight.tables_max = tight.columns_max = tight.rows_max = 4;
  tight.bytes_max = 256;
  const auto small = core::decode_unit(bytes, tight);
  if (small.ok() && (!unit.ok() || small->tables.size() > 4)) std::abort();
  return 0;
}
