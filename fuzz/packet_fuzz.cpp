// Membership packets and states: refused, or of exactly one form.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/packet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto packet = wire::decode_packet(bytes);
  if (packet.ok()) {
    if (wire::encode_packet(*packet) != bytes) std::abort();
    if (core::wire_bytes_max(*packet) < bytes.size()) std::abort();
  }
  const auto state = wire::decode_push_pull(bytes);
  if (state.ok() && wire::encode_push_pull(*state) != bytes) std::abort();
  return 0;
}
