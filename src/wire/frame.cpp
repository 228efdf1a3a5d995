#include "wire/frame.hpp"

#include <zstd.h>

#include <memory>

#include "core/uninitialized.hpp"
#include "wire/convert.hpp"
#include "wire/packing.hpp"

namespace syncline::wire {

using core::Error;
using core::ErrorKind;

namespace {
// Below this, compressing a batch of units saves less than it costs.
constexpr std::size_t kCompressBytesMin = 1024;
constexpr int kCompressLevel = 1;  // faster than any link between machines

void put_u32(std::string& out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}
std::uint32_t get_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i)
    value = (value << 8) | static_cast<std::uint8_t>(bytes[static_cast<std::size_t>(i)]);
  return value;
}
}  // namespace

bool compress(std::string& bytes) {
  if (bytes.size() < kCompressBytesMin) return false;
  // Making a context costs more than packing a small file with it.
  thread_local const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(
      ZSTD_createCCtx(), &ZSTD_freeCCtx);
  if (context == nullptr) return false;
  std::string packed;
  core::resize_for_overwrite(packed, ZSTD_compressBound(bytes.size()));
  const std::size_t size = ZSTD_compressCCtx(context.get(), packed.data(), packed.size(),
                                             bytes.data(), bytes.size(), kCompressLevel);
  if (ZSTD_isError(size) != 0 || size > bytes.size() - bytes.size() / 10) return false;
  packed.resize(size);
  bytes = std::move(packed);
  return true;
}

bool decompress(std::string& bytes, std::uint64_t raw_bytes) {
  if (raw_bytes > kPayloadBytesMax) return false;
  std::string raw;
  core::resize_for_overwrite(raw, static_cast<std::size_t>(raw_bytes));
  const std::size_t size = ZSTD_decompress(raw.data(), raw.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0 || size != raw.size()) return false;
  bytes = std::move(raw);
  return true;
}

core::Result<Frame> encode_frame(WireMessage message) {
  Frame frame;
  const std::string header = encode_header(std::move(message), frame.payload);
  if (header.size() > kHeaderBytesMax || frame.payload.size() > kPayloadBytesMax) {
    return Error{ErrorKind::kExhausted, "a message is larger than a frame may be", ""};
  }
  frame.head.reserve(kFramePrefixBytes + header.size());
  put_u32(frame.head, static_cast<std::uint32_t>(header.size()));
  put_u32(frame.head, static_cast<std::uint32_t>(frame.payload.size()));
  frame.head += header;
  return frame;
}

core::Result<FrameSizes> decode_prefix(std::string_view prefix) {
  const FrameSizes sizes{get_u32(prefix.substr(0, 4)), get_u32(prefix.substr(4, 4))};
  if (sizes.header_bytes > kHeaderBytesMax || sizes.payload_bytes > kPayloadBytesMax) {
    return Error{ErrorKind::kCorrupt, "a frame claims more bytes than a frame may have", ""};
  }
  return sizes;
}

core::Result<WireMessage> decode_frame(std::string_view header, std::string payload) {
  return decode_header(header, std::move(payload));
}

}  // namespace syncline::wire
