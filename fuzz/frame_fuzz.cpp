// Frames: a prefix within its bounds; a header and payload that are refused, or become a message
// that goes out again and means the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/frame.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  if (size < wire::kFramePrefixBytes) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string_view prefix = bytes.substr(0, wire::kFramePrefixBytes);
  const auto sizes = wire::decode_prefix(prefix);
  if (sizes.ok() && (sizes->header_bytes > wire::kHeaderBytesMax ||
                     sizes->payload_bytes > wire::kPayloadBytesMax)) {
    std::abort();
  }
  // The first byte of the prefix divides the rest into header and payload.
  const std::string_view rest = bytes.substr(wire::kFramePrefixBytes);
  const std::size_t cut = rest.size() * data[0] / 255;
  const auto message = wire::decode_frame(rest.substr(0, cut), std::string(rest.substr(cut)));
  if (!message.ok()) return 0;
  const auto frame = wire::encode_frame(*message);
  if (!frame.ok()) std::abort();
  const std::string_view head = std::string_view(frame->head).substr(wire::kFramePrefixBytes);
  const auto again = wire::decode_frame(head, frame->payload);
  if (!again.ok()) std::abort();
  const auto twice = wire::encode_frame(*again);
  if (!twice.ok() || twice->head != frame->head || twice->payload != frame->payload) std::abort();
  return 0;
}
