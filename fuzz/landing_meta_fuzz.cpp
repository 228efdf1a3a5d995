// Notes of a staged file: whatever stands there, it is refused or reads back as it was written.
// The sum is put right half of the time, so that the fields behind it are reached.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "collections/files/landing_meta.hpp"
#include "core/sha256.hpp"

namespace {

void check(const std::string& bytes) {
  using namespace syncline::collections::files;
  const auto meta = decode_landing_meta(bytes);
  if (meta.ok() && encode(*meta) != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  check(text);
  text = "syncline-landing 2\n" + text + '\n';
  check(text + "sum " + to_hex(syncline::core::sha256(text)) + '\n');
  return 0;
}
