// What was remembered of an agentless host: whatever the file became, it is read as it was written
// or refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "collecting/memory.hpp"
#include "core/sha256.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  const core::NodeId host("h");
  std::string text(reinterpret_cast<const char*>(data), size);
  (void)collecting::decode_memory(text, host).ok();
  // Behind a right sum as well: else nothing but the sum would be looked at.
  text = "syncline-agentless 1\n" + text;
  text += "sum " + core::to_hex(core::sha256(text)) + '\n';
  const auto read = collecting::decode_memory(text, host);
  if (!read.ok()) return 0;
  const auto again = collecting::decode_memory(collecting::encode_memory(*read, host), host);
  if (!again.ok() || *again != *read) std::abort();
  return 0;
}
