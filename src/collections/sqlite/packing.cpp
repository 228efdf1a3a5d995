#include "collections/sqlite/packing.hpp"

#include <zstd.h>

#include "core/unit.hpp"

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;

namespace {
constexpr int kLevel = 3;  // records of a few KB: higher levels cost more than they save
}

core::Result<std::string> pack(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kLevel);
  if (ZSTD_isError(size) != 0) {
    return Error{ErrorKind::kExhausted, "a record could not be compressed: out of memory", ""};
  }
  out.resize(size);
  return out;
}

core::Result<std::string> unpack(std::string_view packed) {
  const Error corrupt{ErrorKind::kCorrupt, "the kept bytes of a record are damaged", ""};
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
      size > core::UnitLimits{}.bytes_max) {
    return corrupt;
  }
  std::string out(static_cast<std::size_t>(size), '\0');
  const std::size_t got = ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0 || got != out.size()) return corrupt;
  return out;
}

}  // namespace syncline::collections::sqlite
